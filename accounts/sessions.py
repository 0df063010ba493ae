"""Sessions whose cookie no reader of the database can make (ASVS 7.2, P52).

The table keeps the SHA-256 of a session's key, so that a dump opens nobody's session; what is kept under it
is signed together with that hash, so that a copy of somebody's row under another key is worth nothing.
"""

import hashlib
from typing import Any

from django.contrib.sessions.backends import db
from django.utils import timezone

LENGTH = 40


def kept(key: str | None) -> str:
    """What is written for a session's key: 160 bits of its SHA-256, in hexadecimal."""
    return hashlib.sha256((key or "").encode()).hexdigest()[:LENGTH]


class SessionStore(db.SessionStore):
    """Django's sessions in the database, found by the hash of their key."""

    @property
    def key_salt(self) -> str:
        return f"accounts.sessions.{kept(self.session_key)}"

    def _get_session_from_db(self) -> Any:
        found = self.model.objects.filter(session_key=kept(self.session_key), expire_date__gt=timezone.now())
        session = found.first()
        if session is None:
            self._session_key = None
        return session

    def exists(self, session_key: str) -> bool:
        return super().exists(kept(session_key))

    def create_model_instance(self, data: Any) -> Any:
        session = super().create_model_instance(data)
        session.session_key = kept(session.session_key)
        return session

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key is not None:
            super().delete(kept(key))
