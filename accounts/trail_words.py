"""The audit trail in words: what happened, to what, and which events belong together."""

from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.role_words import ROLE_NAMES
from accounts.roles import Role
from accounts.scope_words import SCOPES
from accounts.scopes import Scope
from iva.audit.actors import ActorKind
from iva.audit.events import Event

EVENT_NAMES: dict[Event, Promise] = {
    Event.ORGANIZATION_FOUNDED: _("Organization founded"),
    Event.ORGANIZATION_SUSPENDED: _("Organization suspended"),
    Event.ORGANIZATION_REINSTATED: _("Organization reinstated"),
    Event.ORGANIZATION_PICKED: _("An operator began to look at the organization"),
    Event.ORGANIZATION_LEFT: _("An operator stopped looking"),
    Event.OPERATOR_APPOINTED: _("Operator appointed"),
    Event.OPERATOR_DISMISSED: _("Operator dismissed"),
    Event.OPERATOR_LOOKED: _("An operator opened a page"),
    Event.OPERATOR_SEARCHED: _("An operator searched"),
    Event.ORGANIZATION_CHANGED: _("Name or time zone changed"),
    Event.SECURITY_CHANGED: _("Security settings changed"),
    Event.ADDRESS_REFUSED: _("Refused: not from an allowed network"),
    Event.API_KEY_ISSUED: _("API key created"),
    Event.API_KEY_ROTATED: _("API key rotated"),
    Event.API_KEY_REVOKED: _("API key revoked"),
    Event.PERSON_MET: _("Login created"),
    Event.PERSON_VERIFIED: _("E-mail address verified"),
    Event.SIGN_UP_LAPSED: _("Sign-up lapsed, because nobody confirmed it"),
    Event.FACTOR_ENROLLED: _("Second factor set up"),
    Event.FACTOR_REMOVED: _("Second factor removed"),
    Event.FACTORS_RESET: _("Every second factor taken away by an operator"),
    Event.RECOVERY_CODES_MADE: _("Recovery codes made"),
    Event.RECOVERY_CODE_USED: _("Recovery code used"),
    Event.SIGNED_IN: _("Signed in"),
    Event.PROVED: _("Second factor given again"),
    Event.SIGN_IN_REFUSED: _("Sign-in refused"),
    Event.SIGN_IN_ENDED: _("Sign-in ended"),
    Event.PASSWORD_CHANGED: _("Password changed"),
    Event.MEMBER_INVITED: _("Member invited"),
    Event.MEMBER_JOINED: _("Member joined"),
    Event.MEMBER_ROLE_CHANGED: _("Role changed"),
    Event.MEMBER_MADE_RESPONSIBLE: _("Made responsible employee"),
    Event.MEMBER_RELIEVED: _("No longer responsible employee"),
    Event.MEMBER_REVOKED: _("Membership revoked"),
    Event.MEMBER_LEFT: _("Member left"),
    Event.INVITATION_ACCEPTED: _("Invitation accepted"),
    Event.INVITATION_RENEWED: _("Invitation renewed"),
    Event.INVITATION_MAILED: _("Invitation mailed"),
    Event.INVITATION_REVOKED: _("Invitation taken back"),
    Event.CHANNEL_CONNECTED: _("Channel connected"),
    Event.CHANNEL_DISABLED: _("Channel disabled"),
    Event.END_USER_FIRST_SEEN: _("First contact of an End User"),
    Event.END_USER_SEARCHED: _("End User searched for"),
    Event.END_USER_READ: _("End User read"),
    Event.END_USER_ERASED: _("End User erased"),
    Event.END_USER_ERASURE_REFUSED: _("Erasure refused"),
    Event.END_USER_DISPOSED: _("Rows of an erased End User removed"),
    Event.CONVERSATION_READ: _("Conversation read"),
    Event.CONVERSATION_HANDED_OVER: _("Conversation taken over"),
    Event.CONVERSATION_HANDED_BACK: _("Conversation handed back to the agent"),
    Event.CONVERSATION_RESOLVED: _("Conversation resolved"),
    Event.MESSAGES_RECEIVED: _("Message received"),
    Event.MESSAGE_ANSWERED: _("Message answered"),
    Event.KNOWLEDGE_PUBLISHED: _("Knowledge entry published"),
    Event.KNOWLEDGE_REVISED: _("Knowledge entry revised"),
    Event.KNOWLEDGE_RETIRED: _("Knowledge entry retired"),
    Event.LEGAL_HOLD_PLACED: _("Legal hold placed"),
    Event.LEGAL_HOLD_RELEASED: _("Legal hold released"),
    Event.KEY_SHREDDED: _("Key destroyed"),
    Event.ORGANIZATION_KEY_ROTATED: _("Organization key renewed"),
    Event.KEYS_LAID_OVER: _("Keys restored after a restore"),
    Event.EPOCH_ROLLED: _("Key epoch renewed"),
    Event.ERASURE_REPLAYED: _("Erasure repeated after a restore"),
    Event.DOCUMENT_DRAFTED: _("Legal document drafted"),
    Event.DOCUMENT_DISCARDED: _("Draft discarded"),
    Event.DOCUMENT_APPROVED: _("Legal document approved"),
    Event.DOCUMENT_PUBLISHED: _("Legal document published"),
    Event.DOCUMENT_TOOK_EFFECT: _("Legal document took effect"),
    Event.DOCUMENT_ACCEPTED: _("Legal document accepted"),
    Event.DOCUMENT_ANNOUNCED: _("Change announced by e-mail"),
    Event.DOCUMENT_ACKNOWLEDGED: _("Coming change acknowledged"),
    Event.AUDIT_EXPORTED: _("Audit trail exported"),
    Event.HANDLE_REVEALED: _("Masked handle revealed"),
    Event.INBOX_READ: _("Inbox read"),
    Event.CONVERSATION_REOPENED: _("Conversation reopened"),
    Event.CONVERSATION_ASSIGNED: _("Conversation assigned"),
    Event.CONVERSATION_LABELLED: _("Conversation labelled"),
    Event.NOTE_WRITTEN: _("Internal note written"),
    Event.LABEL_MADE: _("Label made"),
    Event.LABEL_CHANGED: _("Label changed"),
    Event.LABEL_REMOVED: _("Label removed"),
    Event.INSTRUCTION_GIVEN: _("Instruction to process given"),
    Event.PASSKEY_REFUSED: _("Passkey refused"),
    Event.LETTER_SENT: _("Letter sent"),
    Event.LETTER_FAILED: _("Letter not delivered"),
    Event.PERSON_CORRECTED: _("Language or appearance changed"),
    Event.ADDRESS_CHANGE_ASKED: _("Another e-mail address asked for"),
    Event.ADDRESS_CHANGE_WITHDRAWN: _("Change of the e-mail address withdrawn"),
    Event.ADDRESS_CHANGED: _("E-mail address changed"),
    Event.MEMBER_CORRECTED: _("Profile corrected"),
    Event.MEMBER_DATA_EXPORTED: _("Copy of own data taken"),
    Event.USAGE_SHORTENED: _("IP addresses of usage records shortened"),
    Event.USAGE_DISPOSED: _("Old usage records deleted"),
}


