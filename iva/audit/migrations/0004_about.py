"""Whom an event is about, taken from what was hashed, so that people find their own part of a trail."""

from django.db import migrations, models

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ABOUT = f'"(?:member|person|user)":"({UUID})"'


class Migration(migrations.Migration):
    dependencies = [("iva_audit", "0003_filters")]

    operations = [
        migrations.AddField(
            "auditevent",
            "about_id",
            models.GeneratedField(
                db_persist=True,
                expression=models.Func(
                    models.F("ids"), template=f"substring(%(expressions)s from '{ABOUT}')::uuid"
                ),
                output_field=models.UUIDField(null=True),
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(
                condition=models.Q(about_id__isnull=False),
                fields=["organization_id", "about_id", "id"],
                name="audit_event_by_about",
            ),
        ),
    ]
