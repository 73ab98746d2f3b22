"""Jobs that call the store for the actors of a group, which never wait for it themselves."""

from __future__ import annotations

import logging
from collections.abc import Callable

from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held
from maestro_flow.errors import StorageFailed, StorageUnavailable
from maestro_flow.node.health import StoreHealth

__all__ = ["StoreJobs"]

logger = logging.getLogger("maestro_flow.engine")

_RETRY_S, _RETRY_MAX_S = 0.5, 30.0
"""The first while the store does not answer; growing to the second for a job that keeps failing."""


class StoreJobs:
    """Jobs for groups that this node holds, on dedicated workers. A job that fails is retried."""

    def __init__(self, runtime: Runtime, health: StoreHealth, name: str, workers: int) -> None:
        self._runtime, self._health = runtime, health
        self._workers = runtime.workers(name, workers)

    def submit(self, held: Held, job: Callable[[], None], *, again: bool = True, tries: int = 0) -> None:
        """Run a job while the group is held; without ``again``, a failure is left to the caller's next attempt."""

        def retry(wait_s: float) -> None:
            if again:
                self._runtime.call_later(wait_s, lambda: self.submit(held, job, tries=min(tries + 1, 10)))

        def run() -> None:
            if held.lost:
                return
            try:
                job()
            except StorageUnavailable as error:
                self._health.away(error)
                retry(_RETRY_S)
            except StorageFailed as error:
                self._health.fail(error)
            except Exception:
                logger.exception("a request to the store failed for group %d", held.lease.group_id)
                retry(min(_RETRY_S * 2**tries, _RETRY_MAX_S))

        self._workers.submit(run)

    def close(self) -> None:
        """Start no further job."""
        self._workers.close()
