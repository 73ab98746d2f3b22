"""What the pooled and the threaded runtime share: services, workers, timers and events on real threads.

All threads are daemons: a hung step must not keep the host program from exiting, and dying anywhere is safe (law 1).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Any
from weakref import WeakSet

from maestro_flow.actors.runtime import Timer
from maestro_flow.actors.timers import ThreadTimers
from maestro_flow.clock import Clock, ThreadEvent

__all__ = ["ThreadService", "ThreadWorkers", "Threads"]

logger = logging.getLogger("maestro_flow.actors")


class ThreadService:
    """A thread that sleeps until woken, and then calls its step once, however often it was woken meanwhile."""

    def __init__(self, name: str, step: Callable[[], None]) -> None:
        self._step = step
        self._signal: SimpleQueue[bool] = SimpleQueue()
        self._woken = self._closed = False
        self.thread = threading.Thread(target=self._run, name=f"maestro-flow-{name}", daemon=True)
        self.thread.start()

    def wake(self) -> None:
        # Two callers may both see False: an unnecessary call of the step, but never a lost wake.
        if not self._woken:
            self._woken = True
            self._signal.put(True)

    def close(self) -> None:
        self._closed = True
        self._signal.put(True)

    def _run(self) -> None:
        while self._signal.get() and not self._closed:
            self._woken = False
            try:
                self._step()
            except Exception:
                logger.exception("a step of %s failed", self.thread.name)


class ThreadTicket:
    """One job. If ``given_up`` before it begins, it never does."""

    __slots__ = ("given_up", "job", "workers")

    def __init__(self, job: Callable[[], None], workers: ThreadWorkers) -> None:
        self.job: Callable[[], None] | None = job
        self.workers, self.given_up = workers, False

    def give_up(self) -> None:
        self.workers.give_up(self)


class ThreadWorkers:
    """A pool that grows to ``count`` threads on demand and, unlike ``concurrent.futures``, survives hung jobs.

    Idle threads are never fewer than waiting tickets, unless the pool is at its maximum. All counts change together,
    under the lock.
    """

    def __init__(self, name: str, count: int) -> None:
        self._name, self._count = name, count
        self._tickets: SimpleQueue[ThreadTicket | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._threads = self._idle = self._waiting = self._lost = 0
        self._closed = False

    def submit(self, job: Callable[[], None]) -> ThreadTicket:
        ticket = ThreadTicket(job, self)
        self._tickets.put(ticket)
        with self._lock:
            self._waiting += 1
            is_short = self._grows()
        if is_short:
            self._start()
        return ticket

    def give_up(self, ticket: ThreadTicket) -> None:
        """Replace the thread of a hung job; at most ``count`` are replaced, so twice ``count`` threads is the limit."""
        with self._lock:
            if ticket.given_up or self._lost >= self._count:
                return
            ticket.given_up = True
            self._lost += 1
            is_short = self._grows()
        if is_short:
            self._start()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            for _ in range(self._threads):
                self._tickets.put(None)

    def _grows(self) -> bool:
        """Under the lock: whether the caller must start a thread, which already counts as idle."""
        if self._closed or self._idle >= self._waiting or self._threads >= self._count + self._lost:
            return False
        self._threads += 1
        self._idle += 1
        return True

    def _start(self) -> None:
        try:
            threading.Thread(target=self._run, name=f"maestro-flow-{self._name}", daemon=True).start()
        except RuntimeError:  # the system has no thread to spare: the ticket waits for an existing or later thread
            logger.exception("a thread for %s could not be started", self._name)
            with self._lock:
                self._threads -= 1
                self._idle -= 1

    def _run(self) -> None:
        while True:
            ticket = self._tickets.get()
            with self._lock:
                self._idle -= 1
                self._waiting -= ticket is not None
            if ticket is None or self._closed:
                return
            # The ticket drops the job: otherwise a step's actor would be a cycle that only the collector frees.
            job, ticket.job = ticket.job, None
            if job is not None and not ticket.given_up:
                job()
            del job
            with self._lock:
                if ticket.given_up:  # the job returned after all, or never began: its replacement is surplus
                    self._lost -= 1
                    if self._threads > self._count + self._lost:
                        self._threads -= 1
                        return
                self._idle += 1


class Threads:
    """Base of the runtimes with real threads."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._timers = ThreadTimers(clock)
        self._closeables: WeakSet[ThreadService | ThreadWorkers] = WeakSet()

    def caller_runs(self) -> AbstractContextManager[None]:
        return nullcontext()

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        return self._timers.call_later(delay_s, call)

    def service(self, name: str, step: Callable[[], None]) -> ThreadService:
        service = ThreadService(name, step)
        self._closeables.add(service)
        return service

    def workers(self, name: str, count: int) -> ThreadWorkers:
        workers = ThreadWorkers(name, count)
        self._closeables.add(workers)
        return workers

    def event(self) -> ThreadEvent:
        return ThreadEvent()

    def lock(self) -> AbstractContextManager[Any]:
        return threading.Lock()

    def close(self) -> None:
        self._timers.close()
        for closeable in list(self._closeables):
            closeable.close()
