"""What a node knows of its store: it answers, it does not answer now, or it has failed for good.

The one rule for whoever calls the store in the background (journal, loader, keeper):

    StorageUnavailable  the identical call is made again, as long as it takes; one line when it begins, one when it ends
    StorageFailed       nothing will pass until somebody acts: the node gives everything up, and tells those that wait
    any other           this call is refused, because of what is in it: others are not affected
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from maestro_flow.clock import Clock
from maestro_flow.errors import StorageFailed, StorageUnavailable

__all__ = ["StoreHealth"]

logger = logging.getLogger("maestro_flow.engine")


class StoreHealth:
    """See the module. Thread-safe; ``on_failure`` is called once, by the thread that was told of it."""

    def __init__(self, clock: Clock, on_failure: Callable[[], None]) -> None:
        self._clock, self._on_failure = clock, on_failure
        self._away_since: float | None = None
        self._closed = False
        self.failure: StorageFailed | None = None

    def away(self, error: StorageUnavailable) -> None:
        """A call did not pass, and will be repeated."""
        if self._away_since is None:
            self._away_since = self._clock.monotonic()
            logger.warning("the store does not answer, what is asked of it is repeated until it does: %s", error)

    def answered(self) -> None:
        """A scan has passed."""
        since, self._away_since = self._away_since, None
        if since is not None:
            logger.warning("the store answers again, after %.1f s", self._clock.monotonic() - since)

    def fail(self, error: StorageFailed) -> None:
        """It is over."""
        if self.failure is None and not self._closed:
            self.failure = error
            logger.error("the store has failed, and nothing runs here any more: %s", error)
            self._on_failure()

    def close(self) -> None:
        """The node is closing: a request under way may find the store closed, which does not count as a failure."""
        self._closed = True

    def check(self) -> None:
        """Raises StorageFailed: what the store has failed with."""
        if self.failure is not None:
            # An exception of its own for each caller: a traceback must not grow, nor be shared by threads.
            raise type(self.failure)(*self.failure.args) from self.failure
