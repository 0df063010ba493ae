"""An organization begins, click by click, by the pages alone: from signing up to the first answer."""

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser import postbox, town
from tests.browser.conftest import Desk
from tests.browser.looking import DESKTOP, PHONE
from tests.browser.town import Town
from tests.browser.watching import Observed

pytestmark = pytest.mark.slow

KEY = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True}
KEY |= {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
PATIENCE = 60_000
PHONE_NUMBER = "99112233"


def press(page: Page) -> None:
    """The one primary action of the page."""
    page.locator("main button.primary").click()


def give(page: Page, **fields: str) -> None:
    for name, value in fields.items():
        page.locator(f"main [name={name}]").fill(value)


def sit_down(outside: Desk, language: str, width: int) -> Observed:
    seen = outside(language)
    seen.page.set_viewport_size({"width": width, "height": 844})
    seen.page.set_default_timeout(PATIENCE)
    return seen


def hold_a_passkey(page: Page) -> None:
    """A device that knows its owner, as a phone with a fingerprint reader does."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": KEY})


def sign_up(seen: Observed, organization: str, email: str, language: str) -> None:
    page = seen.page
    seen.go(f"/sign-up/?lang={language}")
    give(page, organization=organization, name="Saraa", position="Захирал", phone="9911 2233")
    give(page, email=email)
    page.locator("main [name=locale]").select_option(language)
    page.locator("main [name=accepted]").check()
    press(page)
    page.wait_for_url("**/sign-up/written/")
    page.goto(postbox.link_to(seen.town.postbox, email))
    expect(page.locator("main")).to_contain_text(organization)
    seen.screenshot(f"confirming-{language}")
    give(page, password=town.PASSWORD)
    page.locator("main [name=accepted]").check()
    press(page)
    page.wait_for_url("**/sign-in/**")


def enroll_a_passkey(page: Page) -> None:
    page.wait_for_url("**/enroll/**")
    page.locator("#new-passkey button").click()
    expect(page.locator("#codes li")).to_have_count(10)
    page.locator("main a.primary").click()


def connect_a_system(seen: Observed) -> str:
    """A channel, and the token of a key that may write to it."""
    page = seen.page
    seen.go("/settings/channels/")
    give(page, name="Website")
    press(page)
    seen.go("/settings/api-keys/new/")
    give(page, name="Our website")
    page.locator("main [name=scopes][value='messages:write']").check()
    press(page)
    return page.locator("#token").text_content() or ""


def invite(seen: Observed, email: str) -> None:
    seen.go("/settings/members/invite/")
    give(seen.page, email=email)
    press(seen.page)
    seen.page.wait_for_url("**/settings/members/")


def join(seen: Observed, email: str) -> None:
    page = seen.page
    page.goto(postbox.link_to(seen.town.postbox, email))
    give(page, name="Bat", password=town.PASSWORD)
    page.locator("main [name=accepted]").check()
    press(page)
    page.wait_for_url(lambda url: "/invitations/" not in url)


def somebody_writes(town: Town, token: str, id_: str, text: str) -> str:
    """Id of the conversation in which an End User writes."""
    message = {"external_id": id_, "text": text, "sender": {"phone": PHONE_NUMBER}}
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(f"{town.address}/api/v1/messages/", headers=headers, json=message)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["conversation_id"])


@pytest.mark.parametrize(("language", "width"), [("mn", PHONE), ("en", DESKTOP)])
def test_signing_up_with_a_passkey_inviting_and_answering(
    outside: Desk, inhabited: Town, language: str, width: int
) -> None:
    host = f"founded-{language}.example.com"
    inhabited.programs.worker()
    owner, agent = sit_down(outside, language, width), sit_down(outside, language, width)
    hold_a_passkey(owner.page)
    sign_up(owner, f"Founded {language}", f"saraa@{host}", language)
    give(owner.page, email=f"saraa@{host}", password=town.PASSWORD)
    press(owner.page)
    enroll_a_passkey(owner.page)
    owner.page.wait_for_url("**/overview/**")
    expect(owner.page.locator("html")).to_have_attribute("lang", language)
    owner.screenshot(f"founded-{language}-{width}")
    token = connect_a_system(owner)
    invite(owner, f"bat@{host}")
    join(agent, f"bat@{host}")

    agent.go("/inbox/?view=all")
    shown = agent.page.locator("[data-live-state]").first
    expect(shown).to_have_attribute("data-live-state", "live", timeout=PATIENCE)
    conversation = somebody_writes(inhabited, token, "first", "Хүнтэй яримаар байна")
    agent.page.locator(f"#row-{conversation}").click()
    agent.page.locator("#composer-text").fill("Сайн байна уу, би Бат байна")
    agent.page.locator("#composer button.primary").click()
    expect(agent.page.locator("li.entry.member .said")).to_have_text("Сайн байна уу, би Бат байна")
    assert PHONE_NUMBER not in agent.page.content()
    agent.screenshot(f"answered-{language}-{width}")
    keep_up(agent.page, inhabited, token, conversation)
    resolve(agent.page)


def keep_up(page: Page, town: Town, token: str, conversation: str) -> None:
    """A burst ends, and the list and the thread show its end."""
    for number in range(6):
        somebody_writes(town, token, f"burst-{number}", f"Дараалсан зурвас {number}")
    expect(page.locator("li.entry .said").last).to_have_text("Дараалсан зурвас 5")
    expect(page.locator(f"#row-{conversation} .snippet")).to_have_text("Дараалсан зурвас 5")


def resolve(page: Page) -> None:
    page.locator("#menu-resolve summary").click()
    page.locator("#menu-resolve button").first.click()
    expect(page.locator("#menu-resolve")).to_have_count(0)
    expect(page.locator("#composer-frame .closed")).to_be_visible()
