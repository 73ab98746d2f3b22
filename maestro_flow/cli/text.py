"""Runs and steps as text, one line each: times of day are local, durations are seconds with milliseconds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from maestro_flow.model.status import StepStatus

if TYPE_CHECKING:
    from maestro_flow.client.run import Run
    from maestro_flow.model.runs import RunEntry
    from maestro_flow.views.run import RunView, StepView

__all__ = ["date_and_time", "duration", "is_active", "run_line", "run_name", "step_line", "step_note", "time_of_day"]


def time_of_day(seconds: float | None) -> str:
    """Seconds since the epoch as ``12:01:03.123``; empty for None."""
    if seconds is None:
        return ""
    return f"{datetime.fromtimestamp(seconds).astimezone():%H:%M:%S.%f}"[:-3]


def date_and_time(seconds: float | None) -> str:
    """Seconds since the epoch as ``2026-11-22 12:01:03.123``; empty for None."""
    if seconds is None:
        return ""
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d} {time_of_day(seconds)}"


def duration(begin: float | None, end: float | None) -> str:
    """The time between two points in time as ``0.004 s``; empty if either is None."""
    if begin is None or end is None:
        return ""
    return f"{max(0.0, end - begin):.3f} s"


def run_name(run: Run | RunView | RunEntry) -> str:
    return f"{run.workflow_id} instance {run.instance_id} run {run.run_id}"


def is_active(step: StepView) -> bool:
    """Whether an attempt is active."""
    return step.status in (StepStatus.STARTING, StepStatus.RUNNING)


def step_note(step: StepView) -> str:
    """What to say about a step beside its status, on one line: an error, a retry, what it waits for."""
    notes = []
    if step.error is not None:
        notes.append(" ".join(f"{step.error.type}: {step.error.message}".split()))
    if step.retry_at is not None:
        notes.append(f"next attempt at {time_of_day(step.retry_at)}")
    if step.ending is not None:
        notes.append(f"ending as {step.ending}")
    if step.status is StepStatus.PAUSED:
        notes.append("to continue: maestro-flow resume-step")
    if step.is_carried:
        notes.append(f"of run {step.run_id}")
    if step.waiting_for:
        notes.append(f"waiting: {step.waiting_for}")
    return "; ".join(notes)


def step_line(step: StepView) -> str:
    """One change of a step: ``12:01:03.123 job.2 SUCCEEDED attempt 1 0.004 s``; the time is that of the change."""
    parts = [
        time_of_day(step.ended_at or step.started_at),
        step.id,
        step.status,
        f"attempt {step.attempt}" if step.attempt else "",
        duration(step.started_at, step.ended_at),
        step_note(step),
    ]
    return " ".join(part for part in parts if part)


def run_line(view: RunView) -> str:
    """The state of a run: ``12:01:03.130 nightly instance 1 run 1 SUCCEEDED 0.050 s``."""
    parts = [time_of_day(view.ended_at), run_name(view), view.status, duration(view.started_at, view.ended_at)]
    return " ".join(part for part in parts if part)
