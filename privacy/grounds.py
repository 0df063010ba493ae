"""Why a deletion is lawful: no data is deleted without a listed ground (PDPL 15.1, 15.2; M3).

The codes name what the person or the law asks for; which paragraph of article 15 each one rests on is
to be confirmed by a Mongolian lawyer before the first release.
"""

from django.db import models


class Ground(models.TextChoices):
    SUBJECT_REQUEST = "subject_request", "The End User asked for erasure (PDPL 16.1.6)"
    CONSENT_WITHDRAWN = "consent_withdrawn", "The End User withdrew consent (PDPL 16.1.10)"
    PURPOSE_FULFILLED = "purpose_fulfilled", "The purpose has been fulfilled"
    PERIOD_EXPIRED = "period_expired", "The retention period has ended"
    UNLAWFUL = "unlawful", "The data was collected or processed unlawfully"
    CONTRACT_ENDED = "contract_ended", "The processor's contract has ended (PDPL 19.4.5)"
    EARLIER_ERASURE = "earlier_erasure", "Erased before; a restored backup had brought the rows back"
    AUTHORITY_DECISION = "authority_decision", "A court or an authority has decided so"


CAN_BE_ASKED_FOR = [choice for choice in Ground.choices if choice[0] != Ground.EARLIER_ERASURE]
