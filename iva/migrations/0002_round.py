from django.db import migrations, models

from iva.tenancy.rls import PlatformTable


class Migration(migrations.Migration):
    dependencies = [("iva", "0001_platform_privileges")]

    operations = [
        migrations.CreateModel(
            name="Round",
            fields=[
                ("task", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("ended_at", models.DateTimeField()),
                ("succeeded_at", models.DateTimeField(null=True)),
                ("figures", models.JSONField(default=dict)),
                ("failure", models.CharField(blank=True, default="", max_length=64)),
            ],
        ),
        PlatformTable("iva_round", grants="SELECT, INSERT, UPDATE"),
    ]
