"""The audit trail in words: what happened, and what its codes mean."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.role_words import ROLE_NAMES
from accounts.roles import Role
from iva.audit.events import Event

EVENT_NAMES: dict[Event, Promise] = {
    Event.ORGANIZATION_FOUNDED: _("Organization founded"),
    Event.ORGANIZATION_SUSPENDED: _("Organization suspended"),
    Event.ORGANIZATION_REINSTATED: _("Organization reinstated"),
    Event.ORGANIZATION_PICKED: _("An operator looked at the organization"),
    Event.API_KEY_ISSUED: _("API key created"),
    Event.API_KEY_REVOKED: _("API key revoked"),
    Event.PERSON_MET: _("Login created"),
    Event.PERSON_VERIFIED: _("E-mail address verified"),
    Event.FACTOR_ENROLLED: _("Second factor set up"),
    Event.FACTOR_REMOVED: _("Second factor removed"),
    Event.RECOVERY_CODES_MADE: _("Recovery codes made"),
    Event.RECOVERY_CODE_USED: _("Recovery code used"),
    Event.SIGNED_IN: _("Signed in"),
    Event.SIGN_IN_REFUSED: _("Sign-in refused"),
    Event.SIGN_IN_ENDED: _("Sign-in ended"),
    Event.PASSWORD_CHANGED: _("Password changed"),
    Event.MEMBER_INVITED: _("Member invited"),
    Event.MEMBER_JOINED: _("Member joined"),
    Event.MEMBER_ROLE_CHANGED: _("Role changed"),
    Event.MEMBER_REVOKED: _("Membership revoked"),
    Event.MEMBER_LEFT: _("Member left"),
    Event.INVITATION_ACCEPTED: _("Invitation accepted"),
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
    Event.DOCUMENT_PUBLISHED: _("Legal document published"),
    Event.DOCUMENT_TOOK_EFFECT: _("Legal document took effect"),
    Event.DOCUMENT_ACCEPTED: _("Legal document accepted"),
    Event.DOCUMENT_ANNOUNCED: _("Change announced by e-mail"),
    Event.PERSON_CORRECTED: _("Language or appearance changed"),
    Event.ADDRESS_CHANGE_ASKED: _("Another e-mail address asked for"),
    Event.ADDRESS_CHANGE_WITHDRAWN: _("Change of the e-mail address withdrawn"),
    Event.ADDRESS_CHANGED: _("E-mail address changed"),
    Event.MEMBER_CORRECTED: _("Profile corrected"),
    Event.MEMBER_DATA_EXPORTED: _("Copy of own data taken"),
    Event.USAGE_SHORTENED: _("IP addresses of usage records shortened"),
    Event.USAGE_DISPOSED: _("Old usage records deleted"),
}

VALUE_NAMES: dict[str, Promise] = {
    "totp": _("Authenticator app"),
    "recovery": _("Recovery code"),
    "password": _("Password"),
    "code": _("Code"),
    "terms": _("Terms of Service"),
    "privacy_policy": _("Privacy Policy"),
}


def value(name: str, said: str) -> str:
    """A code in words where it has some; what has no words as it is."""
    if name in ("role", "before", "after") and said in set(Role):
        return str(ROLE_NAMES[Role(said)])
    words = VALUE_NAMES.get(said)
    return str(words) if words is not None else said
