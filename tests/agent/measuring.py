"""How well the agent finds and keeps silent, on questions nobody stored.

`python -m tests.agent.measuring` prints the figures of docs/agent.md. Thresholds were chosen on
`development`; `held_out` is only ever counted.
"""

import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agent import drafting
from agent.drafting import Draft, Kind, Turn
from agent.retrieval import Entry, Index
from iva import demo_content
from iva.demo_content import DemoOrganization

FOLDER = Path(__file__).with_name("paraphrases")
FILES = {"acme": "acme_bank.toml", "globex": "globex_mobile.toml"}


@dataclass
class Tally:
    """What became of a set of questions: those with an entry, and those no entry answers."""

    asked: int = 0
    first: int = 0
    among_three: int = 0
    answered: int = 0
    answered_right: int = 0
    offered: int = 0
    offered_right: int = 0
    gave_up: int = 0
    off_topic: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))

    @property
    def off_topic_asked(self) -> int:
        return sum(self.off_topic.values())

    def figures(self) -> dict[str, str]:
        """The figures, as they stand in the documentation."""
        off_topic, asked = self.off_topic, self.off_topic_asked
        return {
            "questions": str(self.asked),
            "recall@1": _share(self.first, self.asked),
            "recall@3": _share(self.among_three, self.asked),
            "answered": _share(self.answered, self.asked),
            "answers that are right": _share(self.answered_right, self.answered),
            "choices offered": _share(self.offered, self.asked),
            "choices holding the right one": _share(self.offered_right, self.offered),
            "fallback": _share(self.gave_up, self.asked),
            "off-topic messages": str(asked),
            "off-topic answered": _share(off_topic[Kind.ANSWER], asked),
            "off-topic offered choices": _share(off_topic[Kind.CHOICES], asked),
        }


def entry_id(key: str) -> uuid.UUID:
    """The id an entry of the demo has in `index`."""
    return uuid.uuid5(uuid.NAMESPACE_URL, key)


@cache
def index(slug: str) -> Index:
    """The index of a demo organization."""
    return Index(
        Entry(entry_id(entry.key), entry.title, entry.question, entry.alternatives, entry.answer)
        for entry in organization(slug).knowledge
    )


def organization(slug: str) -> DemoOrganization:
    return next(one for one in demo_content.ORGANIZATIONS if one.slug == slug)


def questions(slug: str, part: str) -> Iterator[tuple[str, str]]:
    """(key of the entry, question) of `development` or `held_out`."""
    for key, texts in _read(FILES[slug])[part].items():
        for text in texts:
            yield key, text


def off_topic(slug: str, part: str) -> list[str]:
    """Messages that no entry of the organization answers."""
    texts = _read("off_topic.toml")[part]
    return [*texts["far"], *texts[f"near_{slug}"]]


def measure(slug: str, part: str, tally: Tally) -> Tally:
    """Ask everything of one part and count."""
    for key, text in questions(slug, part):
        _count(tally, slug, key, text)
    for text in off_topic(slug, part):
        tally.off_topic[reply(slug, text).kind] += 1
    return tally


def reply(slug: str, text: str) -> Draft:
    """What the agent replies to a first message."""
    return drafting.draft([Turn("end_user", text)], index(slug))


def _count(tally: Tally, slug: str, key: str, text: str) -> None:
    found = [passage.entry_id for passage in index(slug).search(text)]
    tally.asked += 1
    tally.first += found[:1] == [entry_id(key)]
    tally.among_three += entry_id(key) in found
    draft = reply(slug, text)
    right = entry_id(key) in draft.entry_ids
    match draft.kind:
        case Kind.ANSWER:
            tally.answered += 1
            tally.answered_right += right
        case Kind.CHOICES:
            tally.offered += 1
            tally.offered_right += right
        case _:
            tally.gave_up += 1


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f} ({part}/{whole})" if whole else "-"


def main() -> None:
    for part in ("development", "held_out"):
        tally = Tally()
        for slug in FILES:
            measure(slug, part, tally)
        print(f"\n{part}")
        for name, value in tally.figures().items():
            print(f"  {name:32}{value}")


if __name__ == "__main__":
    main()
