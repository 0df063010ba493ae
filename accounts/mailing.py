"""One letter over SMTP, and exactly what became of it (RFC 5321).

Django's backend opens the connection and signs in; the four commands of the letter are ours, because its
`send_messages` tells neither the server's last word nor how far it came. Whoever calls learns the difference
between *not handed over* (try again), *refused* (do not) and *fate unknown* (the text left, no answer came).
"""

import os
import smtplib
import uuid
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import sanitize_address

OK, PERMANENT = 250, 500


class MailNotConfigured(RuntimeError):
    """Neither `IVA_EMAIL_URL` nor, for `make run`, a folder is set: nothing can be sent."""


class NotHandedOver(Exception):
    """The server could not be reached, or said to try later. It does not have the letter."""

    def __init__(self, reply: str) -> None:
        self.reply = reply
        super().__init__("not handed over")


class Refused(NotHandedOver):
    """The server will never take the letter: its answer begins with 5."""


class FateUnknown(Exception):
    """The connection broke while the letter was being handed over."""


def send(message: EmailMessage, about_to_hand_over: Callable[[], None]) -> str:
    """Send to the one recipient; returns the server's last word, such as `250 2.0.0 queued as 4F1A`.

    `about_to_hand_over` is called when the server has taken sender and recipient and nothing but the text is
    missing. Raises MailNotConfigured, NotHandedOver, Refused, FateUnknown, and whatever the callable raises.
    """
    if not is_configured():
        raise MailNotConfigured("IVA_EMAIL_URL is not set")
    if not settings.IVA_EMAIL_URL:
        return _keep(Path(settings.IVA_MAIL_FOLDER), message, about_to_hand_over)
    backend = EmailBackend()
    try:
        connection = _opened(backend)
        _address(connection, message)
        about_to_hand_over()
        return _hand_over(connection, message.message().as_bytes(linesep="\r\n"))  # type: ignore[call-arg]
    finally:
        _close(backend)


def is_configured() -> bool:
    """Whether letters go anywhere: to a mail server or, for `make run`, into a folder."""
    return bool(settings.IVA_EMAIL_URL or settings.IVA_MAIL_FOLDER)


def message_id(id: uuid.UUID) -> str:
    """`Message-ID` of a letter with this id (RFC 5322 3.6.4)."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    return f"<{id}@{domain}>"


def _keep(folder: Path, message: EmailMessage, about_to_hand_over: Callable[[], None]) -> str:
    """`make run` without a mail server: the letter becomes a file that only its developer can read."""
    folder.mkdir(mode=0o700, exist_ok=True)
    about_to_hand_over()
    name = f"{uuid.uuid4().hex}.eml"
    descriptor = os.open(folder / f".{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(message.message().as_bytes())
    (folder / f".{name}").rename(folder / name)
    return f"{OK} kept as {name}"


def _opened(backend: EmailBackend) -> smtplib.SMTP:
    try:
        backend.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(type(error).__name__) from None
    connection: smtplib.SMTP = backend.connection  # type: ignore[assignment]
    return connection


def _address(connection: smtplib.SMTP, message: EmailMessage) -> None:
    """A sender who is refused is our mistake, not the recipient's: that is tried again."""
    (recipient,) = message.to
    try:
        address = sanitize_address(recipient, "utf-8")
    except ValueError:
        raise Refused("not an address") from None
    try:
        connection.ehlo_or_helo_if_needed()
        code, reply = connection.mail(sanitize_address(message.from_email, "utf-8"))
        if code != OK:
            raise NotHandedOver(_said(code, reply))
        _expect(*connection.rcpt(address))
    except (OSError, smtplib.SMTPException) as error:
        raise NotHandedOver(type(error).__name__) from None


def _hand_over(connection: smtplib.SMTP, content: bytes) -> str:
    try:
        code, reply = connection.data(content)
    except smtplib.SMTPDataError as error:
        code, reply = error.smtp_code, error.smtp_error  # type: ignore[assignment]
    except (OSError, smtplib.SMTPException):
        raise FateUnknown from None
    return _expect(code, reply)


def _expect(code: int, reply: bytes | str) -> str:
    said = _said(code, reply)
    if code >= PERMANENT:
        raise Refused(said)
    if not 200 <= code < 300:
        raise NotHandedOver(said)
    return said


def _said(code: int, reply: bytes | str) -> str:
    return f"{code} {reply.decode('utf-8', 'replace') if isinstance(reply, bytes) else reply}"


def _close(backend: EmailBackend) -> None:
    """The letter's fate is known by now, whatever becomes of the farewell."""
    backend.fail_silently = True
    backend.close()
