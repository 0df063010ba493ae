"""What IVA keeps about somebody, in words: tables, columns, purposes, how long, and who gets it (P83)."""

from typing import Any, NamedTuple

from django.conf import settings
from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts import composing, provider, trail_words
from accounts.my_data import Place, Section
from accounts.navigation import DAILY, ONESELF, SETTINGS
from iva.audit.events import Event
from iva.personal_data import Category, Purpose, Retention

MODELS: dict[str, Promise] = {
    "accounts.User": _("Login"),
    "accounts.Person": _("Who signs in"),
    "accounts.Membership": _("Memberships"),
    "accounts.Member": _("Profile"),
    "accounts.Invitation": _("Invitations"),
    "accounts.Authenticator": _("Authenticator apps"),
    "accounts.RecoveryCode": _("Recovery codes"),
    "accounts.Passkey": _("Passkeys"),
    "accounts.Letter": _("Letters to you"),
    "accounts.SignIn": _("Sign-ins"),
    "accounts.UsageRecord": _("Pages opened"),
    "accounts.AddressChange": _("Changes of the e-mail address"),
    "conversations.Instruction": _("Instructions to process"),
    "conversations.ChecklistDismissal": _("First steps put away"),
    "accounts.Notice": _("Letters about changed documents"),
    "accounts.Acknowledgement": _("Seen changes of documents"),
    "accounts.Acceptance": _("Accepted documents"),
    "iva_audit.AuditEvent": _("Activity"),
}
"""By the label of the model; a test finds what has no name."""

CATEGORIES: dict[Category, Promise] = {
    Category.IDENTITY: _("who you are and how to reach you"),
    Category.CORRESPONDENCE: _("what was written"),
    Category.METADATA: _("times and states"),
    Category.CREDENTIAL: _("what opens your login"),
    Category.KEY_MATERIAL: _("encryption keys"),
    Category.CONFIGURATION: _("settings"),
    Category.AUDIT: _("evidence of what happened"),
    Category.USAGE: _("how the platform is used"),
}
PURPOSES: dict[Purpose, Promise] = {
    Purpose.SERVICE_OPERATE: _("running the service"),
    Purpose.ACCOUNT_MANAGE: _("managing your account"),
    Purpose.ACCOUNT_AUTHENTICATE: _("signing you in"),
    Purpose.SUPPORT_TECHNICAL: _("technical support"),
    Purpose.BILLING_INVOICE: _("billing"),
    Purpose.LEGAL_REQUIREMENT: _("duties under the law and proof of them"),
    Purpose.SECURITY_PLATFORM: _("security of the platform"),
}
RETENTIONS: dict[Retention, Promise] = {
    Retention.WITH_END_USER: _("as long as the End User's data"),
    Retention.CONTRACT_PLUS_30_DAYS: _("until the organization's contract ends, and 30 days"),
    Retention.ORGANIZATION_SETTING: _("as the organization has set"),
    Retention.AUDIT_TRAIL: _("as long as the organization's audit trail"),
    Retention.UNTIL_DONE: _("until it is done, 30 days at most"),
    Retention.DAYS_180: _("180 days; IP addresses are shortened after 30"),
    Retention.ONE_YEAR: _("one year"),
}
SOURCES: dict[Category, Promise] = {
    Category.IDENTITY: _("from you, or from who invited you"),
    Category.CREDENTIAL: _("from you, or made by IVA for you"),
    Category.METADATA: _("comes into being when you join and work with IVA"),
    Category.AUDIT: _("written down by IVA when it happens"),
    Category.USAGE: _("written down by IVA when you open a page"),
}
COLUMNS: dict[str, Promise] = {
    "about": _("About"),
    "about_id": _("About the sign-in"),
    "accepted_at": _("Accepted"),
    "acknowledged_at": _("Seen"),
    "asked_at": _("Asked"),
    "attempts": _("Attempts"),
    "began_at": _("Began"),
    "begun_in": _("Begun in the sign-in"),
    "browser": _("Browser"),
    "confirmed_at": _("Confirmed"),
    "count": _("Count"),
    "created_at": _("Created"),
    "device": _("Device"),
    "digest": _("Digest"),
    "dismissed_at": _("Put away"),
    "document_id": _("Document"),
    "due_at": _("Due"),
    "email": _("E-mail address"),
    "ended_at": _("Ended"),
    "enrolled_at": _("Set up"),
    "event": _("What happened"),
    "expires_at": _("Good until"),
    "failed_at": _("Failed"),
    "failure": _("Failure"),
    "first_seen_at": _("First seen"),
    "followed_at": _("Carried everywhere"),
    "former_email": _("Former e-mail address"),
    "given_at": _("Given"),
    "given_by": _("Given by you, as"),
    "handed_over_at": _("Handed to the mail server"),
    "id": _("Id"),
    "invited_at": _("Invited"),
    "invited_by": _("Invited by you, as"),
    "ip_address": _("IP address or network"),
    "is_active": _("May sign in"),
    "is_on": _("Switched on"),
    "is_responsible": _("Responsible employee"),
    "is_staff": _("Operator of IVA"),
    "is_superuser": _("Operator with all rights"),
    "joined_at": _("Joined"),
    "kind": _("Kind"),
    "last_login": _("Last sign-in as an operator"),
    "last_seen_at": _("Last used"),
    "last_step": _("Last code used, as a number of half minutes"),
    "last_used_at": _("Last used"),
    "leased_until": _("Being sent until"),
    "link_sent_at": _("Link sent"),
    "locale": _("Language"),
    "made_at": _("Made"),
    "mailed_at": _("Mailed"),
    "membership_id": _("Your id"),
    "message_id": _("Id of the letter"),
    "method": _("How"),
    "name": _("Name"),
    "notice": _("Letter"),
    "occurred_at": _("When"),
    "organization": _("Organization"),
    "own": _("By yourself"),
    "password_at": _("Password given"),
    "person_id": _("Your id"),
    "phone": _("Phone"),
    "position": _("Position"),
    "processing": _("Processing"),
    "proved_at": _("Second factor given"),
    "queued_at": _("Queued"),
    "refused_at": _("Refused by the mail server"),
    "reply": _("Reply of the mail server"),
    "revoked_at": _("Revoked"),
    "role": _("Role"),
    "route": _("Page"),
    "sent_at": _("Sent"),
    "shortened_at": _("IP address shortened"),
    "sign_count": _("Counter of the device"),
    "subject_id": _("Your id"),
    "theme": _("Appearance"),
    "told_at": _("Former address told"),
    "transports": _("Ways to connect"),
    "used_at": _("Used"),
    "user": _("Your id"),
    "user_id": _("Your id"),
    "verified_at": _("E-mail address verified"),
    "warned_at": _("Former address warned"),
    "withdrawn_at": _("Withdrawn"),
    "written_at": _("Written"),
}
"""What is shown of a table; a test finds columns without a name."""


