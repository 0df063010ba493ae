"""The product as real processes, with the cast in it: made once for all browser tests."""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from accounts import doors, people, sign_ins
from accounts.people import Acting, Profile
from accounts.roles import Role
from conversations import tasks
from iva.audit.actors import SYSTEM
from iva.local.folder import free_port
from iva.outbox import draining
from tests import cast
from tests.agreements import documents
from tests.faults.posting import ENTRY, QUESTION
from tests.faults.running import Programs

HOST = "localhost"
"""A passkey belongs to a name, never to an address of four numbers (WebAuthn 5.1.2)."""
PASSWORD = "correct horse battery staple"


@dataclass
class Town:
    """Where the pages are, who lives there, and the processes that may be killed."""

    programs: Programs
    acme: cast.Party
    globex: cast.Party
    owners: dict[str, Acting] = field(default_factory=dict)
    """Acme's, one for each language."""
    web: str = ""
    live: str = ""
    postbox: Path = Path()

    @property
    def address(self) -> str:
        return f"http://{self.web}"

    @property
    def ours(self) -> tuple[str, ...]:
        """What every address begins with that a page may ask for."""
        return f"http://{self.web}/", f"http://{self.live}/", "data:", "blob:", "about:"

    def serve(self) -> None:
        """Pages on one port and live streams on another, as `make run` does it."""
        web, live = free_port(), free_port()
        self.programs.environment |= {
            "IVA_LOOPBACK_PORTS": f"{web},{live}",
            "IVA_LIVE_STREAMS_PER_PERSON": "200",
            "IVA_SITE_URL": f"http://{HOST}:{web}",
            "IVA_MAIL_FOLDER": str(self.postbox),
        }
        self.programs.web(web)
        self.programs.live(live)
        self.web, self.live = f"{HOST}:{web}", f"{HOST}:{live}"


def email(name: str, party: cast.Party) -> str:
    return f"{name.lower()}@{party.organization.slug}.example.com"


def hire(party: cast.Party, name: str, role: Role, locale: str = "mn") -> Acting:
    """Somebody new, a member from now on."""
    address = email(name, party)
    user_id = people.meet(address, PASSWORD, locale=locale)
    people.verify(user_id)
    with party.tenant("account.manage"):
        profile = Profile(name, address, "Менежер", "9911 2233", locale)
        people.join(user_id, role, profile, actor=SYSTEM, is_responsible=role is Role.OWNER)
    return people.enter(user_id, party.id, timezone.now())


def settle(programs: Programs) -> Town:
    """Acme and Globex, their people, and a morning of conversation."""
    documents.published("1.0.0")
    town = Town(programs, cast.found("Acme"), cast.found("Globex"))
    for locale, name in (("mn", "Saraa"), ("en", "Tuya")):
        town.owners[locale] = hire(town.acme, name, Role.OWNER, locale)
    for owner in town.owners.values():
        documents.accepted(owner.organization_id, owner.user_id)
    town.acme.call("POST", "knowledge/", ENTRY)
    for number, text in enumerate([QUESTION, "Сайн байна уу?", "Хүнтэй яримаар байна", QUESTION]):
        town.acme.says(text, name="Бат", phone=f"9911223{number}")
    draining.drain(tasks.FULFIL)
    return town


def session_of(member: Acting) -> str:
    """The cookie of somebody who has just signed in with both factors."""
    sign_in = sign_ins.begin(
        member.user_id, browser="Chromium", from_address="203.0.113.9", proved_at=timezone.now()
    )
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[doors.SIGN_IN], session[doors.ORGANIZATION] = str(sign_in.pk), str(member.organization_id)
    session.save()
    return str(session.session_key)
