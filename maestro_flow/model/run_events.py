"""Events that concern a run as a whole; see ``model.events``."""

from __future__ import annotations

import msgspec

from maestro_flow.model.params import Param
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["RunEnded", "RunEvent", "RunQueued", "RunStarted", "RunStopping", "RunUnblocked"]


class RunEvent(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Base of the events of a run. What is not a field of the struct is not written to the log."""

    def text(self) -> str:
        """What happened to the run, as text for people that follows "run"."""
        raise NotImplementedError

    def describe(self) -> str:
        """The event on one line."""
        return " ".join(f"run {self.text()}".split())


class RunQueued(RunEvent, frozen=True, tag="run_queued"):
    """First event of a run whose strategy may make it wait for others: it is CREATED."""

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    created_at: float
    request: RunRequest = RunRequest()

    def text(self) -> str:
        return f"queued{_options(self.request)}"


class RunStarted(RunEvent, frozen=True, tag="run_started"):
    """The run is IN_PROGRESS with these evaluated params; the first event of a run that did not have to wait.

    ``request`` has the options of the start, unless RUN_QUEUED has them; ``timeout_s`` limits the run.
    """

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    created_at: float
    params: dict[str, Param] = {}
    request: RunRequest | None = None
    timeout_s: float | None = None

    def text(self) -> str:
        limit = "" if self.timeout_s is None else f", for at most {self.timeout_s:g} s"
        return f"started{_options(self.request)}{limit}"


class RunStopping(RunEvent, frozen=True, tag="run_stopping"):
    """The run is to end early: no step starts, running steps are terminated and end in ``status``.

    STOPPED by a user, by a step that fails its run immediately, or by a newer run; FATALLY_FAILED by a kill; TIMED_OUT.
    ``reason`` says which.
    """

    message_id: str = ""
    status: StepStatus = StepStatus.STOPPED
    reason: str = ""

    def text(self) -> str:
        return f"ending, its steps as {self.status}: {self.reason or 'by a user'}"


class RunEnded(RunEvent, frozen=True, tag="run_ended"):
    """The run has ended; ``reason`` says why, if its steps do not."""

    status: RunStatus
    reason: str = ""

    def text(self) -> str:
        return f"ended {self.status}{self.reason and f': {self.reason}'}"


class RunUnblocked(RunEvent, frozen=True, tag="run_unblocked"):
    """The run has failed, and no longer keeps later runs of its workflow from starting."""

    message_id: str = ""

    def text(self) -> str:
        return "unblocked: it no longer keeps other runs from starting"


def _options(request: RunRequest | None) -> str:
    """The options of a start, other than params."""
    if request is None:
        return ""
    parts = []
    if request.previous:
        where = f" from step {request.restart_from}" if request.restart_from else ""
        parts.append(f"{request.policy}{where} after {request.previous}")
    parts += [f"skip {step_id}" for step_id in request.skip_steps]
    parts += [f"breakpoint at {step_id}" for step_id in request.breakpoints]
    return f" ({', '.join(parts)})" if parts else ""
