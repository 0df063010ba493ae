"""Mongolian is complete: every sentence of the pages has one, with the same places to fill in."""

import ast
import gettext
import re
from collections import defaultdict
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

from iva.local.folder import CHECKOUT
from tests.architecture.test_docs import APPS

CATALOGUES = sorted(CHECKOUT.glob("*/locale/mn/LC_MESSAGES/django.po"))
NAMES = [str(path.relative_to(CHECKOUT)) for path in CATALOGUES]
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

ONE, PAIR, IN_CONTEXT = None, (1, 2), ((1, "c"), 2)
KEYWORDS = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"], ONE),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], PAIR),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], IN_CONTEXT),
}
SHOWN = {"_page_or_problem": 3, "page": 3, "document": 2}
"""Functions of `iva.problems` that translate what they are given, and where they are given it."""


class Wanted(dict[str, str]):
    """Sentences that need a translation, each with the first place where it stands."""


def python_files() -> Iterator[Path]:
    for app in APPS:
        yield from (path for path in sorted((CHECKOUT / app).rglob("*.py")) if "migrations" not in path.parts)


def templates() -> Iterator[Path]:
    for app in APPS:
        folder = CHECKOUT / app / "templates"
        yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def extracted(source: bytes) -> Iterator[str]:
    for _, message, _, _ in extract("python", BytesIO(source), keywords=KEYWORDS):
        yield message if isinstance(message, str) else message[0]


def as_python(template: Path) -> bytes:
    """A template as Django gives it to the extractor; without indentation, which would be Python's."""
    lines = templatize(template.read_text(encoding="utf-8")).splitlines()
    return "\n".join(line.strip() for line in lines).encode()


def told(tree: ast.Module) -> Iterator[str]:
    """What pages of errors say: sentences that are given to `iva.problems` as they are."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        place = SHOWN.get(ast.unparse(call.func).removeprefix("problems."))
        given = call.args[place : place + 1] if place is not None else []
        yield from (each.value for each in given if isinstance(each, ast.Constant))


@pytest.fixture(scope="module")
def wanted() -> Wanted:
    found = Wanted()
    for path in [*python_files(), *templates()]:
        is_python = path.suffix == ".py"
        sentences = list(extracted(path.read_bytes() if is_python else as_python(path)))
        if is_python:
            sentences += told(ast.parse(path.read_text(encoding="utf-8")))
        for sentence in sentences:
            found.setdefault(sentence, str(path.relative_to(CHECKOUT)))
    return found


@pytest.fixture(scope="module")
def literals() -> set[str]:
    """Every string that stands in our code: what a table translates later is in use too."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in python_files()]
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def messages(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file, locale="mn") if message.id]


def said(message: Message) -> list[str]:
    """Its Mongolian, all forms of it."""
    return list(message.string) if isinstance(message.string, tuple) else [message.string]


def asked(message: Message) -> str:
    return message.id[0] if isinstance(message.id, tuple) else message.id


def test_every_sentence_is_said_in_mongolian(wanted: Wanted) -> None:
    known = {asked(message) for path in CATALOGUES for message in messages(path) if all(said(message))}
    assert len(wanted) > 50
    missing = {sentence: place for sentence, place in wanted.items() if sentence not in known}
    assert missing == {}, "\n".join(f"{place}: {sentence}" for sentence, place in missing.items())


@pytest.mark.parametrize("name", NAMES)
class TestEachCatalogue:
    def test_says_each_sentence_once_and_surely(self, name: str) -> None:
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        found = [asked(message) for message in messages(CHECKOUT / name)]
        asked_for = re.findall(r'^msgid "', text, re.M)
        assert len(asked_for) - len(["the head"]) == len(found), "a sentence stands there twice"
        assert "\n#~" not in text
        doubted = [asked(message) for message in messages(CHECKOUT / name) if message.fuzzy]
        assert doubted == []
        assert [asked(message) for message in messages(CHECKOUT / name) if not all(said(message))] == []

    def test_fills_in_the_same_places(self, name: str) -> None:
        for message in messages(CHECKOUT / name):
            places = set(PLACES.findall(asked(message)))
            for form in said(message):
                assert set(PLACES.findall(form)) == places, asked(message)

    def test_says_nothing_that_nobody_asks(self, name: str, wanted: Wanted, literals: set[str]) -> None:
        found = {asked(message) for message in messages(CHECKOUT / name)}
        assert found - wanted.keys() - literals == set()

    def test_is_compiled(self, name: str) -> None:
        path = CHECKOUT / name
        compiled = BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale="mn"))
        compiled.seek(0)
        with path.with_suffix(".mo").open("rb") as file:
            assert spoken(file) == spoken(compiled), "run `make messages` and commit the result"


def spoken(file: object) -> dict[object, str]:
    """A compiled catalogue without its head, which names dates and programs."""
    catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[arg-type, attr-defined]
    return {sentence: words for sentence, words in catalogue.items() if sentence}


def test_catalogues_agree_where_they_say_the_same_sentence() -> None:
    """Django takes the first that knows it, so two would be one too many."""
    words: defaultdict[str, set[str]] = defaultdict(set)
    for path in CATALOGUES:
        for message in messages(path):
            words[asked(message)] |= set(said(message)[:1])
    assert {sentence: each for sentence, each in words.items() if len(each) > 1} == {}
