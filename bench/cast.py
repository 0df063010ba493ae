"""Organizations with a channel, a key and people who have written before."""

import itertools
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils import timezone

from accounts import agreements, api_keys, organizations
from accounts.agreements import shelf
from accounts.scopes import EVERY_SCOPE
from bench.naive import models as naive
from channels_cfg import connecting
from channels_cfg.models import ChannelKind
from conversations import receiving
from iva import tenancy
from iva.audit.actors import SYSTEM
from privacy import subjects
from privacy.handles import Handle, HandleKind

FIRST_PHONE = 61_000_000
"""Mongolia has allotted no number that begins with 61."""

TEXT = (
    "Сайн байна уу, өчигдөр захиалсан бараа маань хэзээ хүргэгдэх вэ? Захиалгын дугаар А-77, "
    "хаяг хуучнаараа, утсаар залгаарай"
)
"""What people write: 226 bytes."""

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Party:
    """An organization, its token, and the phones of the people who write to it."""

    id: uuid.UUID
    channel: uuid.UUID
    token: str
    phones: list[str]

    def message(self, phone: str, text: str = TEXT) -> dict[str, object]:
        """A message as an integrator posts it, new each time."""
        sender = {"name": "Bat", "phone": phone}
        return {"external_id": f"message-{next(_numbers)}", "sender": sender, "text": text}

    def messages(self, text: str = TEXT) -> Iterator[dict[str, object]]:
        """The people write in turn, for ever."""
        return (self.message(phone, text) for phone in itertools.cycle(self.phones))


def found(name: str, people: int) -> Party:
    """Found an organization, here and among the baselines, that so many people have written to."""
    organization = organizations.found(name, name.lower().replace(" ", "-"))
    shelf.publish_all()
    current = agreements.current()
    with tenancy.tenant(organization.pk):
        agreements.accept(
            tenancy.new_id(),
            terms=current.terms.digest,
            privacy_policy=current.privacy_policy.digest,
            locale="mn",
        )
        channel = connecting.connect(ChannelKind.API, "API", actor=SYSTEM)
        _, token = api_keys.issue("bench", EVERY_SCOPE, actor=SYSTEM)
    phones = [f"+976{FIRST_PHONE + number}" for number in range(people)]
    party = Party(organization.pk, channel.pk, token, phones)
    _introduce_to_the_baselines(name, party)
    for start in range(0, people, receiving.MOST_AT_ONCE):
        receive(party, [(phone, TEXT) for phone in phones[start : start + receiving.MOST_AT_ONCE]])
    return party


def _introduce_to_the_baselines(name: str, party: Party) -> None:
    organization = naive.Organization.objects.create(name=name)
    naive.Token.objects.create(key=party.token, organization=organization)
    known = naive.EndUser.objects.bulk_create(
        naive.EndUser(organization=organization, name="Bat", phone=phone) for phone in party.phones
    )
    naive.Conversation.objects.bulk_create(
        naive.Conversation(organization=organization, end_user=end_user, last_message_at=timezone.now())
        for end_user in known
    )


def receive(party: Party, said: Sequence[tuple[str, str]]) -> list[receiving.Outcome]:
    """Keep (phone, text) pairs in one transaction, without the way over HTTP."""
    inbound = [
        receiving.InboundMessage(
            subjects.Sender((Handle(HandleKind.PHONE, phone),), "Bat"), text, f"message-{next(_numbers)}"
        )
        for phone, text in said
    ]
    return receiving.receive(party.id, None, inbound, actor=SYSTEM)


def body(value: object) -> bytes:
    """As integrators' libraries write it: UTF-8, not escaped."""
    return json.dumps(value, ensure_ascii=False).encode()
