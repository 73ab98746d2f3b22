"""The relay: forwards messages from the inbox of their sender's group to that of their destination (PROTOCOL 20).

A commit writes to one group only, so a message is first put into the inbox of its sender's group. That group's actor
forwards it, and settles it when it has arrived: by a commit of the other group if this node holds it, otherwise here.
If the node dies in between, the next owner sends the message again under the same id, so the receiver gets it once.
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
from maestro_flow.node.store_jobs import StoreJobs
from maestro_flow.storage.protocol import Storage

__all__ = ["Relay"]


_WORKERS = 4
"""Stores write concurrent messages together, so a few parallel senders are faster than one."""


class Relay:
    """See the module. ``bring`` is called with each message that has arrived, in case this node holds its group."""

    def __init__(
        self, runtime: Runtime, storage: Storage, health: StoreHealth, bring: Callable[[Message], None]
    ) -> None:
        self._storage, self._bring = storage, bring
        self._jobs = StoreJobs(runtime, health, "relay", _WORKERS)

    def forward(self, held: Held, sender: ActorRef[Any], message: Message) -> None:
        """Forward a message from the inbox of a held group to its destination; its actor is told ``Forwarded``."""

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
        """Stop sending."""
        self._jobs.close()
