"""The inline runtime: the same actors, services and timers on one thread, in a seeded order, on a virtual clock.

Nothing happens by itself: ``run`` executes one runnable call after another, in a random order given by the seed, and
moves the clock to the next timer when nothing is runnable. The same seed gives the same history. User code runs here
too.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor
from maestro_flow.clock import ManualClock
from maestro_flow.errors import MaestroFlowError

__all__ = ["InlineRuntime"]

A = TypeVar("A", bound=BaseActor)


class _Inbox:
    """The mailbox of one actor: each message is a runnable call, in the order of arrival."""

    def __init__(self, runtime: InlineRuntime) -> None:
        self._runtime, self._envelopes = runtime, deque[Any]()
        self.actor: BaseActor | None = None

    def put(self, envelope: Any, /) -> None:
        self._envelopes.append(envelope)
        self._runtime.add(self.deliver)

    def get(self) -> Any:
        return self._envelopes.popleft()

    def empty(self) -> bool:
        return not self._envelopes

    def deliver(self) -> None:
        envelope = self._envelopes.popleft()
        if self.actor is not None and not self.actor.actor_stopped.is_set():
            self.actor.on_receive(envelope.message)


class _Service:
    def __init__(self, runtime: InlineRuntime, step: Callable[[], None]) -> None:
        self._runtime, self._step, self._woken, self._closed = runtime, step, False, False

    def wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._runtime.add(self._run)

    def close(self) -> None:
        self._closed = True

    def _run(self) -> None:
        self._woken = False
        if not self._closed:
            self._step()


class _Workers:
    def __init__(self, runtime: InlineRuntime) -> None:
        self._runtime, self._closed = runtime, False

    def submit(self, job: Callable[[], None]) -> _Ticket:
        ticket = _Ticket(job)
        self._runtime.add(lambda: None if self._closed else ticket.run())
        return ticket

    def close(self) -> None:
        self._closed = True


class _Ticket:
    def __init__(self, job: Callable[[], None]) -> None:
        self._job: Callable[[], None] | None = job

    def run(self) -> None:
        if self._job is not None:
            self._job()

    def give_up(self) -> None:
        self._job = None


class _Timer:
    def __init__(self, call: Callable[[], None]) -> None:
        self.call: Callable[[], None] | None = call

    def cancel(self) -> None:
        self.call = None


class _Event:
    def __init__(self, runtime: InlineRuntime) -> None:
        self._runtime, self._flag = runtime, False

    def set(self) -> None:
        self._flag = True

    def clear(self) -> None:
        self._flag = False

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._runtime.run(lambda: self._flag, timeout_s)


class InlineRuntime:
    """See the module. ``steps`` counts the calls that were run."""

    def __init__(self, seed: int = 0, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.steps = 0
        self._random = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self._runnable: list[Callable[[], None]] = []
        self._heap: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()
        self._bound: dict[type[BaseActor], type[BaseActor]] = {}

    def add(self, thing: Callable[[], None]) -> None:
        """Add a runnable call."""
        self._runnable.append(thing)

    def run(self, until: Callable[[], bool], timeout_s: float | None = None, steps_max: int = 1_000_000) -> bool:
        """Run until the condition holds, the timeout has passed (virtual time), or nothing is left to run."""
        deadline = None if timeout_s is None else self.clock.monotonic() + timeout_s
        for _ in range(steps_max):
            if until():
                return True
            if not self._runnable and not self._advance(deadline):
                return until()
            self.step()
        raise MaestroFlowError(f"the condition did not come true in {steps_max} steps")

    def step(self) -> None:
        """Run one call, chosen by the seed."""
        if self._runnable:
            index = self._random.randrange(len(self._runnable))
            self._runnable[index], self._runnable[-1] = self._runnable[-1], self._runnable[index]
            self.steps += 1
            self._runnable.pop()()

    def _advance(self, deadline: float | None) -> bool:
        """Move the clock to the next timer and make it runnable; False if there is none before the deadline."""
        while self._heap:
            due, _, timer = self._heap[0]
            if deadline is not None and due > deadline:
                break
            heapq.heappop(self._heap)
            if timer.call is not None:
                self.clock.advance(max(0.0, due - self.clock.monotonic()))
                self._runnable.append(timer.call)
                return True
        if deadline is not None:
            self.clock.advance(max(0.0, deadline - self.clock.monotonic()))
        return False

    # -- the runtime's interface --------------------------------------------------------------------------------

    def spawn(self, actor_class: type[A], *args: Any) -> ActorRef[A]:
        actor = self._bind(actor_class)(*args)
        inbox = actor.actor_inbox
        assert isinstance(inbox, _Inbox)  # noqa: S101 - made by the hook below
        inbox.actor = actor
        return actor.actor_ref

    def caller_runs(self) -> AbstractContextManager[None]:
        return nullcontext()

    def call_soon(self, call: Callable[[], None]) -> None:
        self.add(call)

    def call_later(self, delay_s: float, call: Callable[[], None]) -> _Timer:
        timer = _Timer(call)
        heapq.heappush(self._heap, (self.clock.monotonic() + max(0.0, delay_s), next(self._numbers), timer))
        return timer

    def service(self, name: str, step: Callable[[], None]) -> _Service:  # noqa: ARG002 - one thread needs no names
        return _Service(self, step)

    def workers(self, name: str, count: int) -> _Workers:  # noqa: ARG002
        return _Workers(self)

    def event(self) -> _Event:
        return _Event(self)

    def lock(self) -> AbstractContextManager[Any]:
        return threading.Lock()  # calls of the store return at once, so the lock is never contended

    def close(self) -> None:
        self._runnable.clear()
        self._heap.clear()

    def _bind(self, actor_class: type[A]) -> type[A]:
        bound = self._bound.get(actor_class)
        if bound is None:
            runtime = self
            hooks = {"_create_actor_inbox": staticmethod(lambda: _Inbox(runtime))}
            bound = self._bound[actor_class] = type(actor_class.__name__, (actor_class,), hooks)
        return bound  # type: ignore[return-value]  # a subclass of actor_class, by construction
