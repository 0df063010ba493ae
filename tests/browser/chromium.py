"""Chromium, wherever the machine keeps it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ABSENT = "this machine has no Chromium: `make browser` installs it from the distribution's packages"


def path() -> str | None:
    """Of the first that is there."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextmanager
def running(executable: str) -> Iterator[Browser]:
    """Headless, and without a sandbox: as root, and in most containers, it has none."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()
