"""The events of a flow: what is written, and all that is written, about it.

They are the only wire format of the log, so they are tagged msgspec structs (a union of attrs classes cannot be
decoded), and they carry a schema version for ever (PROTOCOL 27): fields are only ever added, with a default. The time
of an event is that of its record (``LogRecord.at``), unless it tells of an earlier moment in a field of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.params import Param
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = [
    "NO_RESULT",
    "SCHEMA_VERSION",
    "Event",
    "RunEnded",
    "RunStarted",
    "RunStopping",
    "StepEnded",
    "StepError",
    "StepInterrupted",
    "StepProgressed",
    "StepRunning",
    "StepStarting",
    "UnknownEvent",
    "decode_events",
    "encode_events",
]

NO_RESULT = msgspec.Raw(b"null")
"""The result of an attempt that returned nothing: JSON null."""

SCHEMA_VERSION = 1
"""Version of the event schema that this package writes, and the newest that it reads."""


class UnknownEvent(MaestroFlowError):
    """A record holds an event that this version does not know: its flow is parked, nothing is guessed."""


class StepError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an attempt failed: the exception's type name, its message, and its traceback, each cut to a limit."""

    type: str
    message: str
    traceback: str = ""


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Base of all events."""


class RunStarted(_Event, frozen=True, tag="run_started"):
    """First event of a flow: which version runs with which params."""

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    created_at: float
    params: dict[str, Param] = {}


class StepStarting(_Event, frozen=True, tag="step_starting"):
    """An attempt begins: it is handed to the executor as soon as this is durable."""

    step: str
    attempt: int = 1


class StepRunning(_Event, frozen=True, tag="step_running"):
    """The code of an attempt really began, at ``at`` (DESIGN 2: told late, except for a suspect)."""

    step: str
    attempt: int
    at: float
    execution: int = 1


class StepProgressed(_Event, frozen=True, tag="step_progressed"):
    """An attempt goes on and leaves artifacts, by which a later execution finds its external work again."""

    step: str
    attempt: int
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()


class StepInterrupted(_Event, frozen=True, tag="step_interrupted"):
    """The owner of a running attempt is gone; the same attempt goes on with a new execution number (PROTOCOL 23, 24).

    ``crashes`` counts the owners that vanished after a recorded RUNNING; a hand-over is not a crash.
    """

    step: str
    attempt: int
    execution: int
    crashes: int = 0
    handed_over: bool = False


class StepEnded(_Event, frozen=True, tag="step_ended"):
    """An attempt has ended, once and for all. ``retry_at`` is set when another attempt follows by itself."""

    step: str
    attempt: int
    status: StepStatus
    began_at: float | None = None
    result: msgspec.Raw = NO_RESULT
    outputs: dict[str, Param] = {}
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()
    error: StepError | None = None
    retry_at: float | None = None


class RunStopping(_Event, frozen=True, tag="run_stopping"):
    """A stop was accepted: nothing new starts, what runs is terminated."""

    message_id: str


class RunEnded(_Event, frozen=True, tag="run_ended"):
    """Last event of a flow."""

    status: RunStatus


Event: TypeAlias = (
    RunStarted | StepStarting | StepRunning | StepProgressed | StepInterrupted | StepEnded | RunStopping | RunEnded
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
