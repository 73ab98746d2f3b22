"""The inline runtime of one simulated process, with threads that can block: each is a greenlet that the world resumes.

On the plain inline runtime a call of the store returns at once. Here it may take time while actors, timers and the
other threads of the process continue, as in reality: that is where the races are.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent, greenlet

from maestro_flow.actors.inline import InlineRuntime
from maestro_flow.clock import ManualClock

if TYPE_CHECKING:
    from tests.simulation.times import Time

__all__ = ["NodeClock", "NodeRuntime"]


class NodeClock(ManualClock):
    """The clocks of one process: the wall clock may be wrong and jump, the monotonic one counts from its start."""

    def __init__(self, time: Time, wrong_by_s: float) -> None:
        super().__init__()
        self._time, self._booted_at, self.wrong_by_s = time, time.now, wrong_by_s

    def time(self) -> float:
        return self._time.wall() + self.wrong_by_s

    def monotonic(self) -> float:
        return self._time.now - self._booted_at

    def at(self, monotonic: float) -> float:
        """The world's time at a reading of the monotonic clock."""
        return monotonic + self._booted_at


class _Service:
    """Its own thread: woken while it works, it runs once more."""

    def __init__(self, runtime: NodeRuntime, step: Callable[[], None]) -> None:
        self._runtime, self._step = runtime, step
        self._is_woken = self._works = self._closed = False

    def wake(self) -> None:
        if not self._is_woken:
            self._is_woken = True
            if not self._works:
                self._runtime.spawn_thread(self._run)

    def close(self) -> None:
        self._closed = True

    def _run(self) -> None:
        self._works = True
        self._is_woken = False
        if not self._closed:
            self._step()
        self._works = False
        if self._is_woken:
            self._runtime.spawn_thread(self._run)


class _Ticket:
    def __init__(self, workers: _Workers, job: Callable[[], None]) -> None:
        self.job: Callable[[], None] | None = job
        self._workers, self.works, self.given_up = workers, False, False

    def give_up(self) -> None:
        self.job = None
        if self.works and not self.given_up:  # its thread is replaced
            self.given_up = True
            self._workers.free(self)


class _Workers:
    """A number of threads; one that hangs is replaced when its job is given up."""

    def __init__(self, runtime: NodeRuntime, count: int) -> None:
        self._runtime, self._free = runtime, count
        self._tickets: deque[_Ticket] = deque()
        self._closed = False

    def submit(self, job: Callable[[], None]) -> _Ticket:
        ticket = _Ticket(self, job)
        self._tickets.append(ticket)
        self._hand_out()
        return ticket

    def close(self) -> None:
        self._closed = True

    def free(self, ticket: _Ticket) -> None:
        self._free += 1
        self._hand_out()

    def _hand_out(self) -> None:
        while self._tickets and self._free:
            self._free -= 1
            self._runtime.spawn_thread(partial(self._run, self._tickets.popleft()))

    def _run(self, ticket: _Ticket) -> None:
        if ticket.job is not None and not self._closed:
            ticket.works = True
            ticket.job()
            ticket.works = False
        if not ticket.given_up:
            self.free(ticket)


class _Event:
    """Waiting suspends the thread."""

    def __init__(self, runtime: NodeRuntime) -> None:
        self._runtime, self._flag = runtime, False
        self._waiting: list[Callable[[], None]] = []

    def set(self) -> None:
        self._flag = True
        waiting, self._waiting = self._waiting, []
        for resume in waiting:
            resume()

    def clear(self) -> None:
        self._flag = False

    def wait(self, timeout_s: float | None = None) -> bool:
        if not self._flag and (timeout_s is None or timeout_s > 0):
            resume = self._runtime.resumption()
            self._waiting.append(resume)
            timer = None if timeout_s is None else self._runtime.call_later(timeout_s, resume)
            self._runtime.suspend()
            if timer is not None:
                timer.cancel()
        return self._flag


class _Lock:
    """Of threads of one process; waiting for it suspends, too."""

    def __init__(self, runtime: NodeRuntime) -> None:
        self._runtime, self._is_held = runtime, False
        self._waiting: deque[Callable[[], None]] = deque()

    def __enter__(self) -> None:
        while self._is_held:
            self._waiting.append(self._runtime.resumption())
            self._runtime.suspend()
        self._is_held = True

    def __exit__(self, *_: object) -> None:
        self._is_held = False
        if self._waiting:
            self._waiting.popleft()()


class NodeRuntime(InlineRuntime):
    """The runtime of one simulated process. ``kill`` ends it between two instructions: none of its code runs again."""

    def __init__(self, time: Time, clock: NodeClock) -> None:
        super().__init__(0, clock)
        self._time, self.node_clock = time, clock
        self._random = time.chance  # one chance for the whole world, so that its seed is the only one
        self.is_dead = False
        self._threads: dict[greenlet, None] = {}

    # -- what the world asks ------------------------------------------------------------------------------------

    @property
    def is_runnable(self) -> bool:
        return bool(self._runnable)

    def next_due(self) -> float | None:
        """The world's time of the next timer."""
        while self._heap and self._heap[0][2].call is None:
            heapq.heappop(self._heap)
        return self.node_clock.at(self._heap[0][0]) if self._heap else None

    def fire(self, now: float) -> None:
        """Make the timers runnable that are due."""
        while (due := self.next_due()) is not None and due <= now:
            call = heapq.heappop(self._heap)[2].call
            if call is not None:
                self._runnable.append(call)

    def kill(self) -> None:
        self.is_dead = True
        self._runnable.clear()
        self._heap.clear()

    # -- threads ------------------------------------------------------------------------------------------------

    def spawn_thread(self, job: Callable[[], None]) -> None:
        """Run a job on a new thread, soon."""
        self.add(lambda: self._switch_to(greenlet(job)))

    def resumption(self) -> Callable[[], None]:
        """Returns a function that resumes the current thread after its ``suspend``, once."""
        current, is_used = getcurrent(), False

        def resume() -> None:
            nonlocal is_used
            if not is_used:
                is_used = True
                self.add(lambda: self._switch_to(current))

        return resume

    def suspend(self) -> None:
        """Let others run until the resumption is called; in a process that dies meanwhile, forever."""
        parent = getcurrent().parent
        assert parent is not None, "only threads can wait, and this is the scheduler itself"
        parent.switch()

    def sleep(self, seconds: float) -> None:
        """Let time pass for this thread."""
        self.call_later(seconds, self.resumption())
        self.suspend()

    def _switch_to(self, thread: greenlet) -> None:
        self._threads[thread] = None  # kept in a dead process, too: unwinding it would run code of the dead process
        thread.parent = getcurrent()
        thread.switch()
        if thread.dead:
            del self._threads[thread]

    # -- the runtime's interface --------------------------------------------------------------------------------

    def add(self, thing: Callable[[], None]) -> None:
        if not self.is_dead:
            super().add(thing)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Any:
        timer = super().call_later(delay_s, call)
        if self.is_dead:
            self._heap.clear()
        return timer

    def service(self, name: str, step: Callable[[], None]) -> Any:
        return _Service(self, step)

    def workers(self, name: str, count: int) -> Any:
        return _Workers(self, count)

    def event(self) -> Any:
        return _Event(self)

    def lock(self) -> Any:
        return _Lock(self)

    def close(self) -> None:
        self.kill()
