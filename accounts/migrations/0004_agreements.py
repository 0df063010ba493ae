import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import PlatformTable, TenantTable

# A published version is what people agreed to: nobody changes it, the owner of the table included.
DOCUMENTS_KEEP = """
CREATE FUNCTION accounts_refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION '% stays as it is', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION accounts_document_drafted() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    policy text := '-';
BEGIN
    IF NEW.privacy_policy_id IS NOT NULL THEN
        SELECT digest INTO STRICT policy FROM public.accounts_legaldocument
        WHERE id = NEW.privacy_policy_id AND kind = 'privacy_policy';
    END IF;
    IF NEW.sha256_mn <> encode(sha256(convert_to(NEW.text_mn, 'UTF8')), 'hex')
        OR NEW.sha256_en <> encode(sha256(convert_to(NEW.text_en, 'UTF8')), 'hex')
        OR NEW.digest <> encode(sha256(convert_to(concat_ws(E'\\n', 'iva/legal/v1', NEW.kind, NEW.version,
            NEW.sha256_mn, NEW.sha256_en, policy), 'UTF8')), 'hex') THEN
        RAISE EXCEPTION 'the hashes are not of these texts' USING ERRCODE = 'check_violation';
    END IF;
    IF btrim(NEW.text_mn) = '' OR btrim(NEW.text_en) = '' THEN
        RAISE EXCEPTION 'a version is complete in both languages only' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.approved_at IS NOT NULL OR NEW.published_at IS NOT NULL OR NEW.superseded_at IS NOT NULL THEN
        RAISE EXCEPTION 'a version begins as a draft' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION accounts_document_advances() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (NEW.id, NEW.kind, NEW.version, NEW.significance, NEW.text_mn, NEW.text_en, NEW.sha256_mn, NEW.sha256_en,
        NEW.digest, NEW.privacy_policy_id, NEW.drafted_at)
       IS DISTINCT FROM
       (OLD.id, OLD.kind, OLD.version, OLD.significance, OLD.text_mn, OLD.text_en, OLD.sha256_mn, OLD.sha256_en,
        OLD.digest, OLD.privacy_policy_id, OLD.drafted_at) THEN
        RAISE EXCEPTION 'a drafted text stays as it is' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.approved_at IS NOT NULL AND (NEW.approved_at, NEW.approved_by)
       IS DISTINCT FROM (OLD.approved_at, OLD.approved_by) THEN
        RAISE EXCEPTION 'an approval stays as it is' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.published_at IS NOT NULL AND (NEW.published_at, NEW.published_by, NEW.effective_at)
       IS DISTINCT FROM (OLD.published_at, OLD.published_by, OLD.effective_at) THEN
        RAISE EXCEPTION 'a publication stays as it is' USING ERRCODE = 'insufficient_privilege';
    END IF;
    IF OLD.superseded_at IS NOT NULL AND NEW.superseded_at IS DISTINCT FROM OLD.superseded_at THEN
        RAISE EXCEPTION 'what is superseded stays so' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION accounts_document_published() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NEW.significance = 'significant' AND NEW.effective_at < NEW.published_at + interval '14 days' AND EXISTS (
        SELECT FROM public.accounts_legaldocument
        WHERE kind = NEW.kind AND published_at IS NOT NULL AND id <> NEW.id) THEN
        RAISE EXCEPTION 'a significant change is announced 14 days ahead at least' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.kind = 'terms' AND NOT EXISTS (
        SELECT FROM public.accounts_legaldocument
        WHERE id = NEW.privacy_policy_id AND effective_at <= NEW.effective_at AND superseded_at IS NULL) THEN
        RAISE EXCEPTION 'the privacy policy of these terms is not in effect with them' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION accounts_document_superseded() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM public.accounts_legaldocument
        WHERE kind = NEW.kind AND id <> NEW.id AND published_at >= NEW.published_at
          AND effective_at >= NEW.effective_at AND effective_at <= NEW.superseded_at) THEN
        RAISE EXCEPTION 'nothing supersedes this version' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION accounts_policy_is_part_of_terms() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.accounts_legaldocument
                   WHERE privacy_policy_id = NEW.id AND published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'a privacy policy is published with the terms it is part of' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER a_drafted BEFORE INSERT ON accounts_legaldocument
    FOR EACH ROW EXECUTE FUNCTION accounts_document_drafted();
CREATE TRIGGER a_advances BEFORE UPDATE ON accounts_legaldocument
    FOR EACH ROW EXECUTE FUNCTION accounts_document_advances();
CREATE TRIGGER b_published BEFORE UPDATE ON accounts_legaldocument
    FOR EACH ROW WHEN (OLD.published_at IS NULL AND NEW.published_at IS NOT NULL)
    EXECUTE FUNCTION accounts_document_published();
CREATE TRIGGER b_superseded BEFORE UPDATE ON accounts_legaldocument
    FOR EACH ROW WHEN (OLD.superseded_at IS NULL AND NEW.superseded_at IS NOT NULL)
    EXECUTE FUNCTION accounts_document_superseded();
CREATE CONSTRAINT TRIGGER part_of_terms AFTER UPDATE ON accounts_legaldocument
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.kind = 'privacy_policy' AND OLD.published_at IS NULL AND NEW.published_at IS NOT NULL)
    EXECUTE FUNCTION accounts_policy_is_part_of_terms();
CREATE TRIGGER approved_stays BEFORE DELETE ON accounts_legaldocument
    FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL) EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER stays_truncate BEFORE TRUNCATE ON accounts_legaldocument
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();

ALTER TABLE accounts_legaldocument
    ADD CONSTRAINT legal_document_approved CHECK ((approved_at IS NULL) = (approved_by = '')),
    ADD CONSTRAINT legal_document_published CHECK (
        (published_at IS NULL) = (published_by = '') AND (published_at IS NULL) = (effective_at IS NULL)
        AND (published_at IS NULL OR (approved_at <= published_at) IS TRUE)
        AND (effective_at IS NULL OR effective_at >= published_at)),
    ADD CONSTRAINT legal_document_superseded CHECK (superseded_at IS NULL OR (superseded_at >= effective_at) IS TRUE);
"""

