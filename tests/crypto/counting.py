"""A key service that counts, and one that can fail at any step."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from iva.crypto import kms
from iva.crypto.kms import KeyServiceUnavailable


class CountingService:
    """Stands before the chosen key service. `before` may raise to make a call fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: Counter[str] = Counter()
        self.before: Callable[[str], None] = lambda name: None
        self._real = kms.service
        monkeypatch.setattr(kms, "service", lambda: self)

    def fail(self) -> None:
        """Be out of reach from now on."""

        def refuse(name: str) -> None:
            raise KeyServiceUnavailable("out of reach")

        self.before = refuse

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> Any:
            self.calls[name] += 1
            self.before(name)
            return getattr(self._real(), name)(*arguments)

        return call
