"""One thread serves all timers of a runtime."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from math import isnan

from maestro_flow.clock import Clock

__all__ = ["ThreadTimers"]

logger = logging.getLogger("maestro_flow.actors")

_COMPACT_MIN = 1024

_WAIT_MAX_S = 3600.0
"""The longest single wait: a definition may ask for centuries, which the platform refuses."""


class _Timer:
    __slots__ = ("call", "timers")

    def __init__(self, call: Callable[[], None], timers: ThreadTimers) -> None:
        self.call: Callable[[], None] | None = call
        self.timers = timers

    def cancel(self) -> None:
        self.timers.cancel(self)


class ThreadTimers:
    """A heap of (due, call) and the thread that makes the calls."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()  # equal times keep their order
        self._changed = threading.Condition()
        self._cancelled = 0
        self._closed = False
        threading.Thread(target=self._run, name="maestro-flow-timers", daemon=True).start()

    def call_later(self, delay_s: float, call: Callable[[], None]) -> _Timer:
        if isnan(delay_s):
            raise ValueError("a timer is due in nan seconds")  # it would break the order of all others
        timer = _Timer(call, self)
        due = self._clock.monotonic() + delay_s
        with self._changed:
            heapq.heappush(self._heap, (due, next(self._numbers), timer))
            if self._heap[0][2] is timer:
                self._changed.notify()
        return timer

    def cancel(self, timer: _Timer) -> None:
        """Free what the call holds at once; the heap entry goes when due, or when most entries are cancelled."""
        with self._changed:
            if timer.call is None:
                return
            timer.call = None
            self._cancelled += 1
            if self._cancelled > _COMPACT_MIN and self._cancelled * 2 > len(self._heap):
                self._heap = [entry for entry in self._heap if entry[2].call is not None]
                heapq.heapify(self._heap)
                self._cancelled = 0

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _run(self) -> None:
        while (call := self._next()) is not None:
            try:
                call()
            except Exception:
                logger.exception("a timer's call failed")

    def _next(self) -> Callable[[], None] | None:
        """Wait for the next call that is due; None after ``close``."""
        with self._changed:
            while not self._closed:
                wait = self._heap[0][0] - self._clock.monotonic() if self._heap else None
                if wait is None or wait > 0:
                    self._changed.wait(None if wait is None else min(wait, _WAIT_MAX_S))
                    continue
                timer = heapq.heappop(self._heap)[2]
                call, timer.call = timer.call, None
                if call is not None:
                    return call
                self._cancelled -= 1
        return None
