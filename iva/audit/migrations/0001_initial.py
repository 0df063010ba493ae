from django.db import migrations, models

import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import POLICY, PlatformTable, TenantTable

ONLY_APPEND = """
CREATE FUNCTION iva_audit_only_append() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON iva_audit_auditevent
    FOR EACH ROW EXECUTE FUNCTION iva_audit_only_append();
CREATE TRIGGER only_append_truncate BEFORE TRUNCATE ON iva_audit_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION iva_audit_only_append();
CREATE TRIGGER head_stays BEFORE DELETE ON iva_audit_audithead
    FOR EACH ROW EXECUTE FUNCTION iva_audit_only_append();
CREATE TRIGGER head_stays_truncate BEFORE TRUNCATE ON iva_audit_audithead
    FOR EACH STATEMENT EXECUTE FUNCTION iva_audit_only_append();
CREATE TRIGGER head_advances BEFORE UPDATE ON iva_audit_audithead
    FOR EACH ROW WHEN (NEW.sequence <= OLD.sequence OR NEW.organization_id <> OLD.organization_id)
    EXECUTE FUNCTION iva_audit_only_append();
"""
HEADS = f"""
ALTER TABLE iva_audit_audithead ENABLE ROW LEVEL SECURITY;
ALTER TABLE iva_audit_audithead FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody_reads ON iva_audit_audithead FOR SELECT USING (true);
CREATE POLICY its_own_begins ON iva_audit_audithead FOR INSERT WITH CHECK ({POLICY});
CREATE POLICY its_own_advances ON iva_audit_audithead FOR UPDATE USING ({POLICY}) WITH CHECK ({POLICY});
"""
FREE = """
DROP FUNCTION iva_audit_only_append() CASCADE;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="AuditEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "organization_id",
                    models.UUIDField(
                        db_default=iva.tenancy.models.ActiveOrganization(),
                        default=iva.tenancy.models.active_organization_id,
                        editable=False,
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                ("event", models.CharField(max_length=64)),
                ("actor", models.CharField(max_length=64)),
                (
                    "ids",
                    models.TextField(
                        help_text="canonical JSON object of ids and counts, exactly as it was hashed"
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                ("digest", models.BinaryField()),
            ],
            options={"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"},
        ),
        migrations.AddConstraint(
            "AuditEvent",
            models.UniqueConstraint(fields=["organization_id", "sequence"], name="audit_event_sequence"),
        ),
        TenantTable("AuditEvent", grants="SELECT, INSERT"),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                ("organization_id", models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ("sequence", models.BigIntegerField()),
                ("digest", models.BinaryField()),
            ],
        ),
        PlatformTable("iva_audit_audithead", grants="SELECT, INSERT, UPDATE"),
        migrations.RunSQL(HEADS, migrations.RunSQL.noop),
        migrations.RunSQL(ONLY_APPEND, FREE),
    ]
