"""A page hears of what happens: over the stream, and without it by asking; without being loaded again."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Desk
from tests.browser.town import Town
from tests.browser.watching import Observed

pytestmark = pytest.mark.slow

REMEMBER = """
() => {
  window.told = [];
  for (const name of ["iva:inbox", "iva:conversation"])
    document.body.addEventListener(name, (event) => window.told.push(event.detail.id || "inbox"));
}
"""
TOLD = "id => window.told.includes(id) && window.told.includes('inbox')"
PATIENCE = 60_000


def is_told_of(page: Page, conversation: str) -> None:
    page.wait_for_function(TOLD, arg=conversation)


def shows(page: Page, state: str) -> None:
    shown = page.locator("[data-live-state]").first
    expect(shown).to_have_attribute("data-live-state", state, timeout=PATIENCE)


@pytest.fixture
def home(desk: Desk) -> Iterator[Observed]:
    seen = desk("en")
    seen.page.set_default_timeout(PATIENCE)
    seen.go("/overview/")
    seen.page.evaluate(REMEMBER)
    yield seen


def test_a_message_is_heard_of_while_the_page_is_open(home: Observed, inhabited: Town) -> None:
    shows(home.page, "live")
    ours = inhabited.acme.says("Сайн байна уу?", phone="99887766").body["conversation_id"]
    theirs = inhabited.globex.says("Сайн байна уу?", phone="99887766").body["conversation_id"]
    is_told_of(home.page, ours)
    assert theirs not in home.page.evaluate("window.told")
    assert home.page.evaluate("performance.getEntriesByType('navigation').length") == 1


def test_without_the_stream_the_page_asks_and_finds_back(home: Observed, inhabited: Town) -> None:
    """The stream's process is killed, and comes back at the same address."""
    home.forgive("net::ERR_")
    shows(home.page, "live")
    inhabited.programs.streaming.kill()
    shows(home.page, "polling")
    expect(home.page.locator("[data-live-said]")).to_have_text("Every few seconds")
    first = inhabited.acme.says("Хэн нэгэн байна уу?", phone="99887755").body["conversation_id"]
    is_told_of(home.page, first)
    inhabited.programs.live(int(inhabited.live.partition(":")[2]))
    shows(home.page, "live")
    second = inhabited.acme.says("Баярлалаа", phone="99887744").body["conversation_id"]
    is_told_of(home.page, second)


def test_whoever_signs_out_in_another_tab_hears_nothing_more(home: Observed) -> None:
    home.forgive("Failed to load resource")
    home.forgive("CORS policy")
    shows(home.page, "live")
    other = home.context.new_page()
    other.goto(home.town.address + "/organizations/")
    other.locator("form[action='/sign-out/'] button").first.click()
    other.wait_for_url("**/sign-in/**")
    home.page.wait_for_url("**/sign-in/**")
