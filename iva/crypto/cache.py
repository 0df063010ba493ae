"""Unwrapped keys, remembered for a short while by the bytes that wrap them.

The name of an entry contains the wrapped key, and the wrapped key has to be read from its row in every
transaction: when the row is deleted, no process can name the entry any more, wherever it still lies.
"""

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.conf import settings

from iva.crypto import aead
from iva.crypto.index_root import IndexRoot

CAPACITY = 10_000
LONGEST_SECONDS = 300
SWEEP_SECONDS = 30

Key = TypeVar("Key")


def seconds() -> float:
    """How long an unwrapped key may live: IVA_KEY_CACHE_SECONDS, never above 300."""
    return float(min(settings.IVA_KEY_CACHE_SECONDS, LONGEST_SECONDS))


class KeyCache(Generic[Key]):
    """Bounded, least recently used first out; one maker at a time for each name. Safe between threads.

    Keys past their lifetime are never served, and are let go whenever a new one arrives.
    """

    def __init__(
        self,
        capacity: int = CAPACITY,
        lifetime: Callable[[], float] = seconds,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._capacity, self._lifetime, self._clock = capacity, lifetime, clock
        self.forget_all()

    def forget_all(self) -> None:
        """Begin empty, with a lock of our own: a forked child may have inherited a held one."""
        self._lock = threading.Lock()
        self._entries: OrderedDict[Hashable, tuple[Key, float]] = OrderedDict()
        self._being_made: dict[Hashable, Future[Key]] = {}
        self._swept_at = self._clock()

    def peek(self, name: Hashable) -> Key | None:
        """The key of this name if it is at hand."""
        with self._lock:
            return self._at_hand(name)

    def get(self, name: Hashable, make: Callable[[], Key]) -> Key:
        """The key of this name; of many callers who miss it at once only one calls `make`.

        What `make` raises is raised in every caller that waited for it, and is not remembered.
        """
        with self._lock:
            found = self._at_hand(name)
            if found is not None:
                return found
            making = self._being_made.get(name)
            if making is None:
                mine: Future[Key] = Future()
                self._being_made[name] = mine
        if making is not None:
            return making.result()
        return self._make(name, make, mine)

    def discard(self, name: Hashable) -> None:
        with self._lock:
            self._entries.pop(name, None)

    def __len__(self) -> int:
        return len(self._entries)

    def _at_hand(self, name: Hashable) -> Key | None:
        entry = self._entries.get(name)
        if entry is None or self._clock() >= entry[1]:
            return None
        self._entries.move_to_end(name)
        return entry[0]

    def _make(self, name: Hashable, make: Callable[[], Key], mine: "Future[Key]") -> Key:
        began = self._clock()
        try:
            key = make()
        except BaseException as failure:
            self._end(name)
            mine.set_exception(failure)
            raise
        self._end(name, (key, began + self._lifetime()))
        mine.set_result(key)
        return key

    def _end(self, name: Hashable, entry: tuple[Key, float] | None = None) -> None:
        with self._lock:
            self._being_made.pop(name, None)
            if entry is None:
                return
            self._entries[name] = entry
            self._entries.move_to_end(name)
            self._sweep()
            while len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def _sweep(self) -> None:
        now = self._clock()
        if now < self._swept_at + SWEEP_SECONDS:
            return
        self._swept_at = now
        for name in [name for name, (_, until) in self._entries.items() if until <= now]:
            del self._entries[name]


organization_keys: KeyCache[aead.Cipher] = KeyCache()
data_keys: KeyCache[aead.Cipher] = KeyCache()
# By organization and not by wrapped bytes: an index key dies with its organization only, and a receiving
# transaction should not have to read its row before it knows whom to look for.
index_roots: KeyCache[IndexRoot] = KeyCache()


def forget_all() -> None:
    """Drop every unwrapped key of this process."""
    for keys in (organization_keys, data_keys, index_roots):
        keys.forget_all()


os.register_at_fork(after_in_child=forget_all)
