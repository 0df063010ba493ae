"""Conversations and their messages."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from channels_cfg.models import Channel
from iva import tenancy
from iva.crypto.fields import ORGANIZATION, EncryptedTextField
from iva.personal_data import Category, Erasure, PersonalData, Protection, Purpose, Retention, Subject
from privacy.models import EndUser


class Author(models.TextChoices):
    """Who wrote a message."""

    END_USER = "end_user", "End User"
    AGENT = "agent", "Agent"
    MEMBER = "member", "Member"


class Resolution(models.TextChoices):
    """How a conversation ended."""

    ANSWERED = "answered", "Answered"
    UNANSWERED = "unanswered", "Not answered"
    ABANDONED = "abandoned", "Abandoned"


class State(models.TextChoices):
    """What a conversation is waiting for, derived from its dates."""

    OPEN = "open", "Open"
    HANDED_OVER = "handed_over", "Handed over"
    RESOLVED = "resolved", "Resolved"


class Conversation(tenancy.TenantModel):
    """An exchange with one End User over one channel: times, states and ids, no content (P26).

    `sentiment` is a guess about its last message (P27). `counted_as` and `to_count` belong to
    `conversations.counting`; a trigger sets `to_count` whenever something changes that is counted.

    `last_message_at` may lag a burst of incoming messages by a second, so that the index on it is not
    rewritten for each of them.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.METADATA,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.ORGANIZATION_SETTING,
        erasure=Erasure.DELETE,
        subject_field="end_user_id",
        fields={"sentiment": Protection.PLAIN},
    )

    end_user = models.ForeignKey(EndUser, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)
    opened_at = models.DateTimeField(default=timezone.now)
    last_message_at = models.DateTimeField(default=timezone.now)
    first_response_at = models.DateTimeField(null=True)
    first_response_by = models.CharField(
        max_length=16, choices=Author.choices, default="", db_default="", blank=True
    )
    handed_over_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    resolution = models.CharField(max_length=16, choices=Resolution.choices, default="", blank=True)
    assignee_id = models.UUIDField(null=True, help_text="the membership of who takes care of it")
    waited_for_people = models.DurationField(
        null=True, help_text="from the handover, or the beginning, to the first message of a person"
    )
    sentiment = models.CharField(
        max_length=8, default="", db_default="", blank=True, help_text="how the End User sounded last"
    )
    counted_as = models.CharField(max_length=200, default="", db_default="", blank=True, editable=False)
    to_count = models.BooleanField(default=True, db_default=True, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "id", "end_user"], name="conversation_of_end_user"
            ),
            models.UniqueConstraint(
                fields=["organization_id", "channel", "end_user"],
                condition=Q(closed_at__isnull=True),
                name="conversation_one_open",
            ),
        ]
        indexes = [
            models.Index(fields=["organization_id", "-last_message_at", "-id"], name="conversation_inbox"),
            models.Index(
                fields=["organization_id", "-last_message_at", "-id"],
                condition=Q(closed_at__isnull=True, handed_over_at__isnull=True),
                name="conversation_with_agent",
            ),
            models.Index(
                fields=["organization_id", "-last_message_at", "-id"],
                condition=Q(closed_at__isnull=True, handed_over_at__isnull=False),
                name="conversation_with_people",
            ),
            models.Index(
                fields=["organization_id", "assignee_id", "-last_message_at", "-id"],
                condition=Q(assignee_id__isnull=False),
                name="conversation_assignee",
            ),
            models.Index(
                fields=["organization_id", "channel", "-last_message_at", "-id"], name="conversation_channel"
            ),
            models.Index(
                fields=["organization_id", "sentiment", "-last_message_at", "-id"],
                condition=~Q(sentiment=""),
                name="conversation_sentiment",
            ),
            models.Index(fields=["organization_id", "end_user"], name="conversation_end_user"),
            models.Index(
                fields=["organization_id", "id"], condition=Q(to_count=True), name="conversation_to_count"
            ),
            models.Index(
                fields=["organization_id", "handed_over_at"],
                condition=Q(closed_at__isnull=True, handed_over_at__isnull=False),
                name="conversation_waiting",
            ),
        ]

    @property
    def state(self) -> State:
        if self.closed_at is not None:
            return State.RESOLVED
        return State.OPEN if self.handed_over_at is None else State.HANDED_OVER

    @property
    def duration_seconds(self) -> int:
        """From the first message to the last; idle time before closing does not count."""
        return max(int((self.last_message_at - self.opened_at).total_seconds()), 0)


