"""What runs actors: the interface of the three runtimes. An actor class does not know which one it runs on.

    pooled     one thread runs whichever mailbox has messages: 50 times more actors than with threads (default)
    threaded   plain Pykka, a thread per actor: for debugging
    inline     everything on the caller's thread, in a seeded order, on a virtual clock: for simulation and tests

A runtime also owns everything else that needs threads: services, workers, timers, and events to wait for.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from maestro_flow.clock import Clock, Event
from maestro_flow.steps.workers import Workers

if TYPE_CHECKING:
    from pykka import ActorRef

    from maestro_flow.actors.base import BaseActor

__all__ = ["Runtime", "Service", "Timer"]

A = TypeVar("A", bound="BaseActor")


class Timer(Protocol):
    """A call that is due later."""

    def cancel(self) -> None:
        """Do not make the call, unless it is already being made."""
        ...


class Service(Protocol):
    """A background loop: its step is called at least once after each ``wake``, and never concurrently."""

    def wake(self) -> None: ...

    def close(self) -> None:
        """Take no further step. One that is running is not waited for."""
        ...


class Runtime(Protocol):
    """See the module."""

    @property
    def clock(self) -> Clock: ...

    def spawn(self, actor_class: type[A], *args: Any) -> ActorRef[A]:
        """Create an actor and start it."""
        ...

    def caller_runs(self) -> AbstractContextManager[None]:
        """Actors that the calling thread wakes inside this block are run by it at the end of the block.

        It saves a switch between threads (10 to 60 µs) where the caller would otherwise wait for their answer.
        """
        ...

    def call_soon(self, call: Callable[[], None]) -> None:
        """Make a short call that does not block, on a thread of this runtime.

        User threads talk to actors and services only in this way: an asynchronous exception (Ctrl-C, a signal handler)
        finds the call made or not made, never half done. No other method here promises that.
        """
        ...

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Make a short call that does not block, ``delay_s`` seconds from now or at once if that is not positive."""
        ...

    def service(self, name: str, step: Callable[[], None]) -> Service: ...

    def workers(self, name: str, count: int) -> Workers: ...

    def event(self) -> Event: ...

    def lock(self) -> AbstractContextManager[Any]:
        """A lock to hold during calls of the store. Where its holder never waits, use ``threading.Lock``."""
        ...

    def close(self) -> None:
        """Stop everything that this runtime runs. Running jobs are not waited for."""
        ...
