"""Sentiments, the figures of a day, instructions, and who has put the first steps away."""

import django.utils.timezone
from django.db import migrations, models

import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable

# Whatever is counted about a conversation and changes is counted anew; messages alone change nothing of it.
COUNTED_ANEW = """
CREATE FUNCTION conversations_count_anew() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    NEW.to_count := true;
    RETURN NEW;
END $$;
CREATE TRIGGER count_anew
    BEFORE UPDATE ON conversations_conversation
    FOR EACH ROW WHEN (
        (OLD.opened_at, OLD.first_response_at, OLD.handed_over_at, OLD.closed_at, OLD.resolution,
         OLD.waited_for_people, OLD.sentiment)
        IS DISTINCT FROM
        (NEW.opened_at, NEW.first_response_at, NEW.handed_over_at, NEW.closed_at, NEW.resolution,
         NEW.waited_for_people, NEW.sentiment)
        OR (NEW.closed_at IS NOT NULL AND NEW.last_message_at <> OLD.last_message_at))
    EXECUTE FUNCTION conversations_count_anew();
CREATE FUNCTION conversations_only_append() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
    RAISE EXCEPTION 'instructions are append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON conversations_instruction
    FOR EACH ROW EXECUTE FUNCTION conversations_only_append();
"""
NOT_COUNTED = """
DROP FUNCTION conversations_only_append() CASCADE;
DROP FUNCTION conversations_count_anew() CASCADE;
"""


def own_row() -> list[tuple[str, models.Field]]:
    return [
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
    ]


TENANT = {"abstract": False, "base_manager_name": "objects", "default_manager_name": "objects"}


class Migration(migrations.Migration):
    dependencies = [("conversations", "0002_inbox")]

    operations = [
        migrations.AddField(
            "conversation",
            "first_response_by",
            models.CharField(
                blank=True,
                choices=[("end_user", "End User"), ("agent", "Agent"), ("member", "Member")],
                db_default="",
                default="",
                max_length=16,
            ),
        ),
        migrations.AddField(
            "conversation",
            "waited_for_people",
            models.DurationField(
                help_text="from the handover, or the beginning, to the first message of a person", null=True
            ),
        ),
        migrations.AddField(
            "conversation",
            "counted_as",
            models.CharField(blank=True, db_default="", default="", editable=False, max_length=200),
        ),
        migrations.AddField(
            "conversation",
            "to_count",
            models.BooleanField(db_default=True, default=True, editable=False),
        ),
        migrations.AddField(
            "message",
            "sentiment",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="how it sounds, to a machine (P27)",
                max_length=8,
            ),
        ),
        migrations.AddField(
            "message",
            "sentiment_score",
            models.SmallIntegerField(help_text="how sure the machine is, in percent", null=True),
        ),
        migrations.AddField(
            "message",
            "sentiment_model",
            models.CharField(
                blank=True, db_default="", default="", help_text="which model said it", max_length=16
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["organization_id", "id"],
                condition=models.Q(to_count=True),
                name="conversation_to_count",
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["organization_id", "handed_over_at"],
                condition=models.Q(closed_at__isnull=True, handed_over_at__isnull=False),
                name="conversation_waiting",
            ),
        ),
        migrations.CreateModel(
            name="ConversationDay",
            fields=[
                *own_row(),
                ("day", models.DateField()),
                ("channel_id", models.UUIDField(editable=False)),
                ("numbers", models.JSONField(default=dict)),
            ],
            options=TENANT,
        ),
        TenantTable("ConversationDay", grants="SELECT, INSERT, UPDATE"),
        migrations.AddConstraint(
            "conversationday",
            models.UniqueConstraint(
                fields=["organization_id", "day", "channel_id"], name="conversation_day_once"
            ),
        ),
        migrations.CreateModel(
            name="Instruction",
            fields=[
                *own_row(),
                ("processing", models.CharField(choices=[("sentiment", "Sentiment")], max_length=16)),
                ("is_on", models.BooleanField()),
                (
                    "given_by",
                    models.UUIDField(editable=False, help_text="the membership of who gave it", null=True),
                ),
                ("given_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options=TENANT,
        ),
        TenantTable("Instruction", grants="SELECT, INSERT"),
        migrations.AddIndex(
            "instruction",
            models.Index(fields=["organization_id", "processing", "-id"], name="instruction_newest"),
        ),
        migrations.CreateModel(
            name="ChecklistDismissal",
            fields=[
                *own_row(),
                ("membership_id", models.UUIDField(editable=False)),
                ("dismissed_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options=TENANT,
        ),
        TenantTable("ChecklistDismissal"),
        migrations.AddConstraint(
            "checklistdismissal",
            models.UniqueConstraint(
                fields=["organization_id", "membership_id"], name="checklist_dismissed_once"
            ),
        ),
        migrations.RunSQL(COUNTED_ANEW, NOT_COUNTED),
    ]
