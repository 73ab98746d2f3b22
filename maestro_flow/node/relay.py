"""The relay: takes messages from the inbox of their sender's group to that of their destination (PROTOCOL 20).

A commit writes to one group only, so what a flow sends stands first in the inbox of its own group. Its actor sends it
on, and settles it when it has arrived: by a commit of the other group if this node holds that, or else here. A node
that dies in between leaves a message that the next owner sends again, under the same id: to the receiver it is one.
Messages that are sent at the same time may overtake each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maestro_flow.actors.base import ActorRef, post
from maestro_flow.actors.messages import Forwarded
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held
from maestro_flow.errors import Conflict
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.node.health import StoreHealth
from maestro_flow.node.jobs import StoreJobs
from maestro_flow.storage.protocol import Storage

__all__ = ["Relay"]


_WORKERS = 4
"""Stores write together what comes in at the same time, so a few senders at once are worth more than one in a row."""


class Relay:
    """See the module. ``bring`` is called with what has arrived, for the case that this node holds its group, too."""

    def __init__(
        self, runtime: Runtime, storage: Storage, health: StoreHealth, bring: Callable[[Message], None]
    ) -> None:
        self._storage, self._bring = storage, bring
        self._jobs = StoreJobs(runtime, health, "relay", _WORKERS)

    def forward(self, held: Held, sender: ActorRef[Any], message: Message) -> None:
        """Send a message from the inbox of a held group on to its destination; its actor is told ``Forwarded``."""

        def send() -> None:
            try:
                there = self._storage.send(message.delivered())
            except Conflict as error:
                post(sender, Forwarded(message.message_id, f"conflict: {error}"))
                return
            post(sender, Forwarded(message.message_id, "forwarded"))
            if there.state is MessageState.WAITING:
                self._bring(there)

        self._jobs.submit(held, send)

    def close(self) -> None:
        """Send nothing more."""
        self._jobs.close()
