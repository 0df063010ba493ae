"""Headless Chromium in front of the product's own processes; skipped, and said so, where there is none."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from iva import local
from tests import conftest
from tests.browser import chromium, town, watching
from tests.browser.town import Town
from tests.browser.watching import Observed
from tests.faults.running import Programs

Desk = Callable[..., Observed]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    executable = chromium.path()
    if executable is None:
        pytest.skip(chromium.ABSENT)
    with chromium.running(executable) as launched:
        yield launched


@pytest.fixture(scope="package")
def inhabited(
    browser: Browser,
    servers: local.Servers,
    django_db_setup: None,
    django_db_blocker: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Town]:
    """One town for all: browser tests look and add, they do not take away.

    Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    programs = Programs(os.environ, tmp_path_factory.mktemp("town"))
    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        made = town.settle(programs)
        made.postbox = tmp_path_factory.mktemp("letters")
        made.serve()
        yield made
    programs.end()
    conftest.empty(servers)
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def outside(browser: Browser, inhabited: Town) -> Iterator[Desk]:
    """A browser of somebody who is not signed in: `outside("mn")`."""
    with ExitStack() as stack:
        yield lambda language: stack.enter_context(watching.observed(browser, inhabited, language))


@pytest.fixture
def desk(browser: Browser, inhabited: Town) -> Iterator[Desk]:
    """A browser in which Acme's owner of that language is signed in: `desk("en")`."""
    with ExitStack() as stack:

        def sit_down(language: str) -> Observed:
            session = town.session_of(inhabited.owners[language])
            return stack.enter_context(watching.observed(browser, inhabited, language, session))

        yield sit_down
