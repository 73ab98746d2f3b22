"""What a node knows of its store: available, unavailable for now, or failed for good.

The one rule for all background calls of the store (journal, loader, keeper):

    StorageUnavailable  the identical call is repeated for as long as it takes; one log line at the beginning and end
    StorageFailed       no call will succeed until somebody acts: the node gives up everything and tells all waiters
    any other           only this call is refused, because of its content
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from maestro_flow.clock import Clock
from maestro_flow.errors import StorageFailed, StorageUnavailable

__all__ = ["StoreHealth"]

logger = logging.getLogger("maestro_flow.engine")


class StoreHealth:
    """See the module. Thread-safe; ``on_failure`` is called once, on the thread that reports the failure."""

    def __init__(self, clock: Clock, on_failure: Callable[[], None]) -> None:
        self._clock, self._on_failure = clock, on_failure
        self._away_since: float | None = None
        self._closed = False
        self.failure: StorageFailed | None = None

    def away(self, error: StorageUnavailable) -> None:
        """A call has failed and will be repeated."""
        if self._away_since is None:
            self._away_since = self._clock.monotonic()
            logger.warning("the store does not answer; calls are repeated until it does: %s", error)

    def answered(self) -> None:
        """A scan has succeeded."""
        since, self._away_since = self._away_since, None
        if since is not None:
            logger.warning("the store answers again, after %.1f s", self._clock.monotonic() - since)

    def fail(self, error: StorageFailed) -> None:
        """The store has failed for good."""
        if self.failure is None and not self._closed:
            self.failure = error
            logger.error("the store has failed, and nothing runs here any more: %s", error)
            self._on_failure()

    def close(self) -> None:
        """The node is closing: a call in progress may find the store closed, which does not count as a failure."""
        self._closed = True

    def check(self) -> None:
        """Raises StorageFailed: the store has failed, with this error."""
        if self.failure is not None:
            # A new exception for each caller: a traceback must not grow, nor be shared by threads.
            raise type(self.failure)(*self.failure.args) from self.failure
