"""Hints inside a process that a commit of a flow is durable. They shorten waits; the store is the truth (law 4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from maestro_flow.clock import Event

__all__ = ["Hints"]


class Hints:
    """The waiters of each flow. Thread-safe; an announcement without waiters costs a look-up."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[tuple[Event, bool]]] = {}
        self._lock = threading.Lock()

    def announce(self, flow_id: str, has_ended: bool) -> None:
        """A commit of the flow is durable: wake the waiters for any commit and, if it is the last one, for the end."""
        if flow_id in self._waiting:
            with self._lock:
                waiting = list(self._waiting.get(flow_id, ()))
            for event, only_the_end in waiting:
                if has_ended or not only_the_end:
                    event.set()

    def wake_all(self) -> None:
        """Wake the waiters of all flows."""
        with self._lock:
            waiting = [event for entries in self._waiting.values() for event, _ in entries]
        for event in waiting:
            event.set()

    @contextmanager
    def waiting(self, flow_id: str, event: Event, *, only_the_end: bool) -> Iterator[None]:
        """Inside this block the event is set at each announcement, or only at that of the flow's end."""
        entry = (event, only_the_end)
        with self._lock:
            self._waiting.setdefault(flow_id, []).append(entry)
        try:
            yield
        finally:
            with self._lock:
                entries = self._waiting[flow_id]
                entries.remove(entry)
                if not entries:
                    del self._waiting[flow_id]
