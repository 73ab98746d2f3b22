"""The base of our actors, and the hazards of Pykka that it takes care of.

- An exception in the handling of a ``tell`` would kill the actor and drop its mailbox, and a ``SystemExit`` would stop
  every actor in the process: here nothing leaves ``on_receive``; the actor's ``on_defect`` decides.
- A stop is a poison pill behind all messages: an actor of ours ends by setting its own ``actor_stopped``, and is deaf
  at once, whatever waits in its mailbox.
- ``tell`` raises when the actor is gone: ``post`` does not. A mailbox is a hint, the store is the truth (law 1).
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
        """A message could not be handled: escalate. The message itself is gone, and was logged."""


def post(ref: ActorRef[Any], message: Any) -> None:
    """Tell an actor, if it is still there."""
    with suppress(ActorDeadError):  # what it would have done is found in the store by whoever comes after it
        ref.tell(message)
