"""The events of a flow: what is written, and all that is written, about it.

They are the only wire format of the log, so they are tagged msgspec structs (a union of attrs classes cannot be
decoded), and they carry a schema version for ever (PROTOCOL 27): fields are only ever added, with a default. The time
of an event is that of its record (``LogRecord.at``), unless it tells of an earlier moment in a field of its own.

A kind of event says itself what it means to people: to which step it belongs, which status it gives, how it reads in a
list and in a timeline (``RunEvent``, ``StepEvent``). To add one: the class, its place in ``Event``, its fold in
``core.evolve``, and its line in ``docs/reference/events.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.run_events import RunEnded, RunEvent, RunQueued, RunStarted, RunStopping, RunUnblocked
from maestro_flow.model.step_events import (
    NO_RESULT,
    BreakpointSet,
    StepEnded,
    StepError,
    StepEvent,
    StepInterrupted,
    StepPaused,
    StepPermitted,
    StepProgressed,
    StepRestarting,
    StepResumed,
    StepRunning,
    StepStarting,
    StepStopping,
    StepUnsupported,
    StepWaiting,
)

__all__ = [
    "NO_RESULT",
    "SCHEMA_VERSION",
    "BreakpointSet",
    "Event",
    "RunEnded",
    "RunEvent",
    "RunQueued",
    "RunStarted",
    "RunStopping",
    "RunUnblocked",
    "StepEnded",
    "StepError",
    "StepEvent",
    "StepInterrupted",
    "StepPaused",
    "StepPermitted",
    "StepProgressed",
    "StepRestarting",
    "StepResumed",
    "StepRunning",
    "StepStarting",
    "StepStopping",
    "StepUnsupported",
    "StepWaiting",
    "UnknownEvent",
    "decode_events",
    "encode_events",
]

SCHEMA_VERSION = 2
"""Version of the event schema that this package writes, and the newest that it reads."""


class UnknownEvent(MaestroFlowError):
    """A record holds an event that this version does not know: its flow is parked, nothing is guessed."""


Event: TypeAlias = (
    RunQueued
    | RunStarted
    | StepPaused
    | StepResumed
    | StepUnsupported
    | StepWaiting
    | StepPermitted
    | StepStarting
    | StepRunning
    | StepProgressed
    | StepInterrupted
    | StepStopping
    | StepRestarting
    | BreakpointSet
    | StepEnded
    | RunStopping
    | RunEnded
    | RunUnblocked
)

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[Event, ...])


def encode_events(events: Sequence[Event]) -> bytes:
    """The JSON array that is written to the log."""
    return _encoder.encode(events)


def decode_events(payload: bytes, schema_version: int = SCHEMA_VERSION) -> tuple[Event, ...]:
    """The events of one record.

    Raises:
        UnknownEvent: the record was written under a newer schema, or holds a kind or a shape that we do not know.
    """
    if schema_version > SCHEMA_VERSION:
        raise UnknownEvent(f"the record has event schema {schema_version}, this version reads up to {SCHEMA_VERSION}")
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise UnknownEvent(f"the record cannot be read: {error}") from error
