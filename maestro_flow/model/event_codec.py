"""How the events of a flow are written to the log, and read (PROTOCOL 27)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec

from maestro_flow.errors import MaestroFlowError

__all__ = ["SCHEMA_VERSION", "EventCodec", "UnknownEvent"]

SCHEMA_VERSION = 2
"""Version of the event schema that this package writes, and the newest that it reads."""

EventT = TypeVar("EventT")


class UnknownEvent(MaestroFlowError):
    """A record holds an event that this version does not know: its flow is parked, nothing is guessed."""


class EventCodec(Generic[EventT]):
    """Events of one union of tagged structs, as the JSON array that a record of the log has."""

    def __init__(self, decoder: msgspec.json.Decoder[tuple[EventT, ...]]) -> None:
        self._encoder, self._decoder = msgspec.json.Encoder(), decoder

    def encode(self, events: Sequence[EventT]) -> bytes:
        """What is written to the log."""
        return self._encoder.encode(events)

    def decode(self, payload: bytes, schema_version: int = SCHEMA_VERSION) -> tuple[EventT, ...]:
        """The events of one record.

        Raises:
            UnknownEvent: the record was written under a newer schema, or holds a kind or a shape that we do not know.
        """
        if schema_version > SCHEMA_VERSION:
            raise UnknownEvent(
                f"the record has event schema {schema_version}, this version reads up to {SCHEMA_VERSION}"
            )
        try:
            return self._decoder.decode(payload)
        except msgspec.MsgspecError as error:
            raise UnknownEvent(f"the record cannot be read: {error}") from error
