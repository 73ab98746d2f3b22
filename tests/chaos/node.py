"""One process of a storm: an engine on the store, which is killed, frozen or told to stop by the harness.

Two things differ from a user's program, both at seams that the product has: its store records the claims and the
refused commits, and the clock of a sleepwalker does not notice that the process was frozen. When it thaws, such a
process trusts its leases and keeps writing: only the store can stop it.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from attrs import frozen

from maestro_flow import Engine, open_storage
from maestro_flow.clock import Environment, SystemClock
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.storage.protocol import Storage
from tests.chaos.diary import Diary
from tests.chaos.workflows import stormy

__all__ = ["Orders", "run"]

_STANDSTILL_S = 0.1
"""A sleepwalker's clock advances by at most this between two readings, which are 10 ms apart."""

_PR_SET_PDEATHSIG = 1

T = TypeVar("T")


@frozen
class Orders:
    """The orders of a process."""

    url: str
    diary: Path
    lease_s: float
    work_s: float
    is_sleepwalker: bool = False


class SleepwalkersClock(SystemClock):
    """Does not notice that the process was frozen, like the clock of a suspended machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._looked_at = time.monotonic()
        self._now = 0.0
        threading.Thread(target=self._look, daemon=True).start()

    def monotonic(self) -> float:
        with self._lock:
            looked_at = time.monotonic()
            self._now += min(looked_at - self._looked_at, _STANDSTILL_S)
            self._looked_at = looked_at
            return self._now

    def _look(self) -> None:
        while True:
            time.sleep(0.01)
            self.monotonic()


class Watched:
    """Records the claims of a store, and the commits that it refused to a former owner."""

    def __init__(self, storage: Storage, diary: Diary) -> None:
        self._storage, self._diary = storage, diary

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        leases = self._storage.claim(owner, lease_s=lease_s, limit=limit)
        if leases:
            generations = {lease.group_id: lease.generation for lease in leases}
            self._diary.note("claim", owner=owner.id, generations=generations, at=time.time())
        return leases

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        outcomes = self._storage.commit(batch)
        if refused := outcomes.count(Outcome.OWNERSHIP_LOST):
            self._diary.note("stale", refused=refused)
        return outcomes


def run(orders: Orders) -> None:
    """Run until SIGTERM; the process does not outlive its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: told.set())
    logging.getLogger("maestro_flow").setLevel(logging.ERROR)  # losses and takeovers are all that happens here
    diary = Diary(orders.diary)
    environment = Environment(clock=SleepwalkersClock()) if orders.is_sleepwalker else Environment()
    storage = insist(lambda: open_storage(orders.url), told)
    watched: Any = Watched(storage, diary)
    engine = insist(
        lambda: Engine(watched, environment=environment, lease_s=orders.lease_s, crashes_max=1_000_000), told
    )
    insist(lambda: engine.push(stormy(diary, orders.work_s)), told)
    diary.note("ready", at=time.time())
    told.wait()
    engine.close()
    storage.close()
    os._exit(0)


def insist(call: Callable[[], T], told: threading.Event) -> T:
    """What a program does while the store is away: the same call again."""
    while True:
        try:
            return call()
        except StorageUnavailable:
            if told.wait(0.1):
                os._exit(0)
