"""What runs actors: the interface of the three runtimes. An actor class does not know which one it runs on.

    pooled     one thread runs whichever mailbox has messages: 50 times more actors than threads could be (default)
    threaded   plain Pykka, a thread per actor: for debugging
    inline     everything on the caller's thread, in a seeded order, on a virtual clock: for simulation and tests

A runtime also owns what else would be a thread: services, workers, timers, and events to wait for.
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
        """The call is not made, unless it is being made already."""
        ...


class Service(Protocol):
    """A loop of its own: its step is called once or more after each ``wake``, never twice at a time."""

    def wake(self) -> None: ...

    def close(self) -> None:
        """Not one step more, but for the one under way, which is not waited for."""
        ...


class Runtime(Protocol):
    """See the module."""

    @property
    def clock(self) -> Clock: ...

    def spawn(self, actor_class: type[A], *args: Any) -> ActorRef[A]:
        """Make an actor and start it."""
        ...

    def caller_runs(self) -> AbstractContextManager[None]:
        """Actors that the calling thread wakes inside this block are run by it at the end of the block.

        It saves a hand-over between threads (10 to 60 µs) where the caller would otherwise wait for their answer.
        """
        ...

    def call_soon(self, call: Callable[[], None]) -> None:
        """Make a short call that does not block, on a thread of this runtime.

        This is how a user's thread speaks to actors and services: an exception that comes out of nowhere (Ctrl-C, the
        handler of a signal) finds the call made or not made, never something of ours half done. Nothing else here
        promises that.
        """
        ...

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Timer:
        """Make a short call that does not block, ``delay_s`` seconds from now or at once if that is not positive."""
        ...

    def service(self, name: str, step: Callable[[], None]) -> Service: ...

    def workers(self, name: str, count: int) -> Workers: ...

    def event(self) -> Event: ...

    def lock(self) -> AbstractContextManager[Any]:
        """A lock for what waits for the store while it is held. Where nothing waits, ``threading.Lock`` does."""
        ...

    def close(self) -> None:
        """Stop everything that this runtime runs. Jobs under way are not waited for."""
        ...
