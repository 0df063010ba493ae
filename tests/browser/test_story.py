"""Somebody's first day, click by click, by the pages alone."""

import base64

import pytest
from django_otp.oath import totp
from playwright.sync_api import Page, expect

from accounts.roles import Role
from tests.browser import town
from tests.browser.conftest import Desk
from tests.browser.looking import DESKTOP, PHONE
from tests.browser.town import Town

pytestmark = pytest.mark.slow


def code_of(secret: str) -> str:
    """What the authenticator app shows now."""
    padded = secret + "=" * (-len(secret) % 8)
    return f"{totp(base64.b32decode(padded)):06}"


def submit(page: Page) -> None:
    """The one primary action of the page."""
    page.locator("main button.primary").click()


def sign_in(page: Page, email: str) -> None:
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(town.PASSWORD)
    submit(page)


def enroll(page: Page) -> None:
    """Type what the app shows, and keep the recovery codes."""
    page.wait_for_url("**/enroll/**")
    secret = page.locator("code.secret").text_content() or ""
    page.locator("input[name=code]").fill(code_of(secret))
    submit(page)
    expect(page.locator("#codes li")).to_have_count(10)
    page.locator("main a.primary").click()


@pytest.mark.parametrize(("language", "width"), [("mn", PHONE), ("en", DESKTOP)])
def test_signing_in_enrolling_agreeing_and_hearing_of_a_message(
    outside: Desk, inhabited: Town, language: str, width: int
) -> None:
    name = f"Bat{width}"
    town.hire(inhabited.acme, name, Role.ADMIN, language)
    seen = outside(language)
    page = seen.page
    page.set_viewport_size({"width": width, "height": 844})
    seen.go(f"/sign-in/?lang={language}&next=/overview/")
    sign_in(page, town.email(name, inhabited.acme))
    enroll(page)
    page.wait_for_url("**/agreements/**")
    submit(page)
    page.wait_for_url("**/overview/")
    expect(page.locator("html")).to_have_attribute("lang", language)
    state = page.locator("[data-live-state]").first
    expect(state).to_have_attribute("data-live-state", "live", timeout=60_000)
    seen.screenshot(f"home-{language}-{width}")
    page.evaluate("document.body.addEventListener('iva:inbox', () => { window.heard = true; })")
    inhabited.acme.says("Сайн байна уу?", phone="99001122")
    page.wait_for_function("() => window.heard")
