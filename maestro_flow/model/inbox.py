"""Messages to flows, as they stand in the inbox of a group (PROTOCOL 16, 17)."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen, validators

from maestro_flow.model.text import storable

__all__ = ["Message", "MessageState"]


class MessageState(StrEnum):
    """A message waits in the inbox, or is a tombstone with its outcome, or a dead letter (PROTOCOL 16, 17)."""

    WAITING = "waiting"
    SETTLED = "settled"
    DEAD = "dead"


@frozen
class Message:
    """A durable letter to a flow, in the inbox of the flow's group; ``body`` is JSON.

    The last five fields are the store's: ``sequence`` orders the inbox, ``deliveries`` counts the owners that had the
    message in hand.
    """

    group_id: int
    message_id: str = field(validator=validators.and_(storable, validators.min_len(1)))
    flow_id: str = field(validator=storable)
    kind: str = field(validator=storable)
    body: bytes = b"{}"
    sequence: int = field(default=0, eq=False)
    deliveries: int = field(default=0, eq=False)
    state: MessageState = field(default=MessageState.WAITING, eq=False)
    outcome: str = field(default="", eq=False)
    sent_at: float = field(default=0.0, eq=False)
