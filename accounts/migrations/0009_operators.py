"""Operators are people of the household; no legal document is one person's doing alone (P91)."""

from django.db import migrations, models

# Like the texts: who drafted a version is said once. The tie to approval and publication is a constraint.
DRAFTERS_STAY = """
CREATE TRIGGER a_drafter_stays BEFORE UPDATE ON accounts_legaldocument
    FOR EACH ROW WHEN (NEW.drafted_by IS DISTINCT FROM OLD.drafted_by)
    EXECUTE FUNCTION accounts_refuse_change();
"""
FREE = "DROP TRIGGER a_drafter_stays ON accounts_legaldocument;"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_oneself")]

    operations = [
        migrations.RemoveField("user", "email"),
        migrations.AddField("legaldocument", "drafted_by", models.CharField(default="system", max_length=64)),
        migrations.AddConstraint(
            "legaldocument",
            models.CheckConstraint(
                condition=models.Q(
                    ("approved_by__in", ("", "system")),
                    models.Q(("approved_by", models.F("drafted_by")), _negated=True),
                    _connector="OR",
                ),
                name="legal_document_approved_by_another",
            ),
        ),
        migrations.AddConstraint(
            "legaldocument",
            models.CheckConstraint(
                condition=models.Q(
                    ("published_by__in", ("", "system")),
                    ("significance", "editorial"),
                    models.Q(("published_by", models.F("approved_by")), _negated=True),
                    _connector="OR",
                ),
                name="legal_document_published_by_another",
            ),
        ),
        migrations.RunSQL(DRAFTERS_STAY, FREE),
    ]
