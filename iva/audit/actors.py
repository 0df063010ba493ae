"""Who did it: a kind and an id, never a name."""

import uuid
from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    SYSTEM = "system"
    AGENT = "agent"
    API_KEY = "api_key"
    PERSON = "person"
    MEMBER = "member"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Actor:
    """The acting person or mechanism, written `kind` or `kind:id`."""

    kind: ActorKind
    id: uuid.UUID | int | None = None

    def __str__(self) -> str:
        return self.kind.value if self.id is None else f"{self.kind.value}:{self.id}"


SYSTEM = Actor(ActorKind.SYSTEM)
AGENT = Actor(ActorKind.AGENT)
