"""The events of a flow: its whole state is written as these.

They are the only wire format of the log, so they are tagged msgspec structs (a union of attrs classes cannot be
decoded), and they keep their schema version forever (PROTOCOL 27): fields are only ever added, with a default. The time
of an event is that of its record (``LogRecord.at``), unless it has a field for an earlier time.

Each kind of event carries its own metadata: which step it concerns, which status it sets, its text in lists and in
timelines (``RunEvent``, ``StepEvent``). To add one: the class, its place in ``Event``, its fold in ``core.evolve``, and
its line in ``docs/reference/events.md``.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from maestro_flow.model.event_codec import EventCodec
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
    "decode_events",
    "encode_events",
]


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

_codec = EventCodec(msgspec.json.Decoder(tuple[Event, ...]))
encode_events, decode_events = _codec.encode, _codec.decode
