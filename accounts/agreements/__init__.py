"""The platform's documents as immutable versions, and who accepted which: every access depends on them.

document = agreements.draft(Kind.TERMS, "1.1.0", Significance.SIGNIFICANT, {"mn": …, "en": …}, policy)
agreements.approve(document, somebody_else)
agreements.publish(document, actor)
agreements.accept(user_id, terms=digest, privacy_policy=digest, locale="mn")      inside tenant()
agreements.standing(organization_id, user_id).is_open
"""

from accounts.agreements.accepting import (
    DocumentsChanged,
    NothingToContinue,
    Standing,
    Where,
    accept,
    continue_using,
    is_bound,
    refuse_stale,
    standing,
)
from accounts.agreements.comparing import Change, Paragraph, diff
from accounts.agreements.drafting import (
    NoPolicyNamed,
    NotADraft,
    NotAVersion,
    OwnDraft,
    approve,
    discard,
    draft,
)
from accounts.agreements.in_effect import (
    Edition,
    InEffect,
    NothingInEffect,
    State,
    current,
    edition,
    editions,
)
from accounts.agreements.publishing import (
    NotApproved,
    NotNewer,
    OwnApproval,
    PolicyNotInOrder,
    SignificanceHidden,
    TooSoon,
    earliest,
    publish,
    take_effect,
    waiting,
)
from accounts.agreements.texts import VersionIncomplete

__all__ = [
    "Change",
    "DocumentsChanged",
    "Edition",
    "InEffect",
    "NoPolicyNamed",
    "NotADraft",
    "NotAVersion",
    "NotApproved",
    "NotNewer",
    "NothingInEffect",
    "NothingToContinue",
    "OwnApproval",
    "OwnDraft",
    "Paragraph",
    "PolicyNotInOrder",
    "SignificanceHidden",
    "Standing",
    "State",
    "TooSoon",
    "VersionIncomplete",
    "Where",
    "accept",
    "approve",
    "continue_using",
    "current",
    "diff",
    "discard",
    "draft",
    "earliest",
    "edition",
    "editions",
    "is_bound",
    "publish",
    "refuse_stale",
    "standing",
    "take_effect",
    "waiting",
]
