"""Stores that lack one line: the simulation must detect it."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import judge_batch
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.memory_state import MemoryState

__all__ = ["Unfenced"]


class _AnyLeaseIsGood:
    """The facts of a store, but for the fence."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self.group_count, self.written = state.group_count, state.written
        self.last_position, self.message = state.last_position, state.message

    def is_current(self, lease: Lease) -> bool:
        return True


class Unfenced(MemoryStorage):
    """``commit`` takes whatever an owner writes, of whichever generation."""

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        with self._lock:
            now = self._clock.time()
            return judge_batch(batch, _AnyLeaseIsGood(self._state), lambda commit: self._state.apply(commit, now))
