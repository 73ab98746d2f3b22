"""The threaded runtime: plain Pykka, a thread per actor. Slow and small, but every debugger understands it."""

from __future__ import annotations

from typing import Any, TypeVar

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor
from maestro_flow.actors.threads import Threads

__all__ = ["ThreadedRuntime"]

A = TypeVar("A", bound=BaseActor)


class ThreadedRuntime(Threads):
    """See the module."""

    def spawn(self, actor_class: type[A], *args: Any) -> ActorRef[A]:
        return actor_class.start(*args)
