"""A secret that is shown belongs to the sign-in it is shown in; a first factor follows a fresh password."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_operators")]

    operations = [
        migrations.AddField("signin", "password_at", models.DateTimeField(editable=False, null=True)),
        migrations.AddField("authenticator", "begun_in", models.UUIDField(editable=False, null=True)),
    ]