class Message(tenancy.TenantModel):
    """One message, encrypted under its End User's key whoever wrote it.

    The primary key in the database is (organization, conversation, id), the table is partitioned by
    organization. Its End User is its conversation's: the foreign key carries both. `external_bidx`
    recognizes a repeated delivery: a blind index of the channel's own id, because integrators put whatever
    they like into it. A message is answered at most once (`in_reply_to`).
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.CORRESPONDENCE,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.ORGANIZATION_SETTING,
        erasure=Erasure.DELETE,
        reached_through="conversation",
        sensitive=True,
        fields={
            "body": Protection.ENCRYPTED,
            "external_bidx": Protection.BLIND_INDEX,
            "sentiment": Protection.PLAIN,
        },
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    end_user_id = models.UUIDField(editable=False)
    channel_id = models.UUIDField(editable=False)
    author = models.CharField(max_length=16, choices=Author.choices)
    body = EncryptedTextField(subject="end_user_id")
    external_bidx = models.BinaryField(max_length=16, null=True, editable=False)
    sent_at = models.DateTimeField(null=True, help_text="when the channel says it was written")
    kept_at = models.DateTimeField(default=timezone.now, help_text="when we made it durable")
    in_reply_to = models.UUIDField(null=True, editable=False)
    outcome = models.CharField(max_length=16, default="", help_text="what kind of reply the agent gave")
    knowledge_entry_ids = models.JSONField(default=list, help_text="the entries an answer was taken from")
    member_id = models.UUIDField(null=True, editable=False, help_text="the membership of who wrote it")
    taken_at = models.DateTimeField(null=True, editable=False, help_text="when its channel took it")
    delivered_at = models.DateTimeField(null=True, editable=False, help_text="when it reached the End User")
    failed_at = models.DateTimeField(null=True, editable=False, help_text="when its channel gave up")
    failure = models.CharField(max_length=32, default="", db_default="", editable=False, help_text="a code")
    sentiment = models.CharField(
        max_length=8, default="", db_default="", blank=True, help_text="how it sounds, to a machine (P27)"
    )
    sentiment_score = models.SmallIntegerField(null=True, help_text="how sure the machine is, in percent")
    sentiment_model = models.CharField(
        max_length=16, default="", db_default="", blank=True, help_text="which model said it"
    )

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "channel_id", "external_bidx"],
                condition=Q(external_bidx__isnull=False),
                name="message_external_id",
            ),
            models.UniqueConstraint(
                fields=["organization_id", "in_reply_to"],
                condition=Q(in_reply_to__isnull=False),
                name="message_answered_once",
            ),
        ]


class Colour(models.TextChoices):
    """What a label can look like; each has a shade for light and dark in inbox.css."""

    GREY = "grey", _("Grey")
    BLUE = "blue", _("Blue")
    GREEN = "green", _("Green")
    YELLOW = "yellow", _("Yellow")
    RED = "red", _("Red")
    PURPLE = "purple", _("Purple")


class Label(tenancy.TenantModel):
    """An organization's own word for a kind of conversation; sealed, because people put names into it.

    `name_bidx` keeps two labels from having the same name.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.NONE,
        category=Category.CONFIGURATION,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        fields={"name": Protection.ENCRYPTED, "name_bidx": Protection.BLIND_INDEX},
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    name = EncryptedTextField(subject=ORGANIZATION)
    name_bidx = models.BinaryField(max_length=16, editable=False)
    colour = models.CharField(max_length=8, choices=Colour.choices, default=Colour.GREY)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [models.UniqueConstraint(fields=["organization_id", "name_bidx"], name="label_name")]


