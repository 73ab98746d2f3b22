"""The processes of a storm: each seat has one at a time, forked from a process that has imported everything already.

A process that is forked off a fresh one costs 20 ms instead of half a second, so that a hundred kills a minute leave
time for work on two cores.
"""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from tests.chaos.node import Orders, run

__all__ = ["FORKS", "Seat"]

FORKS = get_context("forkserver")
_BACKENDS = ("maestro_flow_redis.storage", "maestro_flow_sql.postgres", "maestro_flow_sql.sqlite")
FORKS.set_forkserver_preload(["tests.chaos.node", "tests.chaos.doomed", *_BACKENDS])


class Seat:
    """One node after the other. ``pid`` is 0 while there is none."""

    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self._process: BaseProcess | None = None
        self.is_frozen = False

    @property
    def pid(self) -> int:
        return (self._process and self._process.pid) or 0

    def start(self) -> None:
        self._process = FORKS.Process(target=run, args=(self.orders,), daemon=True)
        self._process.start()
        self.is_frozen = False

    def kill(self) -> tuple[int, float]:
        """The pid, and when; it is reaped when this returns."""
        pid, killed_at = self.pid, time.time()
        os.kill(pid, signal.SIGKILL)
        self._leave()
        return pid, killed_at

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)
        self.is_frozen = True

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
        self.is_frozen = False

    def stop(self, patience_s: float) -> tuple[int, float, float]:
        """SIGTERM: the pid, when, and how many seconds it took to end. It is killed when it does not."""
        pid, told_at = self.pid, time.time()
        os.kill(pid, signal.SIGTERM)
        assert self._process is not None
        self._process.join(patience_s)
        took_s = time.time() - told_at
        if self._process.exitcode is None:
            os.kill(pid, signal.SIGKILL)
        self._leave()
        return pid, told_at, took_s

    def has_ended(self) -> bool:
        """By itself, which none should."""
        return self._process is not None and self._process.exitcode is not None

    def _leave(self) -> None:
        assert self._process is not None
        self._process.join()
        self._process, self.is_frozen = None, False