CODES: dict[str, dict[str, str | Promise]] = {
    "locale": dict(settings.LANGUAGES),
    "kind": {kind.value: subject for kind, subject in composing.SUBJECTS.items()},
    "theme": {"auto": _("As my system"), "light": _("Light"), "dark": _("Dark")},
    "route": {place.route: place.label for place in (*DAILY, *SETTINGS, *ONESELF)},
}
"""What is said for the codes of a column; a page without a place goes by the name of its route."""


class Told(NamedTuple):
    """A section for people. `rows` are lists of (column, value); moments are datetimes."""

    model: str
    title: str
    place: str
    controller: str
    category: str
    purposes: list[str]
    retention: str
    source: str
    recipients: list[str]
    withheld: bool
    total: int
    rows: list[list[tuple[str, Any]]]

    @property
    def left_out(self) -> int:
        return self.total - len(self.rows)


def section(kept: Section, *, most: int) -> Told:
    """A section in the active language, with at most so many of its newest rows."""
    declaration = kept.declaration
    purposes = [declaration.purpose, *declaration.further_purposes]
    return Told(
        kept.model,
        title(kept.model),
        place(kept.place),
        controller(kept.place),
        str(CATEGORIES[declaration.category]),
        [str(PURPOSES[purpose]) for purpose in purposes],
        str(RETENTIONS[declaration.retention]),
        str(SOURCES.get(declaration.category, SOURCES[Category.METADATA])),
        recipients(kept.place),
        bool(kept.withheld),
        len(kept.rows),
        [_row(row) for row in kept.rows[:most]],
    )


def title(model: str) -> str:
    """What a table is called; one that was forgotten goes by its last name."""
    return str(MODELS.get(model, model.rpartition(".")[2]))


def place(where: Place) -> str:
    return where.organization.name if where.organization else gettext("Your login at IVA")


def controller(where: Place) -> str:
    """Who decides about the data (P11): the organization; of logins the operator of the platform."""
    return where.organization.name if where.organization else provider.provider(get_language() or "mn").name


def recipients(where: Place) -> list[str]:
    """Who else gets it. Nothing is sold, and nothing goes to anybody but these (P60)."""
    ours = provider.provider(get_language() or "mn").name
    if where.organization is None:
        return [gettext("the mail server, for letters to you")]
    return [
        gettext("owners and admins of the organization"),
        gettext("%(provider)s, which runs the platform for it") % {"provider": ours},
        gettext("the mail server, for letters to you"),
    ]


def event(code: str) -> str:
    """What happened, in words."""
    known = trail_words.EVENT_NAMES.get(Event(code)) if code in set(Event) else None
    return str(known or gettext("Something else"))


def _row(row: dict[str, Any]) -> list[tuple[str, Any]]:
    shown = [(name, said) for name, said in row.items() if said not in (None, "", [])]
    return [(_column(name), _said(name, said)) for name, said in shown]


def _column(name: str) -> str:
    return str(COLUMNS.get(name) or trail_words.DETAIL_NAMES.get(name) or name)


def _said(name: str, said: Any) -> Any:
    if isinstance(said, bool):
        return gettext("yes") if said else gettext("no")
    if name == "event":
        return event(said)
    if name in CODES:
        return str(CODES[name].get(said) or trail_words.value(name, said))
    moment = parse_datetime(said) if name.endswith("_at") and isinstance(said, str) else None
    return moment or (trail_words.value(name, said) if name in trail_words.DETAIL_NAMES else said)
