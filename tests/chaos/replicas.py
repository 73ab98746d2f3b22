"""The node processes of a storm: each replica runs one at a time, forked from a process that has imported everything.

A fork from such a process takes 20 ms, and a new process half a second; so a hundred kills a minute leave time for work
on two cores.
"""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import get_context
from multiprocessing.process import BaseProcess

from tests.chaos.node import Orders, run

__all__ = ["FORKS", "Replica"]

FORKS = get_context("forkserver")
_BACKENDS = ("maestro_flow_redis.storage", "maestro_flow_sql.postgres", "maestro_flow_sql.sqlite")
FORKS.set_forkserver_preload(["tests.chaos.node", "tests.chaos.doomed", *_BACKENDS])


class Replica:
    """Runs one node process after another. ``pid`` is 0 while there is none."""

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
        """Returns the pid and the time of the kill; the process is reaped when this returns."""
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
        """Sends SIGTERM; returns the pid, the time, and the seconds until it ended. It is killed if it does not end."""
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
        """Whether it has ended by itself, which no node should."""
        return self._process is not None and self._process.exitcode is not None

    def _leave(self) -> None:
        assert self._process is not None
        self._process.join()
        self._process, self.is_frozen = None, False
