"""A mail server that speaks SMTP on the loopback interface and keeps what it is given (RFC 5321).

`answers` replaces the reply to a command: `{"RCPT": "550 5.1.1 no such mailbox"}`. `on` calls back when a
command arrives, `"TEXT"` when a whole text has and `"TAKEN"` when it was kept: it may block, or close the
connection by raising ConnectionError.
"""

import email
import socketserver
import threading
from collections.abc import Callable
from email.message import Message
from typing import Any

from iva.settings import mail


class MailServer:
    def __init__(self) -> None:
        self.letters: list[Message] = []
        self.commands: list[str] = []
        self.recipients: list[str] = []
        self.answers: dict[str, str] = {}
        self.on: dict[str, Callable[[], object]] = {}
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"smtp://127.0.0.1:{self._server.server_address[1]}"

    def settings(self) -> dict[str, Any]:
        return {
            "IVA_EMAIL_URL": self.url,
            "DEFAULT_FROM_EMAIL": "IVA <no-reply@example.com>",
            "IVA_SITE_URL": "https://iva.example.com",
            **mail(self.url),
        }

    def received(self) -> list[str]:
        """Who got a letter, once for each."""
        return sorted(str(letter["To"]) for letter in self.letters)

    def __enter__(self) -> "MailServer":
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        house = self

        class Talk(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    self._say(house.answers.get("CONNECT", "220 mail.example.com ESMTP"))
                    while line := self.rfile.readline():
                        self._hear(line.decode().rstrip("\r\n"))
                except (ConnectionError, ValueError):
                    pass

            def _hear(self, line: str) -> None:
                command = line[:4].upper()
                house.commands.append(line)
                house.on.get(command, lambda: None)()
                usual = {"EHLO": "250 mail.example.com", "QUIT": "221 bye", "DATA": "354 go ahead"}
                answer = house.answers.get(command, usual.get(command, "250 2.0.0 ok"))
                if command == "RCPT" and answer.startswith("2"):
                    house.recipients.append(line)
                self._say(answer)
                if command == "DATA" and answer.startswith("354"):
                    self._take()
                if command == "QUIT":
                    raise ConnectionError

            def _take(self) -> None:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
                house.on.get("TEXT", lambda: None)()
                answer = house.answers.get("TEXT", f"250 2.0.0 queued as {len(house.letters) + 1:04X}")
                if line and answer.startswith("2"):
                    house.letters.append(email.message_from_bytes(b"".join(lines)))
                house.on.get("TAKEN", lambda: None)()
                self._say(answer)

            def _say(self, line: str) -> None:
                self.wfile.write(line.encode() + b"\r\n")

        return Talk
