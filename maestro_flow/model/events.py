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
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = [
    "NO_RESULT",
    "SCHEMA_VERSION",
    "BreakpointSet",
    "Event",
    "RunEnded",
    "RunQueued",
    "RunStarted",
    "RunStopping",
    "RunUnblocked",
    "StepEnded",
    "StepError",
    "StepInterrupted",
    "StepLacking",
    "StepPaused",
    "StepPermitted",
    "StepProgressed",
    "StepRestarting",
    "StepResumed",
    "StepRunning",
    "StepStarting",
    "StepStopping",
    "StepWaiting",
    "UnknownEvent",
    "decode_events",
    "encode_events",
]

NO_RESULT = msgspec.Raw(b"null")
"""The result of an attempt that returned nothing: JSON null."""

SCHEMA_VERSION = 2
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


class RunQueued(_Event, frozen=True, tag="run_queued"):
    """First event of a run whose strategy may make it wait for others: it is CREATED."""

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    created_at: float
    request: RunRequest = RunRequest()


class RunStarted(_Event, frozen=True, tag="run_started"):
    """The run is IN_PROGRESS with these params, evaluated: the first event of a flow that never had to wait.

    ``request`` is what the start asked for, unless RUN_QUEUED has told it; ``timeout_s`` limits the run.
    """

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    created_at: float
    params: dict[str, Param] = {}
    request: RunRequest | None = None
    timeout_s: float | None = None


class StepPaused(_Event, frozen=True, tag="step_paused"):
    """A step whose turn has come waits at a breakpoint, or because a user paused it."""

    step: str
    attempt: int


class StepResumed(_Event, frozen=True, tag="step_resumed"):
    """A user lets the paused step go on."""

    step: str
    attempt: int


class StepLacking(_Event, frozen=True, tag="step_lacking"):
    """The owner of the run has no code for a step whose turn has come (PROTOCOL 22); the step waits."""

    step: str


class StepWaiting(_Event, frozen=True, tag="step_waiting"):
    """An attempt waits for permits: of each tag, of which at most so many steps may be under way."""

    step: str
    attempt: int
    permits: dict[str, int]


class StepPermitted(_Event, frozen=True, tag="step_permitted"):
    """The permits that the attempt has waited for are its own until it ends."""

    step: str
    attempt: int


class StepStarting(_Event, frozen=True, tag="step_starting"):
    """An attempt begins: it is handed to the executor as soon as this is durable.

    ``params`` are those of the step that are not literally in the definition, evaluated; so is ``timeout_s``.
    """

    step: str
    attempt: int = 1
    params: dict[str, Param] = {}
    timeout_s: float | None = None


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


class StepStopping(_Event, frozen=True, tag="step_stopping"):
    """An action on a running attempt was accepted: it is terminated, to end in ``status``."""

    step: str
    attempt: int
    status: StepStatus


class StepRestarting(_Event, frozen=True, tag="step_restarting"):
    """A step that has failed for good is tried again in the run that still goes on, with these params changed."""

    step: str
    params: dict[str, Param] = {}


class BreakpointSet(_Event, frozen=True, tag="breakpoint_set"):
    """From now on each attempt of the step is paused before it begins; or, with ``on`` false, no longer."""

    step: str
    on: bool = True


class StepEnded(_Event, frozen=True, tag="step_ended"):
    """An attempt has ended, once and for all. ``retry_at`` is set when another attempt follows by itself.

    ``branches`` has the values of the conditions to its successors that are expressions, if the step is complete.
    """

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
    branches: dict[str, bool] = {}


class RunStopping(_Event, frozen=True, tag="run_stopping"):
    """The run is to end early: nothing new starts, what runs is terminated and ends in ``status``.

    STOPPED by a user, by a step that fails its run immediately, or by a newer run; FATALLY_FAILED by a kill; TIMED_OUT.
    ``reason`` says which.
    """

    message_id: str = ""
    status: StepStatus = StepStatus.STOPPED
    reason: str = ""


class RunEnded(_Event, frozen=True, tag="run_ended"):
    """The run has ended; ``reason`` says why, where its steps do not."""

    status: RunStatus
    reason: str = ""


class RunUnblocked(_Event, frozen=True, tag="run_unblocked"):
    """The run has failed, and does not keep later runs of its workflow from starting any more."""

    message_id: str = ""


Event: TypeAlias = (
    RunQueued
    | RunStarted
    | StepPaused
    | StepResumed
    | StepLacking
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
