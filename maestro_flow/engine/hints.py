"""Hints inside a process: a commit of this flow is durable. They save waiting; the store is the truth (law 4)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from maestro_flow.actors.runtime import Event

__all__ = ["Hints"]


class Hints:
    """Who waits for which flow. Thread-safe; an announcement that nobody waits for costs a look-up."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Event]] = {}
        self._lock = threading.Lock()

    def announce(self, flow_id: str) -> None:
        """Wake whoever waits for the flow."""
        if flow_id in self._waiting:
            with self._lock:
                events = list(self._waiting.get(flow_id, ()))
            for event in events:
                event.set()

    @contextmanager
    def waiting(self, flow_id: str, event: Event) -> Iterator[None]:
        """The event is set at each announcement inside this block."""
        with self._lock:
            self._waiting.setdefault(flow_id, []).append(event)
        try:
            yield
        finally:
            with self._lock:
                events = self._waiting[flow_id]
                events.remove(event)
                if not events:
                    del self._waiting[flow_id]
