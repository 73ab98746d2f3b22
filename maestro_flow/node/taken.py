"""Given runs that were taken up: what the catalog is still to be told, and what a scan may still bring once more."""

from __future__ import annotations

import threading

from maestro_flow.clock import Clock
from maestro_flow.storage.protocol import Storage

__all__ = ["TakenRuns"]

_REMEMBERED_S = 30.0
"""A scan that was read before the catalog was told is handled within this, or its run is loaded again for nothing."""


class TakenRuns:
    """Runs whose first commit is durable. Thread-safe; told to the catalog in batches, off the way of any step."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage, self._clock = storage, clock
        self._lock = threading.Lock()
        self._untold: list[str] = []
        self._noted_at: dict[str, float] = {}

    def note(self, flow_id: str) -> None:
        """The run has its first commit."""
        with self._lock:
            self._untold.append(flow_id)
            self._noted_at[flow_id] = self._clock.monotonic()

    def __contains__(self, flow_id: str) -> bool:
        """Whether a scan that still brings the run as given is behind the times."""
        return flow_id in self._noted_at

    def tell(self) -> None:
        """Mark them in the catalog.

        Raises:
            StorageUnavailable: not marked; they are told with the next call.
        """
        with self._lock:
            untold, self._untold = self._untold, []
        if untold:
            try:
                self._storage.acknowledge_starts(untold)
            except BaseException:
                with self._lock:
                    self._untold = untold + self._untold
                raise
        self._forget()

    def _forget(self) -> None:
        with self._lock:
            kept = set(self._untold)
            horizon = self._clock.monotonic() - _REMEMBERED_S
            for flow_id, noted_at in list(self._noted_at.items()):  # oldest first
                if noted_at > horizon:
                    return
                if flow_id not in kept:
                    del self._noted_at[flow_id]
