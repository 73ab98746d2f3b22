"""Messages to flows, as they stand in the inbox of a group (PROTOCOL 16, 17, 20).

A commit writes to the inbox of its own group only. So a message to a flow of another group stands first in the inbox of
its sender's group, as one whose ``destination`` is elsewhere, and is sent on from there under the same id.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen, validators

from maestro_flow.model.text import storable

__all__ = ["Message", "MessageState"]


_SAME_GROUP = -(2**31)
"""Stands for ``group_id`` until that is known. (msgspec, by which a backend may store messages, cannot decode a class
with a default that is computed from another field.)"""


class MessageState(StrEnum):
    """A message waits in the inbox, or is a tombstone with its outcome, or a dead letter (PROTOCOL 16, 17)."""

    WAITING = "waiting"
    SETTLED = "settled"
    DEAD = "dead"


@frozen
class Message:
    """A durable message to a flow; ``body`` is JSON.

    The last five fields are the store's: ``sequence`` orders the inbox, ``deliveries`` counts the owners that had the
    message in hand.
    """

    group_id: int
    message_id: str = field(validator=validators.and_(storable, validators.min_len(1)))
    flow_id: str = field(validator=storable)
    kind: str = field(validator=storable)
    body: bytes = b"{}"
    destination: int = _SAME_GROUP
    """The group whose flow it is for; ``group_id`` is the group in whose inbox it stands, and the default."""
    sequence: int = field(default=0, eq=False)
    deliveries: int = field(default=0, eq=False)
    state: MessageState = field(default=MessageState.WAITING, eq=False)
    outcome: str = field(default="", eq=False)
    sent_at: float = field(default=0.0, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.destination == _SAME_GROUP:
            object.__setattr__(self, "destination", self.group_id)

    @property
    def is_in_transit(self) -> bool:
        """It is on its way to another group."""
        return self.destination != self.group_id

    def delivered(self) -> Message:
        """The same message for the inbox of its destination, under the same id, as nobody has received it yet."""
        return Message(self.destination, self.message_id, self.flow_id, self.kind, self.body, self.destination)
