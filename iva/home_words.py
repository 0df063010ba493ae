"""What the first page says of roles, of places to go, and of first steps."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import navigation
from accounts.people import Acting
from accounts.roles import Permission
from conversations.first_steps import Progress, Step


class Link(NamedTuple):
    """Somewhere to go from the first page: the route, what is said of it, what opens it (None: nothing)."""

    route: str
    icon: str
    label: str | Promise
    about: str | Promise
    permission: Permission | None = None


LINKS = [
    Link("inbox", "inbox", _("Inbox"), _("Answer those who wait."), Permission.CONVERSATIONS_READ),
    Link("knowledge", "book-open", _("Knowledge"), _("What the agent knows."), Permission.KNOWLEDGE_READ),
    Link("settings-members", "users", _("Members"), _("Who belongs here."), Permission.MEMBERS_READ),
    Link(
        "audit-trail",
        "clipboard-document-list",
        _("Audit trail"),
        _("Who did what, and when."),
        Permission.AUDIT_READ,
    ),
    Link("settings-organization", "building-office", _("Organization"), _("Name, time zone, documents.")),
    Link("profile", "user-circle", _("Profile"), _("Your name, language and password.")),
    Link("my-activity", "clock", _("My activity"), _("What you did here lately.")),
    Link("my-security", "lock-closed", _("Sign-in and security"), _("Your second factor and passkeys.")),
]


class Advice(NamedTuple):
    """A first step in words; of `routes`, pages where it is done, the first that exists counts."""

    label: str | Promise
    about: str | Promise
    routes: tuple[str, ...]


ADVICE = {
    Step.DOCUMENTS: Advice(
        _("Read the documents"),
        _("What happens to data, and what you agree to."),
        ("settings-agreements", "agreements"),
    ),
    Step.SECOND_FACTOR: Advice(
        _("Set up your second factor"),
        _("A code from your phone protects everybody's conversations."),
        ("my-security", "enroll"),
    ),
    Step.CHANNEL: Advice(
        _("Connect a channel"),
        _("Where people write to you: for now by API, from your own systems."),
        ("settings-channels", "api-docs"),
    ),
    Step.KNOWLEDGE: Advice(
        _("Write down what the agent should know"),
        _("Questions and answers in your own words, for now by API."),
        ("knowledge", "api-docs"),
    ),
    Step.COLLEAGUE: Advice(
        _("Invite a colleague"), _("For conversations that need a person."), ("invite-member",)
    ),
    Step.SENTIMENT: Advice(
        _("Decide about sentiment"),
        _("Whether a machine may guess how people sound."),
        ("settings-sentiment",),
    ),
    Step.MESSAGE: Advice(
        _("Send a first message"), _("Write to yourself by API and see what comes back."), ("api-docs",)
    ),
}


class ShownStep(NamedTuple):
    """A first step as the page shows it."""

    advice: Advice
    is_done: bool
    address: str | None


def shown_steps(progress: Progress) -> list[ShownStep]:
    """The steps in words, each with the page where it is done."""
    return [
        ShownStep(ADVICE[step], is_done, navigation.address_of(*ADVICE[step].routes))
        for step, is_done in progress.steps.items()
    ]


def places(acting: Acting) -> list[tuple[Link, str]]:
    """Where a role can go from here, with addresses."""
    return [
        (link, address)
        for link in LINKS
        if (link.permission is None or acting.may(link.permission))
        and (address := navigation.address_of(link.route))
    ]
