"""A mailbox for whoever is written to."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts import posting
from tests.people import mailbox
from tests.people.mailbox import Mailbox


@pytest.fixture
def mail(db: None, settings: Any) -> Iterator[Mailbox]:
    """A mail server, and a worker that delivers to it when asked."""

    def configure(values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(settings, name, value)

    with mailbox.opened(configure) as opened:
        yield opened
    posting.wait_no_longer()
