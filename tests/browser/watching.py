"""A page under observation: whatever goes wrong in it is written down, and asserted at the end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, Request

from iva.local.folder import CHECKOUT
from tests.browser.town import Town

NECESSARY = {"session", "csrf"}
"""Without these no page can be used; no other cookie is ever set (P53)."""
LANGUAGES = {"mn": "mn-MN", "en": "en-GB"}
SCREENSHOTS = CHECKOUT / ".screenshots"


class Observed:
    """One browser profile with one page."""

    def __init__(self, context: BrowserContext, town: Town) -> None:
        self.context, self.town = context, town
        self.page: Page = context.new_page()
        self.faults: list[str] = []
        self.forgiven: set[str] = set()
        self.page.on("console", lambda said: said.type == "error" and self._fault(said.text))
        self.page.on("pageerror", lambda error: self._fault(str(error)))
        context.on("request", self._look_where)

    def go(self, path: str) -> int:
        """Open an address of ours; the status of the answer."""
        answer = self.page.goto(self.town.address + path, wait_until="load")
        assert answer is not None
        return answer.status

    def forgive(self, words: str) -> None:
        """What a test brings about itself: an address that answers 4xx, a process it kills."""
        self.forgiven.add(words)

    def screenshot(self, name: str) -> Path:
        """The whole page, in a folder that is not kept."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        return path

    def assert_nothing_went_wrong(self) -> None:
        """No error in the console (a violation of the policy is one), nothing from elsewhere, no cookie."""
        assert self.faults == [], "\n".join(["", *self.faults])
        assert {cookie["name"] for cookie in self.context.cookies()} <= NECESSARY

    def _look_where(self, request: Request) -> None:
        if not request.url.startswith(self.town.ours):
            self._fault(f"asks another host: {request.url}")

    def _fault(self, text: str) -> None:
        if not any(words in text for words in self.forgiven):
            self.faults.append(f"{self.page.url}: {text}")


@contextmanager
def observed(browser: Browser, town: Town, language: str, session: str | None = None) -> Iterator[Observed]:
    context = browser.new_context(
        locale=LANGUAGES[language], viewport={"width": 1280, "height": 800}, reduced_motion="reduce"
    )
    if session is not None:
        context.add_cookies([{"name": "session", "value": session, "url": town.address}])
    seen = Observed(context, town)
    yield seen
    seen.assert_nothing_went_wrong()
    context.close()
