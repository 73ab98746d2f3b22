"""Events that concern one step of a run; see ``model.events``."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from maestro_flow.model.params import Param
from maestro_flow.model.status import StepStatus

__all__ = [
    "NO_RESULT",
    "BreakpointSet",
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
]

NO_RESULT = msgspec.Raw(b"null")
"""The result of an attempt that returned nothing: JSON null."""


class StepError(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an attempt failed: the exception's type name, its message, and its traceback, each cut to a limit."""

    type: str
    message: str
    traceback: str = ""


class StepEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Base of the events of a step. What is not a field of the struct is not written to the log."""

    leads_to: ClassVar[StepStatus | None] = None
    """The status that an event of this kind gives its step; None if it sets none, or not always the same."""
    is_change: ClassVar[bool] = True
    """The event changes what the step does or waits for, so that its current wait began then."""

    step: str

    @property
    def new_status(self) -> StepStatus | None:
        """The status of the step from this event on; None if the event leaves it as it is."""
        return self.leads_to

    def text(self) -> str:
        """What happened to the step, as text for people that follows "step <id>"."""
        raise NotImplementedError

    def describe(self) -> str:
        """The event on one line."""
        return " ".join(f"step {self.step} {self.text()}".split())

    def timeline_lines(self) -> tuple[str, ...]:
        """The event in the timeline of the step, oldest line first: its new status, or what else happened."""
        return () if self.new_status is None else (str(self.new_status),)


class StepPaused(StepEvent, frozen=True, tag="step_paused"):
    """A step whose turn has come waits at a breakpoint, or because a user paused it."""

    leads_to = StepStatus.PAUSED

    attempt: int

    def text(self) -> str:
        return f"paused before attempt {self.attempt}"


class StepResumed(StepEvent, frozen=True, tag="step_resumed"):
    """A user lets the paused step continue."""

    leads_to = StepStatus.INITIALIZED

    attempt: int

    def text(self) -> str:
        return f"resumed, attempt {self.attempt} is next"


class StepUnsupported(StepEvent, frozen=True, tag="step_lacking"):
    """The owner of the run has no code for a step whose turn has come (PROTOCOL 22); the step waits."""

    def text(self) -> str:
        return "waits: its node does not have its code"

    def timeline_lines(self) -> tuple[str, ...]:
        return ("its node does not have its code",)


class StepWaiting(StepEvent, frozen=True, tag="step_waiting"):
    """An attempt waits for permits. ``permits`` has each tag with the number of steps that may be under way."""

    leads_to = StepStatus.WAITING_FOR_PERMITS

    attempt: int
    permits: dict[str, int]

    def text(self) -> str:
        tags = ", ".join(f"{tag} (at most {limit})" for tag, limit in self.permits.items())
        return f"waits for permits, attempt {self.attempt}: {tags}"


class StepPermitted(StepEvent, frozen=True, tag="step_permitted"):
    """The attempt holds its permits until it ends."""

    attempt: int

    def text(self) -> str:
        return f"has its permits, attempt {self.attempt}"

    def timeline_lines(self) -> tuple[str, ...]:
        return ("permits granted",)


class StepStarting(StepEvent, frozen=True, tag="step_starting"):
    """An attempt begins: it is handed to the executor as soon as this is durable.

    ``params`` are the evaluated params that are not literals in the definition; ``timeout_s`` is evaluated, too.
    """

    leads_to = StepStatus.STARTING

    attempt: int = 1
    params: dict[str, Param] = {}
    timeout_s: float | None = None

    def text(self) -> str:
        limit = "" if self.timeout_s is None else f", for at most {self.timeout_s:g} s"
        return f"starting, attempt {self.attempt}{limit}"


class StepRunning(StepEvent, frozen=True, tag="step_running"):
    """The code of an attempt began at ``at``; this is recorded later, except for a suspect."""

    leads_to = StepStatus.RUNNING

    attempt: int
    at: float
    execution: int = 1

    def text(self) -> str:
        return f"running, attempt {self.attempt}, execution {self.execution}"


class StepProgressed(StepEvent, frozen=True, tag="step_progressed"):
    """An attempt continues and leaves artifacts, with which a later execution finds its external work."""

    is_change = False

    attempt: int
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()

    def text(self) -> str:
        return f"progressed, attempt {self.attempt}: {'; '.join(self.timeline) or 'artifacts'}"

    def timeline_lines(self) -> tuple[str, ...]:
        return _joined(self.timeline)


class StepInterrupted(StepEvent, frozen=True, tag="step_interrupted"):
    """The owner of a running attempt is gone; the same attempt continues as a new execution (PROTOCOL 23, 24).

    ``crashes`` counts the owners that died after a recorded RUNNING; a handover is not a crash.
    """

    leads_to = StepStatus.STARTING

    attempt: int
    execution: int
    crashes: int = 0
    handed_over: bool = False

    def text(self) -> str:
        why = "handed over" if self.handed_over else f"interrupted, crashes {self.crashes}"
        return f"{why}, attempt {self.attempt} continues as execution {self.execution}"

    def timeline_lines(self) -> tuple[str, ...]:
        return ("handed over" if self.handed_over else "interrupted",)


class StepStopping(StepEvent, frozen=True, tag="step_stopping"):
    """An action on a running attempt was accepted: it is terminated, to end in ``status``."""

    attempt: int
    status: StepStatus

    def text(self) -> str:
        return f"is being terminated, attempt {self.attempt} will end as {self.status}"

    def timeline_lines(self) -> tuple[str, ...]:
        return (f"to end as {self.status}",)


class StepRestarting(StepEvent, frozen=True, tag="step_restarting"):
    """A step that has failed permanently is tried again in its run, which is still active, with these params
    changed."""

    leads_to = StepStatus.CREATED

    params: dict[str, Param] = {}

    def text(self) -> str:
        return f"restarted{' with params ' + ', '.join(self.params) if self.params else ''}"

    def timeline_lines(self) -> tuple[str, ...]:
        return ("restarted",)


class BreakpointSet(StepEvent, frozen=True, tag="breakpoint_set"):
    """From now on each attempt of the step is paused before it begins; or, with ``on`` false, no longer."""

    is_change = False

    on: bool = True

    def text(self) -> str:
        return "has a breakpoint" if self.on else "no longer has a breakpoint"


class StepEnded(StepEvent, frozen=True, tag="step_ended"):
    """An attempt has ended. ``retry_at`` is set if another attempt follows automatically.

    ``branches`` has the values of those conditions to its successors that are expressions, if the step is complete.
    """

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

    @property
    def new_status(self) -> StepStatus:
        return self.status

    def text(self) -> str:
        text = f"ended {self.status}, attempt {self.attempt}"
        if self.error is not None:
            text += f": {self.error.type}: {self.error.message}"
        if self.retry_at is not None:
            text += "; it will be retried"
        if self.branches:
            text += f"; {', '.join(f'{to}: {str(value).lower()}' for to, value in self.branches.items())}"
        return text

    def timeline_lines(self) -> tuple[str, ...]:
        return (*_joined(self.timeline), str(self.status))


def _joined(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Joins the lines that the code of a step reported at once."""
    return ("; ".join(lines),) if lines else ()
