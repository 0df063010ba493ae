"""Who waits for people: handed over, and nobody of the organization has written yet."""

from conversations.models import Conversation


def waiting(most: int) -> list[Conversation]:
    """Those who have waited longest, with their channels. Inside `tenant()`."""
    found = Conversation.objects.filter(
        handed_over_at__isnull=False, closed_at=None, waited_for_people=None, end_user__erased_at=None
    )
    return list(found.select_related("channel").order_by("handed_over_at", "id")[:most])