class Group(StrEnum):
    """Which events belong together, for whoever looks for something."""

    READING = "reading"
    PEOPLE = "people"
    END_USERS = "end_users"
    CONVERSATIONS = "conversations"
    KNOWLEDGE = "knowledge"
    SETTINGS = "settings"
    API_KEYS = "api_keys"
    AGREEMENTS = "agreements"
    KEEPING = "keeping"


GROUP_NAMES: dict[Group, Promise] = {
    Group.READING: _("Who read which End User"),
    Group.PEOPLE: _("Members and sign-ins"),
    Group.END_USERS: _("End Users"),
    Group.CONVERSATIONS: _("Conversations"),
    Group.KNOWLEDGE: _("Knowledge base"),
    Group.SETTINGS: _("Organization and security"),
    Group.API_KEYS: _("API keys"),
    Group.AGREEMENTS: _("Agreements"),
    Group.KEEPING: _("Erasures, holds and keys"),
}

_SUBJECTS = {
    Group.PEOPLE: (
        "person",
        "member",
        "invitation",
        "factor",
        "factors",
        "sign_up",
        "recovery_codes",
        "recovery_code",
        "passkey",
        "letter",
    ),
    Group.END_USERS: ("end_user",),
    Group.CONVERSATIONS: ("conversation", "messages", "message", "inbox", "label", "note"),
    Group.KNOWLEDGE: ("knowledge",),
    Group.SETTINGS: ("organization", "operator", "address", "channel", "audit", "instruction"),
    Group.API_KEYS: ("api_key",),
    Group.AGREEMENTS: ("document",),
    Group.KEEPING: ("legal_hold", "key", "keys", "organization_key", "epoch", "erasure", "usage"),
}
_READING = (".read", ".searched", ".revealed", ".exported")
_ABOUT_END_USERS = ("end_user", "conversation", "inbox")