# An acceptance names what was really published, and terms are accepted with their privacy policy (P6, P8).
# A `continued_use` follows a notice that reached the same person (P96).
ACCEPTANCES_HOLD = """
CREATE FUNCTION accounts_acceptance_is_of() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.accounts_legaldocument
                   WHERE id = NEW.document_id AND digest = NEW.digest AND published_at IS NOT NULL) THEN
        RAISE EXCEPTION 'nothing of this hash is published' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.notice_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM public.accounts_notice
        WHERE id = NEW.notice_id AND organization_id = NEW.organization_id AND user_id = NEW.user_id
          AND sent_at IS NOT NULL AND failed_at IS NULL) THEN
        RAISE EXCEPTION 'no notice reached this person' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION accounts_acceptance_is_whole() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.accounts_legaldocument terms
        WHERE terms.id = NEW.document_id AND terms.kind = 'terms' AND NOT EXISTS (
            SELECT FROM public.accounts_acceptance other
            WHERE other.organization_id = NEW.organization_id AND other.user_id = NEW.user_id
              AND other.document_id = terms.privacy_policy_id))
    OR EXISTS (
        SELECT FROM public.accounts_legaldocument policy
        WHERE policy.id = NEW.document_id AND policy.kind = 'privacy_policy' AND NOT EXISTS (
            SELECT FROM public.accounts_acceptance other JOIN public.accounts_legaldocument terms
                ON terms.id = other.document_id AND terms.privacy_policy_id = policy.id
            WHERE other.organization_id = NEW.organization_id AND other.user_id = NEW.user_id)) THEN
        RAISE EXCEPTION 'terms and privacy policy are accepted together' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION accounts_notice_keeps() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    IF (NEW.id, NEW.organization_id, NEW.document_id, NEW.user_id, NEW.locale, NEW.email_encrypted, NEW.message_id,
        NEW.queued_at)
       IS DISTINCT FROM
       (OLD.id, OLD.organization_id, OLD.document_id, OLD.user_id, OLD.locale, OLD.email_encrypted, OLD.message_id,
        OLD.queued_at)
       OR OLD.sent_at IS NOT NULL AND NEW.sent_at IS DISTINCT FROM OLD.sent_at THEN
        RAISE EXCEPTION 'what a notice shows stays as it is' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER is_of BEFORE INSERT ON accounts_acceptance
    FOR EACH ROW EXECUTE FUNCTION accounts_acceptance_is_of();
CREATE CONSTRAINT TRIGGER is_whole AFTER INSERT ON accounts_acceptance
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION accounts_acceptance_is_whole();
CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON accounts_acceptance
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER only_append_truncate BEFORE TRUNCATE ON accounts_acceptance
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER keeps BEFORE UPDATE ON accounts_notice
    FOR EACH ROW EXECUTE FUNCTION accounts_notice_keeps();
CREATE TRIGGER stays BEFORE DELETE ON accounts_notice
    FOR EACH ROW EXECUTE FUNCTION accounts_refuse_change();
CREATE TRIGGER stays_truncate BEFORE TRUNCATE ON accounts_notice
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_refuse_change();
"""
FREE = """
DROP FUNCTION accounts_notice_keeps() CASCADE;
DROP FUNCTION accounts_acceptance_is_whole() CASCADE;
DROP FUNCTION accounts_acceptance_is_of() CASCADE;
DROP FUNCTION accounts_policy_is_part_of_terms() CASCADE;
DROP FUNCTION accounts_document_superseded() CASCADE;
DROP FUNCTION accounts_document_published() CASCADE;
DROP FUNCTION accounts_document_advances() CASCADE;
DROP FUNCTION accounts_document_drafted() CASCADE;
DROP FUNCTION accounts_refuse_change() CASCADE;
"""
FACTS = "approved_at, approved_by, published_at, published_by, effective_at, superseded_at"
OUTCOME = "due_at, leased_until, attempts, handed_over_at, sent_at, failed_at, failure, reply_encrypted"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_factors"),
    ]

    operations = [
        migrations.CreateModel(
            name="Notice",
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
                ("document_id", models.UUIDField()),
                ("user_id", models.UUIDField()),
                ("locale", models.CharField(max_length=2)),
                ("email", iva.crypto.fields.EncryptedTextField(subject="organization_id")),
                ("message_id", models.CharField(max_length=255)),
                ("queued_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("leased_until", models.DateTimeField(null=True)),
                ("attempts", models.IntegerField(default=0)),
                ("handed_over_at", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("failed_at", models.DateTimeField(null=True)),
                (
                    "failure",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("refused", "Refused"),
                            ("unreachable", "Unreachable"),
                            ("fate_unknown", "Fate Unknown"),
                            ("bounced", "Bounced"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("reply", iva.crypto.fields.EncryptedTextField(null=True, subject="organization_id")),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "document_id", "user_id"), name="notice_once_for_each"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalDocument",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("terms", "Terms"), ("privacy_policy", "Privacy Policy")], max_length=16
                    ),
                ),
                ("version", models.CharField(max_length=20)),
                (
                    "significance",
                    models.CharField(
                        choices=[("editorial", "Editorial"), ("significant", "Significant")], max_length=16
                    ),
                ),
                ("text_mn", models.TextField()),
                ("text_en", models.TextField()),
                ("sha256_mn", models.CharField(max_length=64)),
                ("sha256_en", models.CharField(max_length=64)),
                ("digest", models.CharField(max_length=64)),
                ("drafted_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("approved_at", models.DateTimeField(null=True)),
                ("approved_by", models.CharField(blank=True, default="", max_length=64)),
                ("published_at", models.DateTimeField(null=True)),
                ("published_by", models.CharField(blank=True, default="", max_length=64)),
                ("effective_at", models.DateTimeField(null=True)),
                ("superseded_at", models.DateTimeField(null=True)),
                (
                    "privacy_policy",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="part_of",
                        to="accounts.legaldocument",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "version"), name="legal_document_version"),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "version__regex",
                                "^(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})\\.(0|[1-9][0-9]{0,5})$",
                            )
                        ),
                        name="legal_document_version_is_semver",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "terms"), ("privacy_policy__isnull", False)),
                            models.Q(("kind", "privacy_policy"), ("privacy_policy__isnull", True)),
                            _connector="OR",
                        ),
                        name="legal_document_terms_name_a_policy",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Acceptance",
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
                ("user_id", models.UUIDField()),
                ("document_id", models.UUIDField()),
                ("digest", models.CharField(max_length=64)),
                ("locale", models.CharField(max_length=2)),
                (
                    "method",
                    models.CharField(
                        choices=[
                            ("registration", "Registration"),
                            ("explicit", "Explicit"),
                            ("continued_use", "Continued Use"),
                        ],
                        max_length=16,
                    ),
                ),
                ("accepted_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ip_address", iva.crypto.fields.EncryptedTextField(null=True, subject="organization_id")),
                ("browser", iva.crypto.fields.EncryptedTextField(null=True, subject="organization_id")),
                (
                    "notice",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="accounts.notice",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "default_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization_id", "user_id", "document_id"), name="acceptance_once_for_each"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("method", "continued_use"), ("notice__isnull", False)),
                            models.Q(
                                models.Q(("method", "continued_use"), _negated=True), ("notice__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="acceptance_by_use_follows_a_notice",
                    ),
                ],
            },
        ),
        PlatformTable("accounts_legaldocument", grants=f"SELECT, INSERT, DELETE, UPDATE ({FACTS})"),
        TenantTable("Notice", grants=f"SELECT, INSERT, UPDATE ({OUTCOME})"),
        TenantTable("Acceptance", grants="SELECT, INSERT"),
        migrations.RunSQL(DOCUMENTS_KEEP + ACCEPTANCES_HOLD, FREE),
    ]
