"""Having something done a moment later, by one thread of the process for everybody who wants it."""

import os
import threading
import time
import weakref
from collections.abc import Callable

import structlog

logger = structlog.get_logger("iva.soon")


class Soon:
    """Calls `act` once after it was wanted, however often; what is wanted meanwhile is done afterwards.

    Wanting never fails and never waits. `breath`: seconds between two calls, in which wishes gather.
    A forked child begins with a thread of its own.
    """

    def __init__(self, name: str, act: Callable[[], object], breath: float) -> None:
        self._name, self._act, self._breath = name, act, breath
        self._thread: threading.Thread | None = None
        self._begin_anew()
        _everybody.add(self)

    def want(self) -> None:
        self._wanted.set()
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                self._begin()

    def _begin(self) -> None:
        """Where no thread can be had just now, the next wish tries again."""
        if self._thread is not None and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._act_for_ever, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            logger.warning("no thread to be had", service=self._name, error=type(error).__name__)
        else:
            self._thread = thread

    def _act_for_ever(self) -> None:
        while self._wanted.wait():
            self._wanted.clear()
            try:
                self._act()
            except Exception:
                logger.exception("what was wanted failed", service=self._name)
            time.sleep(self._breath)

    def _begin_anew(self) -> None:
        self._wanted, self._lock = threading.Event(), threading.Lock()
        self._thread = None


def _begin_anew() -> None:
    for each in _everybody:
        each._begin_anew()


_everybody: weakref.WeakSet[Soon] = weakref.WeakSet()
os.register_at_fork(after_in_child=_begin_anew)