def events_of(group: Group) -> list[Event]:
    """The events of a group, found by their subject, so that new ones belong without being listed."""
    if group is Group.READING:
        return [event for event in Event if _is_reading(event)]
    subjects = _SUBJECTS[group]
    return [event for event in Event if event.value.split(".")[0] in subjects]


def _is_reading(event: Event) -> bool:
    return event.value.split(".")[0] in _ABOUT_END_USERS and event.value.endswith(_READING)


ACTOR_NAMES: dict[ActorKind, Promise] = {
    ActorKind.SYSTEM: _("IVA"),
    ActorKind.AGENT: _("The virtual agent"),
    ActorKind.API_KEY: _("API key"),
    ActorKind.PERSON: _("Somebody who signs in"),
    ActorKind.MEMBER: _("A member"),
    ActorKind.OPERATOR: _("An operator of IVA"),
}

DETAIL_NAMES: dict[str, Promise] = {
    "assignee": _("Assigned to"),
    "end_users": _("End Users"),
    "handle": _("Address"),
    "instruction": _("Instruction"),
    "label": _("Label"),
    "labels": _("Labels"),
    "letter": _("Letter"),
    "note": _("Note"),
    "notes": _("Notes"),
    "passkey": _("Passkey"),
    "processing": _("Processing"),
    "after": _("New role"),
    "api_key": _("API key"),
    "before": _("Role before"),
    "by": _("By"),
    "channel": _("Channel"),
    "conversation": _("Conversation"),
    "count": _("Count"),
    "document": _("Document"),
    "door": _("Where"),
    "end_user": _("End User"),
    "entry": _("Knowledge entry"),
    "epoch": _("Epoch"),
    "erasure": _("Erasure"),
    "factor": _("Factor"),
    "fields": _("Fields"),
    "form": _("Form"),
    "found": _("Found"),
    "generation": _("Generation"),
    "ground": _("Ground"),
    "in_reply_to": _("In reply to"),
    "invitation": _("Invitation"),
    "key": _("Key"),
    "keys": _("Keys"),
    "kind": _("Kind"),
    "legal_hold": _("Legal hold"),
    "member": _("Member"),
    "message": _("Message"),
    "messages": _("Messages"),
    "method": _("How"),
    "networks": _("Networks"),
    "notices": _("Notices"),
    "outcome": _("Outcome"),
    "page": _("Page"),
    "person": _("Person"),
    "reason": _("Reason"),
    "reference": _("Ticket"),
    "replacement": _("Replacement"),
    "resolution": _("Resolution"),
    "role": _("Role"),
    "row": _("Row"),
    "rows": _("Rows"),
    "scopes": _("What the key may do"),
    "second_factor": _("Second factor"),
    "sought": _("Searched for"),
    "subject": _("Data subject"),
    "user": _("Login"),
    "version": _("Version"),
}
"""What the ids of an event are called. A test finds those that are recorded and have no name."""

