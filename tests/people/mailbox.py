"""Letters as they arrive at a real mail server, and the links in them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from typing import Any

from accounts import posting
from conversations import tasks
from iva.outbox import draining
from iva.outbox.models import Promise, Work
from tests.agreements.mail_server import MailServer


class Mailbox:
    """The server, and a worker that can be asked to deliver what is due."""

    def __init__(self, server: MailServer) -> None:
        self.server = server

    def deliver(self) -> list[Message]:
        """Send what is due; the letters that have arrived by this."""
        before = len(self.server.letters)
        posting.wait_no_longer()
        draining.drain(tasks.FULFIL)
        return self.server.letters[before:]

    def deliver_later(self) -> list[Message]:
        """The same when the time to try again has come."""
        Promise.objects.filter(work=Work.LETTER).update(due_at="2026-01-01T00:00:00Z", leased_until=None)
        return self.deliver()

    def link(self) -> str:
        """Deliver one letter; the path and query of the link in it."""
        (letter,) = self.deliver()
        return link_in(letter)


def text_of(letter: Message) -> str:
    content: Any = letter.get_payload(decode=True)
    return content.decode()


def link_in(letter: Message) -> str:
    (found,) = re.findall(r"https://iva\.example\.com(/\S+\?token=\S+)", text_of(letter))
    return str(found)


def token_in(link: str) -> str:
    return link.partition("token=")[2]


@contextmanager
def opened(configure: Callable[[dict[str, Any]], None]) -> Iterator[Mailbox]:
    with MailServer() as server:
        configure(server.settings())
        yield Mailbox(server)