class Labelling(tenancy.TenantModel):
    """A label on a conversation. It says something about the End User, so it goes with them."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.METADATA,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.ORGANIZATION_SETTING,
        erasure=Erasure.DELETE,
        reached_through="conversation",
    )

    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    label = models.ForeignKey(Label, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "conversation", "label"], name="labelling_once"
            )
        ]
        indexes = [models.Index(fields=["organization_id", "label", "conversation"], name="labelling_label")]


class Note(tenancy.TenantModel):
    """What members tell each other about a conversation. It is never sent, and erased with the End User."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.CORRESPONDENCE,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.ORGANIZATION_SETTING,
        erasure=Erasure.DELETE,
        reached_through="conversation",
        sensitive=True,
        fields={"body": Protection.ENCRYPTED},
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    end_user_id = models.UUIDField(editable=False)
    member_id = models.UUIDField(editable=False, help_text="the membership of who wrote it")
    body = EncryptedTextField(subject="end_user_id")
    kept_at = models.DateTimeField(default=timezone.now, editable=False)


class Draft(tenancy.TenantModel):
    """What a member has typed and not sent: one for each member and conversation, gone when it is sent."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.END_USER,
        category=Category.CORRESPONDENCE,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.UNTIL_DONE,
        erasure=Erasure.DELETE,
        reached_through="conversation",
        sensitive=True,
        fields={"body": Protection.ENCRYPTED},
        further_purposes=(Purpose.LEGAL_REQUIREMENT,),
    )

    conversation = models.ForeignKey(
        Conversation, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )
    end_user_id = models.UUIDField(editable=False)
    member_id = models.UUIDField(editable=False)
    body = EncryptedTextField(subject="end_user_id")
    is_note = models.BooleanField(default=False)
    kept_at = models.DateTimeField(default=timezone.now)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "conversation", "member_id"], name="draft_of_member"
            )
        ]


class ConversationDay(tenancy.TenantModel):
    """What can be said of the conversations that one channel began on a day: numbers by mark.

    `day` is the organization's own. Kept by `conversations.counting`, which says what the marks mean; an
    erased conversation stays in the sums, of which nobody can be told apart by an id (P26).
    """

    personal_data: ClassVar = None

    day = models.DateField()
    channel_id = models.UUIDField(editable=False)
    numbers = models.JSONField(default=dict)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "day", "channel_id"], name="conversation_day_once"
            )
        ]


class Processing(models.TextChoices):
    """What an organization has to instruct before it is done (P10)."""

    SENTIMENT = "sentiment", "Sentiment"


class Instruction(tenancy.TenantModel):
    """An organization's instruction to process, or to stop: rows are added, never changed (P10).

    The newest of a kind of processing counts; without one nothing is processed.
    """

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.AUDIT,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.AUDIT_TRAIL,
        subject_field="given_by",
    )

    processing = models.CharField(max_length=16, choices=Processing.choices)
    is_on = models.BooleanField()
    given_by = models.UUIDField(null=True, editable=False, help_text="the membership of who gave it")
    given_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        indexes = [models.Index(fields=["organization_id", "processing", "-id"], name="instruction_newest")]


class ChecklistDismissal(tenancy.TenantModel):
    """A member does not want to see the first steps any more."""

    personal_data: ClassVar = PersonalData(
        subject=Subject.MEMBER,
        category=Category.USAGE,
        purpose=Purpose.SERVICE_OPERATE,
        retention=Retention.CONTRACT_PLUS_30_DAYS,
        subject_field="membership_id",
    )

    membership_id = models.UUIDField(editable=False)
    dismissed_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(tenancy.TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(
                fields=["organization_id", "membership_id"], name="checklist_dismissed_once"
            )
        ]
