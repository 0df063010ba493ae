"""What is wrong with a page, as far as a machine can see it."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from babel.messages.pofile import read_po
from django.conf import settings
from playwright.sync_api import Page

from iva.local.folder import CHECKOUT

DESKTOP, PHONE, NARROW = 1280, 390, 360
LIGHT, DARK = "light", "dark"
LOOKS = {"mn": [(DESKTOP, LIGHT), (PHONE, DARK)], "en": [(NARROW, LIGHT), (DESKTOP, DARK)]}
"""Between them every width and every scheme, in both languages."""
WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}

VISIBLE_TEXTS = """
() => {
  const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    const isOurs = !parent.closest("script, style, template, code, [lang]:not(html), [translate=no]");
    if (isOurs) texts.push(walker.currentNode.data);
  }
  for (const each of document.body.querySelectorAll("[aria-label], [placeholder], [title], [alt]"))
    for (const name of ["aria-label", "placeholder", "title", "alt"])
      texts.push(each.getAttribute(name) || "");
  return [document.title, ...texts];
}
"""


TOO_WIDE = """
() => {
  const page = document.documentElement;
  if (page.scrollWidth <= page.clientWidth) return null;
  const beyond = [...document.body.querySelectorAll("*")].filter(
    (each) => each.getBoundingClientRect().right > page.clientWidth && !each.closest("[hidden], .sr, .side"));
  const named = beyond.slice(0, 5).map((each) => each.cloneNode().outerHTML);
  return [`${page.scrollWidth} > ${page.clientWidth} px`, ...named].join(" ");
}
"""


def faults(page: Page, language: str) -> list[str]:
    """Of one page in its language, in each of that language's looks."""
    found = [*_of_the_frame(page, language)]
    for width, scheme in LOOKS[language]:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        found += [f"{width} px {scheme}: {fault}" for fault in [*_of_the_width(page), *_of_access(page)]]
    return found


def _of_the_frame(page: Page, language: str) -> Iterator[str]:
    if not page.title().strip():
        yield "no title"
    if (headings := page.locator("h1").count()) != 1:
        yield f"{headings} first headings"
    if (lang := page.locator("html").get_attribute("lang")) != language:
        yield f"says it is in {lang}"
    if language == "mn":
        texts = {" ".join(text.split()) for text in page.evaluate(VISIBLE_TEXTS)}
        yield from (f"not in Mongolian: {text}" for text in sorted(texts & english()))


def _of_the_width(page: Page) -> Iterator[str]:
    too_wide = page.evaluate(TOO_WIDE)
    if too_wide is not None:
        yield f"scrolls sideways: {too_wide}"


def _of_access(page: Page) -> Iterator[str]:
    results: Any = Axe().run(page, options=WCAG).response
    for violation in results["violations"]:
        where = "; ".join(str(node["target"]) for node in violation["nodes"][:3])
        yield f"{violation['id']}: {violation['help']} ({where})"


@cache
def english() -> frozenset[str]:
    """Our English sentences that have a Mongolian one: none of them is to be seen on a Mongolian page."""
    found = set()
    for path in CHECKOUT.glob("*/locale/mn/LC_MESSAGES/django.po"):
        with path.open("rb") as file:
            for message in read_po(file, locale="mn"):
                ids = message.id if isinstance(message.id, tuple) else (message.id,)
                found |= {id_ for id_ in ids if message.string and id_ != message.string}
    found -= {name for _, name in settings.LANGUAGES}  # each is said in its own language
    return frozenset(text for text in found if re.search("[a-z]{3}", text) and "%" not in text)
