"""The relay: takes mail from the inbox of its sender's group to that of its receiver (PROTOCOL 20).

A commit writes to one group only, so a flow's letters lie first in the inbox of its own group. Its actor sends them on,
and settles them when they have arrived: by a commit of the other group if this node holds that, or else here. A node
that dies in between leaves a letter that its heir sends again, under the same id: it is one message for the receiver.
Letters that are sent at the same time may overtake each other.
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
from maestro_flow.model.permits import addressed
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

    def forward(self, held: Held, sender: ActorRef[Any], letter: Message, group_id: int) -> None:
        """Send a letter from the inbox of a held group on to another group; its actor is told ``Forwarded``."""

        def send() -> None:
            try:
                there = self._storage.send(addressed(letter, group_id))
            except Conflict as error:
                post(sender, Forwarded(letter.message_id, f"conflict: {error}"))
                return
            post(sender, Forwarded(letter.message_id, "forwarded"))
            if there.state is MessageState.WAITING:
                self._bring(there)

        self._jobs.submit(held, send)

    def close(self) -> None:
        """Send nothing more."""
        self._jobs.close()
