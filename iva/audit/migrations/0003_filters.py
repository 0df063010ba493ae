"""Whose doing and about whom, taken from what was hashed, with the indexes that filters need."""

from django.db import migrations, models

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ACTOR = f"^(?:person|member|operator):({UUID})$"
END_USER = f'"end_user":"({UUID})"'


def found(column, pattern):
    return models.GeneratedField(
        db_persist=True,
        expression=models.Func(
            models.F(column), template=f"substring(%(expressions)s from '{pattern}')::uuid"
        ),
        output_field=models.UUIDField(null=True),
    )


class Migration(migrations.Migration):
    dependencies = [("iva_audit", "0001_initial")]

    operations = [
        migrations.AddField("auditevent", "actor_id", found("actor", ACTOR)),
        migrations.AddField("auditevent", "end_user_id", found("ids", END_USER)),
        migrations.AddIndex(
            "auditevent", models.Index(fields=["organization_id", "event", "id"], name="audit_event_by_event")
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(
                condition=models.Q(actor_id__isnull=False),
                fields=["organization_id", "actor_id", "id"],
                name="audit_event_by_actor",
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(
                condition=models.Q(end_user_id__isnull=False),
                fields=["organization_id", "end_user_id", "id"],
                name="audit_event_by_end_user",
            ),
        ),
    ]
