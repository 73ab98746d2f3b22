"""The pooled runtime: one thread runs whichever mailbox has messages.

A waiting actor is a few objects, not a thread. More than one thread that runs actors would only compete for the
interpreter lock: whatever blocks (user code, the store) is on workers and services. Any thread may run actors, though:
inside ``caller_runs`` a thread runs the actors that it wakes.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor
from maestro_flow.actors.threads import Threads
from maestro_flow.clock import Clock

__all__ = ["PooledRuntime"]

logger = logging.getLogger("maestro_flow.actors")

A = TypeVar("A", bound=BaseActor)

_TURN_MAX = 64
"""Messages that an actor handles before other actors get a turn."""

_CALLER_TURNS_MAX = 32
"""Turns of actors that a calling thread runs before it hands the rest over and returns to its own work."""


class _Runnable(Protocol):
    def run(self) -> bool:
        """Run for one turn; True if there is more to do."""
        ...


class _Call:
    """A call from outside, queued among the mailboxes."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call

    def run(self) -> bool:
        try:
            self._call()
        except Exception:
            logger.exception("a call from outside failed")
        return False


class Mailbox:
    """An actor's inbox, which makes the actor runnable when a message arrives; one thread at a time runs it.

    ``envelopes`` is None while empty: most actors wait for hours, and an empty deque takes 0.7 kB.
    """

    __slots__ = ("actor", "envelopes", "lock", "runtime", "scheduled")

    def __init__(self, runtime: PooledRuntime) -> None:
        self.runtime = runtime
        self.envelopes: deque[Any] | None = None
        self.lock = threading.Lock()
        self.scheduled = False
        self.actor: BaseActor | None = None

    def put(self, envelope: Any, /) -> None:
        with self.lock:
            if self.envelopes is None:
                self.envelopes = deque()
            self.envelopes.append(envelope)
            if self.scheduled or self.actor is None:
                return
            self.scheduled = True
        self.runtime.schedule(self)

    def get(self) -> Any:
        if not self.envelopes:
            raise IndexError("the mailbox is empty")
        return self.envelopes.popleft()

    def empty(self) -> bool:
        return not self.envelopes

    def run(self) -> bool:
        """Run the actor for one turn; True if messages are left."""
        actor, envelopes = self.actor, self.envelopes
        for _ in range(_TURN_MAX):
            if actor is None or actor.actor_stopped.is_set():
                self.actor = self.envelopes = None  # no more deliveries; the actor can be freed
                return False
            if not envelopes:
                with self.lock:
                    if not envelopes:
                        self.envelopes, self.scheduled = None, False
                        return False
            actor.on_receive(envelopes.popleft().message)
        return True


class _Stopped(threading.Event):
    """``actor_stopped``, without the parts that only waiting needs: saves 1 kB for each actor."""

    def __init__(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True


class PooledRuntime(Threads):
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._runnable: SimpleQueue[_Runnable | None] = SimpleQueue()
        self._here = threading.local()
        self._bound: dict[type[BaseActor], type[BaseActor]] = {}
        threading.Thread(target=self._run, name="maestro-flow-actors", daemon=True).start()

    def spawn(self, actor_class: type[A], *args: Any) -> ActorRef[A]:
        # Not ``actor_class.start``: Pykka's registry is global, and leaving it costs a walk over all actors.
        actor = self._bind(actor_class)(*args)
        actor._start_actor_loop()  # noqa: SLF001 - one of the three hooks that Pykka leaves to actor types
        return actor.actor_ref

    def call_soon(self, call: Callable[[], None]) -> None:
        # A message would not be safe here: an exception after it is in the mailbox and before the mailbox is in this
        # queue would leave it undelivered.
        self._runnable.put(_Call(call))

    def schedule(self, mailbox: Mailbox) -> None:
        """A mailbox has messages: a thread that is running actors keeps it, any other thread hands it over."""
        own: deque[_Runnable] | None = getattr(self._here, "own", None)
        if own is None:
            self._runnable.put(mailbox)
        else:
            own.append(mailbox)

    @contextmanager
    def caller_runs(self) -> Iterator[None]:
        if getattr(self._here, "own", None) is not None:
            yield
            return
        own = self._here.own = deque()
        try:
            yield
            self._run_own(own, _CALLER_TURNS_MAX)
        finally:
            self._here.own = None
            for left in own:
                self._runnable.put(left)

    def close(self) -> None:
        super().close()
        self._runnable.put(None)

    def _run(self) -> None:
        own: deque[_Runnable] = deque()
        self._here.own = own
        while (runnable := self._runnable.get()) is not None:
            own.append(runnable)
            while own:
                self._run_own(own, _CALLER_TURNS_MAX)
                if own and not self._runnable.empty():
                    break
            for left in own:  # those that were already waiting get their turn first
                self._runnable.put(left)
            own.clear()

    @staticmethod
    def _run_own(own: deque[_Runnable], turns: int) -> None:
        while own and turns:
            runnable = own.popleft()
            if runnable.run():
                own.append(runnable)
            turns -= 1

    def _bind(self, actor_class: type[A]) -> type[A]:
        """The actor class on this runtime: a subclass that overrides Pykka's hooks, made once."""
        bound = self._bound.get(actor_class)
        if bound is None:
            runtime = self

            def create_inbox() -> Mailbox:
                return Mailbox(runtime)

            def start_loop(actor: BaseActor) -> None:
                mailbox = actor.actor_inbox
                assert isinstance(mailbox, Mailbox)  # noqa: S101 - made by the hook above
                actor.actor_stopped = actor.actor_ref.actor_stopped = _Stopped()
                mailbox.actor = actor

            hooks = {"_create_actor_inbox": staticmethod(create_inbox), "_start_actor_loop": start_loop}
            bound = self._bound[actor_class] = type(actor_class.__name__, (actor_class,), hooks)
        return bound  # type: ignore[return-value]  # a subclass of actor_class, by construction
