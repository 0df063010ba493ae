from django.db import migrations

from iva.tenancy.rls import PlatformTable


class Migration(migrations.Migration):
    """What the serving role needs of Django's own tables: no more than each one asks for."""

    initial = True
    dependencies = [
        ("accounts", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("sessions", "0001_initial"),
    ]
    operations = [
        PlatformTable("django_session"),
        PlatformTable("django_admin_log", grants="SELECT, INSERT"),
        PlatformTable("django_content_type", grants="SELECT"),
        PlatformTable("auth_permission", grants="SELECT"),
        PlatformTable("auth_group"),
        PlatformTable("auth_group_permissions"),
        PlatformTable("django_migrations", grants="SELECT"),
    ]
