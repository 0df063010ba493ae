"""Whoever leaves the organization has nothing left to take care of: their open conversations are nobody's."""

from django.db import migrations

GIVEN_BACK = """
CREATE FUNCTION conversations_give_back() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    UPDATE public.conversations_conversation SET assignee_id = NULL
    WHERE organization_id = NEW.organization_id AND assignee_id = NEW.id AND closed_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER give_back AFTER UPDATE OF ended_at ON accounts_membership
    FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL)
    EXECUTE FUNCTION conversations_give_back();
"""
KEPT = "DROP FUNCTION conversations_give_back() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("conversations", "0003_home"), ("accounts", "0002_people")]

    operations = [migrations.RunSQL(GIVEN_BACK, KEPT)]
