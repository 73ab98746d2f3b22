"""The base of our actors, and the Pykka hazards that it handles.

- An exception in the handling of a ``tell`` would kill the actor and drop its mailbox, and a ``SystemExit`` would stop
  every actor in the process. Here no exception leaves ``on_receive``; the actor's ``on_defect`` decides.
- Pykka's stop is a message behind all others. Our actors end by setting their own ``actor_stopped`` and ignore
  everything from then on, including what is already in the mailbox.
- ``tell`` raises when the actor has ended; ``post`` does not. A mailbox is a hint, the store is the truth (law 1).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import pykka
from pykka import ActorDeadError, ActorRef

__all__ = ["ActorRef", "BaseActor", "post"]

logger = logging.getLogger("maestro_flow.actors")


class BaseActor(pykka.ThreadingActor):
    """An actor that survives its own defects. Subclasses handle messages in ``handle``, one ``match`` each."""

    use_daemon_thread = True

    def on_receive(self, message: Any) -> None:
        if self.actor_stopped.is_set():
            return
        try:
            self.handle(message)
        except BaseException as defect:
            logger.exception("%s could not handle %s", self, type(message).__name__)
            self.on_defect(defect)

    def handle(self, message: Any) -> None:
        """React to one message. Must not block."""
        raise NotImplementedError

    def on_defect(self, defect: BaseException) -> None:
        """A message could not be handled: escalate. The message is dropped, and the exception was logged."""


def post(ref: ActorRef[Any], message: Any) -> None:
    """Tell an actor, if it still exists."""
    with suppress(ActorDeadError):  # its successor finds in the store what is left to do
        ref.tell(message)
