"""What codes of ours are called, for people."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Labels = Mapping[str, str | Promise]

ACTORS: Labels = {
    "system": _("System"),
    "agent": _("Agent"),
    "api_key": _("API key"),
    "person": _("Person"),
    "member": _("Member"),
    "operator": _("Operator"),
}
ROLES: Labels = {
    "owner": _("Owner"),
    "admin": _("Admin"),
    "supervisor": _("Supervisor"),
    "support_agent": _("Support agent"),
    "knowledge_editor": _("Knowledge editor"),
    "privacy_officer": _("Privacy officer"),
    "billing": _("Billing"),
    "auditor": _("Auditor"),
}
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
WORK: Labels = {"answer": _("Answer a message"), "dispose": _("Finish an erasure")}
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
    "accounts.announce_everywhere": _("Announce legal documents"),
    "accounts.take_effect": _("Let legal documents take effect"),
    "conversations.resolve_idle_everywhere": _("Resolve idle conversations"),
    "privacy.roll_epoch": _("Roll the key epoch"),
}
EVENTS: Labels = {
    "organization.founded": _("Organization founded"),
    "organization.suspended": _("Organization suspended"),
    "organization.reinstated": _("Organization reinstated"),
    "organization.picked": _("An operator began to look"),
    "organization.left": _("An operator stopped looking"),
    "operator.appointed": _("Operator appointed"),
    "operator.dismissed": _("Operator dismissed"),
    "operator.looked": _("An operator looked at a page"),
    "operator.searched": _("An operator searched"),
    "api_key.issued": _("API key issued"),
    "api_key.revoked": _("API key revoked"),
    "person.met": _("Login made"),
    "person.verified": _("E-mail address confirmed"),
    "factor.enrolled": _("Second factor enrolled"),
    "factor.removed": _("Second factor removed"),
    "recovery_codes.made": _("Recovery codes made"),
    "recovery_code.used": _("Recovery code used"),
    "person.signed_in": _("Signed in"),
    "person.sign_in_refused": _("Sign-in refused"),
    "person.sign_in_ended": _("Sign-in ended"),
    "person.password_changed": _("Password changed"),
    "member.invited": _("Member invited"),
    "member.joined": _("Member joined"),
    "member.role_changed": _("Role changed"),
    "member.revoked": _("Membership revoked"),
    "member.left": _("Member left"),
    "invitation.accepted": _("Invitation accepted"),
    "invitation.revoked": _("Invitation revoked"),
    "channel.connected": _("Channel connected"),
    "channel.disabled": _("Channel disabled"),
    "end_user.first_seen": _("End User first seen"),
    "end_user.searched": _("End User searched for"),
    "end_user.read": _("End User read"),
    "end_user.erased": _("End User erased"),
    "end_user.erasure_refused": _("Erasure refused"),
    "end_user.disposed": _("End User's rows disposed of"),
    "conversation.read": _("Conversation read"),
    "conversation.handed_over": _("Conversation handed over"),
    "conversation.handed_back": _("Conversation handed back"),
    "conversation.resolved": _("Conversation resolved"),
    "messages.received": _("Messages received"),
    "message.answered": _("Message answered"),
    "knowledge.published": _("Knowledge published"),
    "knowledge.revised": _("Knowledge revised"),
    "knowledge.retired": _("Knowledge retired"),
    "legal_hold.placed": _("Legal hold placed"),
    "legal_hold.released": _("Legal hold released"),
    "key.shredded": _("Key shredded"),
    "organization_key.rotated": _("Organization key rotated"),
    "keys.laid_over": _("Keys laid over from a copy"),
    "epoch.rolled": _("Key epoch rolled"),
    "erasure.replayed": _("Erasure replayed"),
    "document.drafted": _("Legal document drafted"),
    "document.discarded": _("Draft discarded"),
    "document.approved": _("Legal document approved"),
    "document.published": _("Legal document published"),
    "document.took_effect": _("Legal document took effect"),
    "document.accepted": _("Legal document accepted"),
    "document.announced": _("Legal document announced"),
}
ABOUT: Labels = {
    "after": _("after"),
    "api_key": _("API key"),
    "before": _("before"),
    "by": _("by"),
    "channel": _("channel"),
    "conversation": _("conversation"),
    "count": _("count"),
    "document": _("document"),
    "end_user": _("End User"),
    "epoch": _("epoch"),
    "factor": _("factor"),
    "found": _("found"),
    "ground": _("ground"),
    "kind": _("kind"),
    "knowledge_entry": _("knowledge entry"),
    "legal_hold": _("legal hold"),
    "member": _("member"),
    "message": _("message"),
    "in_reply_to": _("in reply to"),
    "messages": _("messages"),
    "method": _("how"),
    "notices": _("letters"),
    "outcome": _("outcome"),
    "page": _("page"),
    "person": _("person"),
    "reference": _("reason"),
    "role": _("role"),
    "row": _("row"),
    "sought": _("sought"),
    "user": _("person"),
    "version": _("version"),
}
FACTORS: Labels = {
    "code": _("code"),
    "passkey": _("passkey"),
    "password": _("password"),
    "recovery": _("recovery code"),
    "totp": _("authenticator app"),
}
MEANT: Mapping[str, Labels] = {
    "after": ROLES,
    "before": ROLES,
    "factor": FACTORS,
    "ground": GROUNDS,
    "kind": {**KINDS, **CHANNELS},
    "method": METHODS,
    "outcome": OUTCOMES,
    "role": ROLES,
}
"""What the codes an event carries are called, by their name."""
