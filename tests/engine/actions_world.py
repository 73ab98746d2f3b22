"""An engine on both runtimes, and how a test waits until a run is where it wants to act on it."""

from __future__ import annotations

from collections.abc import Callable

from maestro_flow import Run, RunStatus, RunView, StepStatus, Workflow

PATIENCE_S = 20.0


def seen(run: Run, is_there: Callable[[RunView], bool]) -> RunView:
    """The first view of a run that is as wanted."""
    return next(view for view in run.follow(PATIENCE_S) if is_there(view))


def when(run: Run, step_id: str, status: StepStatus) -> RunView:
    """The run as soon as the step has the status."""
    return seen(run, lambda view: view.steps[step_id].status is status)


def statuses(run: Run) -> dict[str, str]:
    return {step_id: str(step.status) for step_id, step in run.steps.items()}


def ended(run: Run) -> tuple[RunStatus, dict[str, str]]:
    """How the run and its steps end."""
    return run.wait(PATIENCE_S), statuses(run)


def sleepers(workflow_id: str = "long") -> Workflow:
    """``nap``, which sleeps for an hour, and ``after``, which follows it."""
    wf = Workflow(workflow_id)
    wf.add("nap", type="Sleep", params={"sleep_seconds": 3600})
    wf.add("after", type="NoOp", after=["nap"])
    return wf
