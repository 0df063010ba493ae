"""Somebody's own activity is found by index: what they did, and what happened to them."""

from django.db import migrations, models

import iva.audit.models


class Migration(migrations.Migration):
    dependencies = [("iva_audit", "0001_initial")]

    operations = [
        migrations.AddField(
            "auditevent",
            "about",
            models.GeneratedField(
                db_persist=True,
                expression=iva.audit.models.Somebody("ids"),
                output_field=models.UUIDField(null=True),
            ),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(fields=["organization_id", "actor", "occurred_at", "id"], name="audit_event_actor"),
        ),
        migrations.AddIndex(
            "auditevent",
            models.Index(
                fields=["organization_id", "about", "occurred_at", "id"],
                name="audit_event_about",
                condition=models.Q(("about__isnull", False)),
            ),
        ),
    ]
