"""Listeners for hints that something came in for a group: ``Storage.listen`` of every backend.

The user of a handle knows its own calls, so of those listeners are only told about groups that are not held through it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

__all__ = ["Listeners"]

logger = logging.getLogger("maestro_flow.storage")


class Listeners:
    """Functions to call with the id of a group. Thread-safe; call it without holding a lock that they might need."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: tuple[Callable[[int], None], ...] = ()
        self._held: set[int] = set()

    def add(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """Add a function; returns the function that removes it, which may be called twice."""

        def one(group_id: int) -> None:  # the same function may listen twice
            wake(group_id)

        with self._lock:
            self._all += (one,)

        def remove() -> None:
            with self._lock:
                self._all = tuple(other for other in self._all if other is not one)

        return remove

    def tell_of_others(self, group_ids: Iterable[int]) -> list[int]:
        """``tell`` only of the groups that are not held through this handle; returns them."""
        with self._lock:
            elsewhere = sorted(set(group_ids) - self._held)
        self.tell(elsewhere)
        return elsewhere

    def tell(self, group_ids: Iterable[int]) -> None:
        """Call all listeners with each group once. Exceptions are logged, so that all others still hear of it."""
        listening = self._all
        for group_id in dict.fromkeys(group_ids) if listening else ():
            for wake in listening:
                try:
                    wake(group_id)
                except Exception:
                    logger.exception("a listener for group %d has failed", group_id)

    def hold(self, group_ids: Iterable[int]) -> None:
        """These groups were claimed through this handle."""
        with self._lock:
            self._held.update(group_ids)

    def release(self, group_ids: Iterable[int]) -> None:
        """These groups were released, or are lost."""
        with self._lock:
            self._held.difference_update(group_ids)
