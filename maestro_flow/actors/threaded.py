"""The threaded runtime: plain Pykka, a thread per actor. Slow and small, but every debugger understands it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, TypeVar

import pykka
from pykka import ActorRef

from maestro_flow.actors.base import BaseActor
from maestro_flow.actors.threads import Threads
from maestro_flow.clock import Clock

__all__ = ["ThreadedRuntime"]

logger = logging.getLogger("maestro_flow.actors")

A = TypeVar("A", bound=BaseActor)

_POKE: Any = pykka._envelope.Envelope(None)  # noqa: SLF001 - Pykka exports no envelope


class ThreadedRuntime(Threads):
    """See the module."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._actors: set[BaseActor] = set()
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._start(self._make_calls, "calls")

    def spawn(self, actor_class: type[A], *args: Any) -> ActorRef[A]:
        # Not ``actor_class.start``: Pykka's registry is global, and only Pykka's ``stop``, which our actors do not
        # use, removes them from it.
        actor = actor_class(*args)
        self._actors.add(actor)
        self._start(lambda: self._run_actor(actor), actor_class.__name__)
        return actor.actor_ref

    def call_soon(self, call: Callable[[], None]) -> None:
        self._calls.put(call)

    def close(self) -> None:
        super().close()
        self._calls.put(None)
        for actor in list(self._actors):
            actor.actor_stopped.set()
            actor.actor_inbox.put(_POKE)  # its thread waits for messages

    def _start(self, target: Callable[[], None], name: str) -> None:
        threading.Thread(target=target, name=f"maestro-flow-{name}", daemon=True).start()

    def _run_actor(self, actor: BaseActor) -> None:
        actor._actor_loop()  # noqa: SLF001 - what Pykka's own thread of an actor runs
        self._actors.discard(actor)

    def _make_calls(self) -> None:
        while (call := self._calls.get()) is not None:
            try:
                call()
            except Exception:
                logger.exception("a call from outside failed")
