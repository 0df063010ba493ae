"""From the turns of a conversation to what the agent says next.

Extractive and deterministic: an answer is the stored text, word for word, with its source. Nothing is kept
between calls; what the agent did before is read from the turns.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from agent import choosing, courtesies, phrases
from agent.courtesies import Courtesy
from agent.languages import Language, language_of
from agent.retrieval import Entry, Index, Passage
from agent.wanting_people import asks_for_person

SURE = 0.34
"""Score from which the best entry is the answer, and below which it is only a guess (docs/agent.md)."""

POSSIBLE = 0.22
"""Score from which guesses are worth offering."""

MARGIN = 0.15
"""How far the best entry must be ahead of the second, as a share of its score, to be the answer."""

MOST_CHOICES = 3
COMPARABLE = 0.5
"""Share of the best guess's score that a further guess needs to be offered beside it."""

MOST_FALLBACKS = 2
"""The fallback in a row, this one included, that becomes a handover."""

END_USER = "end_user"
"""The author whose turns are questions; every other author is on the organization's side."""


class Kind(StrEnum):
    """What a draft is; kept with the message, so that the next draft knows."""

    ANSWER = "answer"
    CHOICES = "choices"
    FALLBACK = "fallback"
    HANDOVER = "handover"
    SMALL_TALK = "small_talk"


ANSWER, CHOICES, FALLBACK, HANDOVER, SMALL_TALK = Kind


class Confidence(StrEnum):
    """The band a draft's score fell into."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Reason(StrEnum):
    """Why a person takes over."""

    ASKED = "asked"
    NOT_UNDERSTOOD = "not_understood"


class NothingToAnswer(ValueError):
    """None of the turns is an End User's."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation. `outcome` is the `Kind` of a reply of the agent, else empty."""

    author: str
    text: str
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the agent would say.

    `entry_ids` and `sources` name the entries an answer was taken from or the choices stand for; `score` is
    the best entry's; `reason` is given with a handover.
    """

    kind: Kind
    text: str
    language: Language
    entry_ids: tuple[uuid.UUID, ...] = ()
    sources: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    score: float = 0.0
    confidence: Confidence = Confidence.LOW
    reason: Reason | None = None


def draft(turns: Sequence[Turn], index: Index, language: Language = Language.MONGOLIAN) -> Draft:
    """What to reply to the End User's last turn, oldest turn first.

    `language` frames the reply where the End User's own turns do not show theirs. Raises NothingToAnswer.
    """
    asked, before = _last_question(turns)
    own = [asked.text, *(turn.text for turn in reversed(before) if turn.author == END_USER)]
    reply = _Reply(language_of(own, language))
    picked = choosing.chosen(asked.text, _offered(before))
    if picked is None and asks_for_person(asked.text):
        return reply.handover(Reason.ASKED)
    polite = None if picked else courtesies.courtesy(asked.text)
    if polite is not None:
        return reply.courtesy(polite)
    passages = [] if _turned_down(asked.text, before) else _passages(picked or asked.text, before, index)
    if passages:
        return _answer(passages, index, reply)
    lost = _fallbacks(before) + 1 >= MOST_FALLBACKS
    return reply.handover(Reason.NOT_UNDERSTOOD) if lost else reply.fallback()


def _last_question(turns: Sequence[Turn]) -> tuple[Turn, Sequence[Turn]]:
    for position in range(len(turns) - 1, -1, -1):
        if turns[position].author == END_USER:
            return turns[position], turns[:position]
    raise NothingToAnswer("no turn of the End User")


def _offered(before: Sequence[Turn]) -> list[str]:
    last = before[-1] if before else None
    return choosing.offered(last.text) if last is not None and last.outcome == Kind.CHOICES else []


def _turned_down(text: str, before: Sequence[Turn]) -> bool:
    return bool(_offered(before)) and choosing.is_none_of_them(text)


def _passages(question: str, before: Sequence[Turn], index: Index) -> list[Passage]:
    """What may answer the question; a message cut in two is read together with its first half."""
    passages = _search(question, index)
    if not passages and before and before[-1].author == END_USER:
        return _search(f"{before[-1].text} {question}", index)
    return passages


def _search(question: str, index: Index) -> list[Passage]:
    passages = index.search(courtesies.without_opening(question), limit=MOST_CHOICES)
    return passages if passages and passages[0].score >= POSSIBLE else []


def _answer(passages: Sequence[Passage], index: Index, reply: "_Reply") -> Draft:
    best = passages[0].score
    if _is_sure(best, passages[1].score if len(passages) > 1 else 0.0):
        return reply.answer(index.entry(passages[0].entry_id), best)
    near = [index.entry(passage.entry_id) for passage in passages if passage.score >= COMPARABLE * best]
    return reply.choices(near, best)


def _is_sure(best: float, second: float) -> bool:
    return best >= SURE and best - second >= MARGIN * best


def _fallbacks(before: Sequence[Turn]) -> int:
    """How many fallbacks stand at the end, looking past courtesies and offers."""
    count = 0
    for turn in reversed(before):
        if turn.author == END_USER or turn.outcome in (Kind.SMALL_TALK, Kind.CHOICES):
            continue
        if turn.outcome != Kind.FALLBACK:
            break
        count += 1
    return count


class _Reply:
    """Drafts in one language."""

    def __init__(self, language: Language) -> None:
        self._language, self._say = language, phrases.BY_LANGUAGE[language]

    def answer(self, entry: Entry, score: float) -> Draft:
        text = self._say.answer.format(answer=entry.answer, source=entry.title)
        return Draft(
            ANSWER, text, self._language, (entry.id,), (entry.title,), score=score, confidence=Confidence.HIGH
        )

    def choices(self, entries: Sequence[Entry], score: float) -> Draft:
        questions = [entry.question for entry in entries]
        return Draft(
            CHOICES,
            self._say.choices.format(choices=choosing.listed(questions)),
            self._language,
            tuple(entry.id for entry in entries),
            tuple(entry.title for entry in entries),
            tuple(questions),
            score,
            Confidence.MEDIUM,
        )

    def fallback(self) -> Draft:
        return Draft(FALLBACK, self._say.fallback, self._language)

    def handover(self, reason: Reason) -> Draft:
        text = self._say.handover_asked if reason is Reason.ASKED else self._say.handover_lost
        return Draft(HANDOVER, text, self._language, reason=reason)

    def courtesy(self, courtesy: Courtesy) -> Draft:
        said = {
            Courtesy.GREETING: self._say.greeting,
            Courtesy.THANKS: self._say.thanks,
            Courtesy.FAREWELL: self._say.farewell,
            Courtesy.WHO_ARE_YOU: self._say.who_i_am,
        }
        return Draft(SMALL_TALK, said[courtesy], self._language)
