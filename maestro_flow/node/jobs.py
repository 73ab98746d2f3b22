"""Work that asks the store on behalf of the actors of a group, which never wait for it themselves."""

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
"""The first for a store that does not answer; towards the second for what fails again and again."""


class StoreJobs:
    """Jobs for groups that this node holds, on workers of their own. One that fails is tried again."""

    def __init__(self, runtime: Runtime, health: StoreHealth, name: str, workers: int) -> None:
        self._runtime, self._health = runtime, health
        self._workers = runtime.workers(name, workers)

    def submit(self, held: Held, job: Callable[[], None], *, again: bool = True, tries: int = 0) -> None:
        """Do a job as long as the group is held; ``again`` is False if somebody else sees to it when it fails."""

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
        """Do nothing more."""
        self._workers.close()
