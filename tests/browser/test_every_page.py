"""A walk over every link: each page is complete, readable and keeps to itself, in both languages.

Pages that are added later are found by themselves, as soon as something links to them.
"""

import re
from collections import Counter, deque
from urllib.parse import urlsplit

import pytest

from tests.browser import looking
from tests.browser.conftest import Desk
from tests.browser.watching import Observed

pytestmark = pytest.mark.slow

ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d+\.\d+\.\d+")
OF_A_KIND = 2
"""How many pages that differ only in an id or a question are looked at."""
NOT_PAGES = re.compile(r"^/(admin|api|static|metrics|healthz|readyz)|\.(json|txt|yaml|svg|csv|zip|pdf|atom)$")
LINKS = """
() => [...document.querySelectorAll("a[href]:not([download])")].map(link => [link.href, link.hreflang])
"""
FEWEST = {"inside": 3, "outside": 3}


def kind(address: str) -> str:
    return ID.sub("*", urlsplit(address).path)


def walked(seen: Observed, language: str, *starts: str) -> tuple[set[str], list[str]]:
    """Every page that can be reached, and what is wrong with each."""
    waiting, known = deque(starts), Counter[str]()
    paths: set[str] = set()
    faults: list[str] = []
    while waiting:
        path = waiting.popleft()
        if path in paths or known[kind(path)] >= OF_A_KIND or NOT_PAGES.search(urlsplit(path).path):
            continue
        known[kind(path)] += 1
        paths.add(path)
        status = seen.go(path)
        if status != 200:
            faults.append(f"{path}: answers {status}")
            continue
        links = seen.page.evaluate(LINKS)
        faults += [f"{path}: {fault}" for fault in looking.faults(seen.page, language)]
        faults += [f"{path}: {fault}" for fault in seen.faults]
        seen.faults.clear()
        waiting.extend(_ours(seen, links, language))
    return paths, faults


def _ours(seen: Observed, links: list[tuple[str, str]], language: str) -> list[str]:
    """The pages of ours among the links, in the language that is being read."""
    start = seen.town.address + "/"
    inside = [link.partition("#")[0] for link, of in links if link.startswith(start) and of in ("", language)]
    return [link.removeprefix(seen.town.address) for link in inside]


@pytest.mark.parametrize("language", ["mn", "en"])
def test_the_dashboard(desk: Desk, language: str) -> None:
    paths, faults = walked(desk(language), language, "/overview/", "/organizations/", "/step-up/")
    assert len(paths) >= FEWEST["inside"]
    assert faults == [], "\n".join(["", *faults])


@pytest.mark.parametrize("language", ["mn", "en"])
def test_the_pages_outside(outside: Desk, language: str) -> None:
    paths, faults = walked(outside(language), language, f"/sign-in/?lang={language}", "/")
    assert len(paths) >= FEWEST["outside"]
    assert faults == [], "\n".join(["", *faults])
