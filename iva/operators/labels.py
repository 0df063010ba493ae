"""What codes of ours are called, for people."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import trail_words
from accounts.role_words import ROLE_NAMES

Labels = Mapping[str, str | Promise]

ACTORS: Labels = {kind.value: name for kind, name in trail_words.ACTOR_NAMES.items()}
EVENTS: Labels = {event.value: name for event, name in trail_words.EVENT_NAMES.items()}
ABOUT: Labels = trail_words.DETAIL_NAMES
ROLES: Labels = {role.value: name for role, name in ROLE_NAMES.items()}
CHANNELS: Labels = {
    "api": _("API"),
    "webchat": _("Web chat"),
    "messenger": _("Messenger"),
    "voice": _("Voice"),
}
AUTHORS: Labels = {"end_user": _("End User"), "agent": _("Agent"), "member": _("Member")}
RESOLUTIONS: Labels = {
    "answered": _("Answered"),
    "unanswered": _("Not answered"),
    "abandoned": _("Abandoned"),
}
OUTCOMES: Labels = {
    "answer": _("Answered"),
    "choices": _("Offered a choice"),
    "small_talk": _("Small talk"),
    "fallback": _("Not answered"),
    "handover": _("Handed over"),
}
METERS: Labels = {"message": _("Messages"), "answer": _("Answers")}
WORK: Labels = {
    "answer": _("Answer a message"),
    "dispose": _("Finish an erasure"),
    "letter": _("Send a letter"),
}
KINDS: Labels = {"terms": _("Terms of service"), "privacy_policy": _("Privacy policy")}
SIGNIFICANCES: Labels = {"significant": _("Significant"), "editorial": _("Editorial")}
METHODS: Labels = {
    "registration": _("At registration"),
    "explicit": _("Explicitly"),
    "continued_use": _("By continued use"),
}
FAILURES: Labels = {
    "refused": _("Refused by the mail server"),
    "unreachable": _("Mail server not reached"),
    "fate_unknown": _("Fate unknown"),
    "bounced": _("Came back"),
}
GROUNDS: Labels = {
    "subject_request": _("The End User asked for it"),
    "consent_withdrawn": _("Consent withdrawn"),
    "purpose_fulfilled": _("Purpose fulfilled"),
    "period_expired": _("Retention period ended"),
    "unlawful": _("Unlawful processing"),
    "contract_ended": _("The processor's contract ended"),
    "earlier_erasure": _("Erased before, restored from a backup"),
    "authority_decision": _("Decision of a court or an authority"),
}
LANGUAGES: Labels = {"mn": _("Mongolian"), "en": _("English")}
TASKS: Labels = {
    "conversations.drain": _("Sweep the outbox"),
    "audit.anchor": _("Anchor the audit chains"),
    "privacy.complete_erasures": _("Complete erasures"),
    "audit.verify": _("Verify the audit chains"),
    "accounts.clear_sessions": _("Clear sessions"),
    "accounts.let_sign_ups_lapse": _("Let unconfirmed sign-ups lapse"),
    "accounts.mail_invitations_everywhere": _("Mail invitations"),
    "conversations.count_everywhere": _("Count conversations into days"),
    "accounts.announce_everywhere": _("Announce legal documents"),
    "accounts.take_effect": _("Let legal documents take effect"),
    "conversations.resolve_idle_everywhere": _("Resolve idle conversations"),
    "privacy.roll_epoch": _("Roll the key epoch"),
    "accounts.forget_usage_everywhere": _("Shorten and forget usage"),
    "accounts.send_address_letters": _("Send letters about addresses"),
}
