"""What people need beside the messages: who takes care, labels, notes, drafts, and what became of a reply."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import iva.crypto.fields
import iva.tenancy.ids
import iva.tenancy.models
from iva.tenancy.rls import TenantTable

ROW = [
    (
        "id",
        models.UUIDField(default=iva.tenancy.ids.new_id, editable=False, primary_key=True, serialize=False),
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
NEWEST_FIRST = ["-last_message_at", "-id"]


def belongs_to(model: str) -> models.Field:
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to=model
    )


class Migration(migrations.Migration):
    dependencies = [("conversations", "0001_initial")]

    operations = [
        migrations.AddField(
            "conversation",
            "assignee_id",
            models.UUIDField(null=True, help_text="the membership of who takes care of it"),
        ),
        migrations.AddField(
            "conversation",
            "sentiment",
            models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="how the End User sounded last",
                max_length=8,
            ),
        ),
        migrations.AddField(
            "message",
            "member_id",
            models.UUIDField(null=True, editable=False, help_text="the membership of who wrote it"),
        ),
        migrations.AddField(
            "message",
            "taken_at",
            models.DateTimeField(null=True, editable=False, help_text="when its channel took it"),
        ),
        migrations.AddField(
            "message",
            "delivered_at",
            models.DateTimeField(null=True, editable=False, help_text="when it reached the End User"),
        ),
        migrations.AddField(
            "message",
            "failed_at",
            models.DateTimeField(null=True, editable=False, help_text="when its channel gave up"),
        ),
        migrations.AddField(
            "message",
            "failure",
            models.CharField(db_default="", default="", editable=False, help_text="a code", max_length=32),
        ),
        migrations.RemoveIndex("conversation", "conversation_inbox_open"),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["organization_id", *NEWEST_FIRST],
                condition=models.Q(closed_at__isnull=True, handed_over_at__isnull=True),
                name="conversation_with_agent",
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["organization_id", *NEWEST_FIRST],
                condition=models.Q(closed_at__isnull=True, handed_over_at__isnull=False),
                name="conversation_with_people",
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["organization_id", "assignee_id", *NEWEST_FIRST],
                condition=models.Q(assignee_id__isnull=False),
                name="conversation_assignee",
            ),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(fields=["organization_id", "channel", *NEWEST_FIRST], name="conversation_channel"),
        ),
        migrations.AddIndex(
            "conversation",
            models.Index(
                fields=["organization_id", "sentiment", *NEWEST_FIRST],
                condition=~models.Q(sentiment=""),
                name="conversation_sentiment",
            ),
        ),
        migrations.CreateModel(
            name="Label",
            fields=[
                *ROW,
                ("name", iva.crypto.fields.EncryptedTextField(subject="organization_id")),
                ("name_bidx", models.BinaryField(max_length=16)),
                (
                    "colour",
                    models.CharField(
                        choices=[
                            ("grey", "Grey"),
                            ("blue", "Blue"),
                            ("green", "Green"),
                            ("yellow", "Yellow"),
                            ("red", "Red"),
                            ("purple", "Purple"),
                        ],
                        default="grey",
                        max_length=8,
                    ),
                ),
            ],
            options=TENANT,
        ),
        TenantTable("Label"),
        migrations.AddConstraint(
            "label", models.UniqueConstraint(fields=["organization_id", "name_bidx"], name="label_name")
        ),
        migrations.CreateModel(
            name="Labelling",
            fields=[
                *ROW,
                ("conversation", belongs_to("conversations.conversation")),
                ("label", belongs_to("conversations.label")),
            ],
            options=TENANT,
        ),
        TenantTable("Labelling"),
        migrations.AddConstraint(
            "labelling",
            models.UniqueConstraint(
                fields=["organization_id", "conversation", "label"], name="labelling_once"
            ),
        ),
        migrations.AddIndex(
            "labelling",
            models.Index(fields=["organization_id", "label", "conversation"], name="labelling_label"),
        ),
        migrations.CreateModel(
            name="Note",
            fields=[
                *ROW,
                ("conversation", belongs_to("conversations.conversation")),
                ("end_user_id", models.UUIDField(editable=False)),
                ("member_id", models.UUIDField(editable=False, help_text="the membership of who wrote it")),
                ("body", iva.crypto.fields.EncryptedTextField(subject="end_user_id")),
                ("kept_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options=TENANT,
        ),
        TenantTable(
            "Note",
            primary_key=("organization_id", "conversation_id", "id"),
            carries={"conversation": "end_user_id"},
        ),
        migrations.CreateModel(
            name="Draft",
            fields=[
                *ROW,
                ("conversation", belongs_to("conversations.conversation")),
                ("end_user_id", models.UUIDField(editable=False)),
                ("member_id", models.UUIDField(editable=False)),
                ("body", iva.crypto.fields.EncryptedTextField(subject="end_user_id")),
                ("is_note", models.BooleanField(default=False)),
                ("kept_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options=TENANT,
        ),
        TenantTable("Draft", carries={"conversation": "end_user_id"}),
        migrations.AddConstraint(
            "draft",
            models.UniqueConstraint(
                fields=["organization_id", "conversation", "member_id"], name="draft_of_member"
            ),
        ),
    ]
