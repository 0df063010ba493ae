"""A fresh second factor before what matters to oneself: data that leaves, an address that changes (P53)."""

from accounts import factors, household
from accounts.roles import StepUpNeeded
from accounts.sign_ins import Visit


def demand_fresh(visit: Visit) -> None:
    """Raises StepUpNeeded for somebody who has a second factor and has not given it for five minutes."""
    if visit.has_just_proved:
        return
    with household.at_home():
        if factors.is_enrolled(visit.user_id):
            raise StepUpNeeded
