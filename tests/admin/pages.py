"""Reading the operators' pages as a browser under our policy would."""

from collections import deque
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

from django.http import HttpResponse
from django.test import Client

LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "form": "action", "source": "src"}


@dataclass
class Page:
    """What a page says, where it leads, what it sends, and what our policy would refuse to run."""

    address: str
    response: HttpResponse
    text: str = ""
    links: list[str] = field(default_factory=list)
    posts_to: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return self.response.status_code


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self.page, self.posting_to = page, ""

    def handle_endtag(self, tag: str) -> None:
        self.posting_to = "" if tag == "form" else self.posting_to

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in given:
            self.page.links.append(given["href"])
        if tag == "form":
            posts = given.get("method", "").lower() == "post"
            self.posting_to = urljoin(self.page.address, given.get("action", "")) if posts else ""
        if self.posting_to and _sends(tag, given):
            self.page.posts_to.append(self.posting_to)
        if given.get(LOADING.get(tag, ""), "") and given.get("rel") != "canonical":
            self.page.loads.append(given[LOADING[tag]])
        self.page.ids += [given["id"]] if "id" in given else []
        self.page.refused += _refused(tag, given)


def _sends(tag: str, given: dict[str, str]) -> bool:
    """Whether it is a button that sends its form."""
    return tag in ("button", "input") and given.get("type", "submit" if tag == "button" else "") == "submit"


def _refused(tag: str, given: dict[str, str]) -> list[str]:
    """Scripts and styles within the page: `script-src 'self'; style-src 'self'` runs neither."""
    inline_script = (
        tag == "script" and "src" not in given and given.get("type", "text/javascript") != "application/json"
    )
    inline = [tag] if inline_script or tag in ("style", "base", "object", "embed") else []
    handlers = [f"{tag} {name}" for name in given if name.startswith("on") or name == "style"]
    return inline + handlers + [value for value in given.values() if value.lower().startswith("javascript:")]


def read(client: Client, address: str, **data: Any) -> Page:
    """Get a page and read it. `data` is the query."""
    response = client.get(address, data or None)
    page = Page(address, response, response.content.decode())
    if response.headers.get("Content-Type", "").startswith("text/html"):
        _Reader(page).feed(page.text)
    return page


def crawl(client: Client, start: str = "/admin/") -> dict[str, Page]:
    """Every page that can be reached from `start` by following links, by address.

    Not the pages of events that the crawl itself has left behind.
    """
    found: dict[str, Page] = {}
    waiting = deque([start])
    while waiting:
        address = waiting.popleft()
        if address in found:
            continue
        page = found[address] = read(client, address)
        if page.status in (301, 302):
            page.links.append(page.response.headers["Location"])
        waiting += [link for link in (_within(address, href) for href in page.links) if link]
    return found


def _within(address: str, href: str) -> str:
    """The address of a link into the admin; "" for any other, the ways out, and the many orders of a list."""
    target = urlsplit(urldefrag(urljoin(f"http://testserver{address}", href))[0])
    inside = target.netloc == "testserver" and target.path.startswith("/admin/")
    many = "&" in target.query or target.query.startswith(("o=", "_changelist_filters"))
    if not inside or many:
        return ""
    return f"{target.path}?{target.query}" if target.query else target.path
