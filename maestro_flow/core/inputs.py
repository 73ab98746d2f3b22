"""What goes into ``decide`` and comes out of it: inputs, effects, and the node's capacity for work.

msgspec structs, as the states are, and for the same reason: several of each are created for every step.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from msgspec import Raw, Struct, field

from maestro_flow.core.slots import Slots
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.definition import DEFAULT_EXECUTOR
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import Param
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, Verdict

__all__ = [
    "Act",
    "Began",
    "Capacity",
    "ContinueStep",
    "DecisionLimits",
    "Displace",
    "Effect",
    "FinishRun",
    "Granted",
    "HandOver",
    "Input",
    "Launch",
    "Load",
    "OutgoingMessage",
    "Progressed",
    "Report",
    "RunStep",
    "Start",
    "TerminateStep",
    "Tick",
]


class Start(Struct, frozen=True):
    """The run is taken up: its first commit follows. It begins at once, or is ``queued`` until ``Launch``."""

    instance_id: int
    run_id: int
    created_at: float
    request: RunRequest = RunRequest()
    queued: bool = False


class Launch(Struct, frozen=True):
    """The run strategy lets a queued run begin."""


class Displace(Struct, frozen=True):
    """The run strategy ends this run in favour of another one: queued or active, it is STOPPED."""

    reason: str


class Load(Struct, frozen=True):
    """The flow was just read from the store: the process that ran its active steps is gone.

    With ``same_owner`` it was this process, which had lost the group or the flow's actor for a while. Then nothing has
    crashed, and active steps count as handed over (PROTOCOL 14, 24).
    """

    same_owner: bool = False


class Began(Struct, frozen=True):
    """The code of an attempt actually began, at ``at``."""

    step: str
    attempt: int
    execution: int
    at: float


class Report(Struct, frozen=True):
    """A call of a step's code has returned."""

    step: str
    attempt: int
    execution: int
    verdict: Verdict
    began_at: float | None = None
    result: Raw = NO_RESULT
    outputs: dict[str, Param] = {}
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()
    error: StepError | None = None
    size_bytes: int = 0
    """Size of result, outputs and artifacts, for the size limit of a commit."""


class Progressed(Struct, frozen=True):
    """The code of an attempt, which began at ``began_at``, reports progress."""

    step: str
    attempt: int
    execution: int
    began_at: float | None
    artifacts: dict[str, Any]
    timeline: tuple[str, ...]
    size_bytes: int = 0
    """Size of the artifacts."""


class Tick(Struct, frozen=True):
    """Look again: a timer is due, or a slot is free."""


class HandOver(Struct, frozen=True):
    """This node gives up the flow: what runs here is interrupted, which does not count as a crash (PROTOCOL 14)."""


class Act(Struct, frozen=True):
    """A user's action on the run, or on the step that the order names; its message is settled with the outcome."""

    message_id: str
    action: Action
    order: ActionOrder = ActionOrder()


class Granted(Struct, frozen=True):
    """An attempt has been granted the permits that it waits for; the message that says so is settled."""

    message_id: str
    step: str
    attempt: int


Input: TypeAlias = Start | Launch | Displace | Load | Began | Progressed | Report | Tick | HandOver | Act | Granted


class RunStep(Struct, frozen=True):
    """Hand the attempt to its step actor."""

    step: str
    attempt: int
    execution: int


class ContinueStep(Struct, frozen=True):
    """The progress that the attempt reported is durable: its step actor may continue."""

    step: str
    attempt: int


class TerminateStep(Struct, frozen=True):
    """Tell the attempt's step actor to terminate it; a report follows."""

    step: str
    attempt: int


class FinishRun(Struct, frozen=True):
    """The run has ended, and nothing is left to decide: answer the waiters and release the flow."""

    status: RunStatus


Effect: TypeAlias = RunStep | ContinueStep | TerminateStep | FinishRun


class OutgoingMessage(Struct, frozen=True):
    """A message to another flow, written with the commit that makes it true (PROTOCOL 20).

    ``group_id`` is the group of that flow; a message to a run learns it from the request that it answers. A system flow
    needs none: it is found by its name.
    """

    message_id: str
    flow_id: str
    kind: str
    body: bytes
    group_id: int | None = None


class DecisionLimits(Struct, frozen=True):
    """Settings of the node that bound a decision (``config.settings`` has their units, reasons and defaults)."""

    expression_visits_max: int
    crashes_max: int
    events_max: int
    bytes_max: int


class Capacity(Struct, frozen=True):
    """What the deciding node can take on now, and its limits. ``inline`` and ``unsupported`` are ids of steps.

    A node that ``is_leaving`` is giving up the flow and starts nothing new. ``group_id`` is the group of the flow,
    named in messages that ask for an answer.

    An inline step (NoOp, Sleep) is run by the engine itself: it needs no slot, cannot crash the process, and is simply
    run again after a crash. An unsupported step, whose code the node does not have, waits (PROTOCOL 22).
    """

    limits: DecisionLimits
    slots: dict[str, Slots] = field(default_factory=lambda: {DEFAULT_EXECUTOR: Slots()})
    """Free slots by executor."""
    executors: dict[str, str] = {}
    """Which executor runs a step, for those that the default one does not run."""
    inline: frozenset[str] = frozenset()
    unsupported: frozenset[str] = frozenset()
    is_leaving: bool = False
    group_id: int = 0
