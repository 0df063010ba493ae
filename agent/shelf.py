"""Built indexes, kept by this process for a while.

What lies here is the text of organizations' knowledge bases, never anything about an End User. An index is
asked for under the version its organization's transaction has just read, so a stale one is never used; one
that nobody asks for goes after `IDLE_SECONDS`, so a departed organization's text does not linger.
"""

import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from agent.retrieval import Index

MOST_ENTRIES_HELD = 20_000
"""Entries of all indexes together; about 15 kB each."""

IDLE_SECONDS = 300.0


@dataclass(slots=True)
class _Held:
    version: int
    index: Index
    used_at: float


class Shelf:
    """A bounded cache of one index for each organization, the least recently used going first."""

    def __init__(
        self, most_entries: int = MOST_ENTRIES_HELD, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most_entries, self._clock = most_entries, clock
        self._held: OrderedDict[uuid.UUID, _Held] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, organization_id: uuid.UUID, version: int, build: Callable[[], Index]) -> Index:
        """The index of this version, built now if it is not held."""
        found = self._find(organization_id, version)
        if found is None:
            found = build()
            self._keep(organization_id, version, found)
        return found

    def held(self, organization_id: uuid.UUID, version: int) -> Index | None:
        """The index of this version if it is held."""
        return self._find(organization_id, version)

    def _find(self, organization_id: uuid.UUID, version: int) -> Index | None:
        with self._lock:
            self._drop_idle()
            held = self._held.get(organization_id)
            if held is None or held.version != version:
                return None
            held.used_at = self._clock()
            self._held.move_to_end(organization_id)
            return held.index

    def _keep(self, organization_id: uuid.UUID, version: int, index: Index) -> None:
        with self._lock:
            self._held[organization_id] = _Held(version, index, self._clock())
            self._held.move_to_end(organization_id)
            while (
                len(self._held) > 1
                and sum(len(held.index) for held in self._held.values()) > self._most_entries
            ):
                self._held.popitem(last=False)

    def _drop_idle(self) -> None:
        long_ago = self._clock() - IDLE_SECONDS
        while self._held and next(iter(self._held.values())).used_at < long_ago:
            self._held.popitem(last=False)
