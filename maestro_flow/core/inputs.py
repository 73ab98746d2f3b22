"""What ``decide`` reacts to, and what it asks for: inputs, effects, and the room a node has for work."""

from __future__ import annotations

from typing import Any, TypeAlias

from attrs import Factory, frozen
from msgspec import Raw

from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import Param
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, Verdict

__all__ = [
    "Act",
    "Began",
    "Capacity",
    "ContinueStep",
    "Displace",
    "Effect",
    "FinishRun",
    "Granted",
    "HandOver",
    "Input",
    "Launch",
    "Letter",
    "Load",
    "Report",
    "RunStep",
    "Start",
    "TerminateStep",
    "Tick",
]


@frozen
class Start:
    """The run is taken up: its first commit follows. It begins at once, or is ``queued`` until ``Launch``."""

    instance_id: int
    run_id: int
    created_at: float
    request: RunRequest = Factory(RunRequest)
    queued: bool = False


@frozen
class Launch:
    """The run strategy lets a queued run begin."""


@frozen
class Displace:
    """The run strategy ends this run, for the sake of another one: queued or not, it is STOPPED."""

    reason: str


@frozen
class Load:
    """The flow was just read from the store: whoever ran its active steps is gone.

    Unless it was this very process (``same_owner``), which had lost the group or the flow's actor for a while. Nothing
    has crashed then: what ran is handed over, from itself to itself (PROTOCOL 14, 24).
    """

    same_owner: bool = False


@frozen
class Began:
    """The code of an attempt really began, at ``at``."""

    step: str
    attempt: int
    execution: int
    at: float


@frozen
class Report:
    """A call of a step's code has returned."""

    step: str
    attempt: int
    execution: int
    verdict: Verdict
    began_at: float | None = None
    result: Raw = NO_RESULT
    outputs: dict[str, Param] = Factory(dict)
    artifacts: dict[str, Any] = Factory(dict)
    timeline: tuple[str, ...] = ()
    error: StepError | None = None
    size_bytes: int = 0
    """Of result, outputs and artifacts, for the size limit of a commit."""


@frozen
class Tick:
    """Look again: a timer is due, or there is room for more work."""


@frozen
class HandOver:
    """This node gives the flow up: what runs here is interrupted, which is no crash (PROTOCOL 14)."""


@frozen
class Act:
    """A user's action on the run, or on the step that the order names; the message is settled with what came of it."""

    message_id: str
    action: Action
    order: ActionOrder = Factory(ActionOrder)


@frozen
class Granted:
    """The permits that an attempt waits for are its own now; the message that says so is settled with it."""

    message_id: str
    step: str
    attempt: int


Input: TypeAlias = Start | Launch | Displace | Load | Began | Report | Tick | HandOver | Act | Granted


@frozen
class RunStep:
    """Hand the attempt to its step actor."""

    step: str
    attempt: int
    execution: int


@frozen
class ContinueStep:
    """The progress that the attempt reported is durable: its step actor may go on."""

    step: str
    attempt: int


@frozen
class TerminateStep:
    """Tell the attempt's step actor to terminate it; a report follows."""

    step: str
    attempt: int


@frozen
class FinishRun:
    """The run has ended, and nothing is left to be decided: answer who waits, let go of the flow."""

    status: RunStatus


Effect: TypeAlias = RunStep | ContinueStep | TerminateStep | FinishRun


@frozen
class Letter:
    """A message to another flow, written with the commit that makes it true (PROTOCOL 20)."""

    message_id: str
    flow_id: str
    kind: str
    body: bytes


@frozen
class Capacity:
    """What the deciding node can take on now, and its limits. ``inline`` and ``lacking`` are ids of steps.

    A node that ``is_leaving`` gives the flow up, and starts nothing any more.

    An inline step is run by the engine itself (NoOp, Sleep): it needs no room, cannot kill the process, and is simply
    run again after a crash. A step whose code is lacking here waits (PROTOCOL 22).
    """

    starts: int = 1000
    suspects: int = 4
    crashed: int = 1
    inline: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    is_leaving: bool = False
    expression_visits_max: int = 250_000
    crashes_max: int = 3
    events_max: int = 200
    bytes_max: int = 4 * 1024 * 1024
