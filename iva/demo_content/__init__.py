"""What the demo says: two invented organizations, their knowledge, and the people who write to them.

Pure data and pure functions: the same seed gives the same conversations. Every figure, address and person is
invented; phone numbers come from a range Mongolia has not allotted, e-mail addresses from example.com.
"""

from iva.demo_content.conversing import REPLIES_OF_PEOPLE, DemoConversation, Sender, conversations
from iva.demo_content.organizations import ORGANIZATIONS, DemoEntry, DemoOrganization
from iva.demo_content.staff import STAFF, DemoMember

__all__ = [
    "ORGANIZATIONS",
    "REPLIES_OF_PEOPLE",
    "STAFF",
    "DemoConversation",
    "DemoEntry",
    "DemoMember",
    "DemoOrganization",
    "Sender",
    "conversations",
]
