"""Letters are promised like answers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("iva_outbox", "0001_initial")]

    operations = [
        migrations.AlterField(
            "promise",
            "work",
            models.CharField(
                choices=[("answer", "Answer"), ("dispose", "Dispose"), ("letter", "Letter")], max_length=32
            ),
        ),
        migrations.AlterField(
            "promise",
            "subject_id",
            models.UUIDField(help_text="the message to answer, erasure to finish, letter to send"),
        ),
    ]
