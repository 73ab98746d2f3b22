"""Starts whose run has its first commit: to be acknowledged in the catalog; a stale scan may still bring them."""

from __future__ import annotations

import threading

from maestro_flow.clock import Clock
from maestro_flow.storage.protocol import Storage

__all__ = ["StartAcknowledgements"]

_REMEMBERED_S = 30.0
"""A scan read before the acknowledgement is handled within this time; later, its run is reloaded unnecessarily."""


class StartAcknowledgements:
    """Runs whose start was or will be acknowledged. Thread-safe; sent in batches, outside the path of any step."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage, self._clock = storage, clock
        self._lock = threading.Lock()
        self._unsent: list[str] = []
        self._added_at: dict[str, float] = {}

    def add(self, flow_id: str) -> None:
        """The run has its first commit."""
        with self._lock:
            self._unsent.append(flow_id)
            self._added_at[flow_id] = self._clock.monotonic()

    def __contains__(self, flow_id: str) -> bool:
        """Whether a scan that still has the start as pending is stale."""
        return flow_id in self._added_at

    def send(self) -> None:
        """Acknowledge them in the catalog.

        Raises:
            StorageUnavailable: not acknowledged; the next call tries again.
        """
        with self._lock:
            unsent, self._unsent = self._unsent, []
        if unsent:
            try:
                self._storage.acknowledge_starts(unsent)
            except BaseException:
                with self._lock:
                    self._unsent = unsent + self._unsent
                raise
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            kept = set(self._unsent)
            horizon = self._clock.monotonic() - _REMEMBERED_S
            for flow_id, added_at in list(self._added_at.items()):  # oldest first
                if added_at > horizon:
                    return
                if flow_id not in kept:
                    del self._added_at[flow_id]