VALUE_NAMES: dict[str, Promise] = {
    "totp": _("Authenticator app"),
    "recovery": _("Recovery code"),
    "password": _("Password"),
    "code": _("Code"),
    "dashboard": _("Dashboard"),
    "api": _("API"),
    "demanded": _("Demanded of everybody"),
    "as_the_role_says": _("As the role says"),
    "failed": _("Not delivered"),
    "taken": _("Taken by the mail server"),
    "terms": _("Terms of Service"),
    "privacy_policy": _("Privacy Policy"),
    "registration": _("At registration"),
    "explicit": _("Explicitly"),
    "continued_use": _("By continued use"),
    "answered": _("Answered"),
    "unanswered": _("Not answered"),
    "abandoned": _("Abandoned"),
    "answer": _("Answer"),
    "choices": _("Choices"),
    "fallback": _("Fallback"),
    "handover": _("Handed to people"),
    "small_talk": _("Small talk"),
    "legal_hold": _("Legal hold in force"),
    "subject_request": _("At the End User's request"),
    "consent_withdrawn": _("Consent withdrawn"),
    "purpose_fulfilled": _("Purpose fulfilled"),
    "period_expired": _("Retention period ended"),
    "unlawful": _("Processed unlawfully"),
    "contract_ended": _("Contract ended"),
    "earlier_erasure": _("Erased before"),
    "authority_decision": _("Decision of an authority"),
    "webchat": _("Web chat"),
    "messenger": _("Messenger"),
    "voice": _("Voice"),
    "phone": _("Phone"),
    "email": _("E-mail address"),
    "messenger_id": _("Messenger"),
    "customer_number": _("Customer number"),
    "name": _("Name"),
    "position": _("Position"),
    "locale": _("Language"),
    "theme": _("Appearance"),
    "page": _("Page"),
    "package": _("Download"),
}
PAGE_NAMES: dict[str, Promise] = {
    "accounts.acceptance": _("Acceptances"),
    "accounts.apikey": _("API keys"),
    "accounts.legaldocument": _("Legal documents"),
    "accounts.membership": _("Members"),
    "accounts.notice": _("Deliveries"),
    "accounts.organization": _("Organizations"),
    "accounts.user": _("Operators"),
    "agent.knowledgeentry": _("Knowledge base"),
    "billing.usage": _("Usage"),
    "channels_cfg.channel": _("Channels"),
    "conversations.conversation": _("Conversations"),
    "conversations.message": _("Messages"),
    "iva.round": _("Periodic work"),
    "iva_audit.auditevent": _("Audit trail"),
    "iva_outbox.promise": _("Work waiting"),
    "overview": _("Overview"),
    "privacy.enduser": _("End Users"),
    "privacy.erasurerecord": _("Erasures"),
    "retention.legalhold": _("Legal holds"),
}
"""What the operators' lists are called; they show ids, states and times."""

PEOPLE = frozenset({"assignee", "member", "person", "user"})
"""Details whose ids are people of the organization."""
API_KEYS = frozenset({"api_key", "replacement"})
"""Details whose ids are API keys."""


def several(name: str, said: list[str]) -> str:
    """The codes of a list in words; of a list of ids, how many they are."""
    if name == "scopes":
        return ", ".join(str(SCOPES[Scope(code)].name) if code in set(Scope) else code for code in said)
    return str(len(said))


def value(name: str, said: str) -> str:
    """A code in words where it has some; numbers, ids and what has no words as they are."""
    if name in ("role", "before", "after") and said in set(Role):
        return str(ROLE_NAMES[Role(said)])
    if name == "fields":
        return ", ".join(str(VALUE_NAMES.get(field, field)) for field in said.split("."))
    words = PAGE_NAMES.get(said) if name == "page" else VALUE_NAMES.get(said)
    return str(words) if words is not None else said
