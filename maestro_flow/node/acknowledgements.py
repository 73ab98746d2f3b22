"""Starts whose run has its first commit: the catalog is to be told, and a late scan may still bring them once more."""

from __future__ import annotations

import threading

from maestro_flow.clock import Clock
from maestro_flow.storage.protocol import Storage

__all__ = ["StartAcknowledgements"]

_REMEMBERED_S = 30.0
"""A scan that was read before the catalog was told is handled within this, or its run is loaded again for nothing."""


class StartAcknowledgements:
    """Runs whose start is acknowledged, or is to be. Thread-safe; sent in batches, off the path of any step."""

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
        """Whether a scan that still brings the start as pending is behind the times."""
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
