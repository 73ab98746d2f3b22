"""Follows a run to its end and shows its progress: live, one line per change, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

import click

from maestro_flow.cli.exits import Exit
from maestro_flow.cli.tables import on_terminal
from maestro_flow.cli.text import is_active, run_line, step_line
from maestro_flow.clock import SystemClock
from maestro_flow.errors import WaitTimeout
from maestro_flow.model.status import RunStatus, StepStatus

if TYPE_CHECKING:
    from maestro_flow.client.run import Run
    from maestro_flow.views.run import RunView, StepView

    Show: TypeAlias = Callable[[RunView], None]

__all__ = ["Deadline", "follow"]


class Deadline:
    """A point in time ``timeout_s`` seconds from now, or never; shared by all runs that a command waits for."""

    def __init__(self, timeout_s: float | None) -> None:
        self._clock = SystemClock()
        self._end = None if timeout_s is None else self._clock.monotonic() + timeout_s

    def left_s(self) -> float | None:
        """Seconds left, at least 0; None means no deadline."""
        return None if self._end is None else max(0.0, self._end - self._clock.monotonic())


def follow(run: Run, deadline: Deadline, *, as_json: bool) -> tuple[RunView, Exit]:
    """Show a run until it ends, the deadline passes, or nothing in it can continue here; returns its last view."""
    view = run.view()
    try:
        with _progress(as_json=as_json) as show:
            for view in run.follow(deadline.left_s()):
                show(view)
                if is_stuck(view):
                    break
    except WaitTimeout:
        return view, Exit.TIMED_OUT
    return view, Exit.OK if view.status is RunStatus.SUCCEEDED else Exit.NOT_SUCCEEDED


def is_stuck(view: RunView) -> bool:
    """Whether some step waits for something that this node lacks, and no other step will progress by itself."""
    steps = view.steps.values()
    progresses = any(not step.waiting_for and (is_active(step) or step.retry_at is not None) for step in steps)
    return any(step.waiting_for for step in steps) and not progresses


def _progress(*, as_json: bool) -> AbstractContextManager[Show]:
    """The way to show progress that suits stdout; none with ``--json``, where stdout has only the document."""
    if as_json:
        return nullcontext(lambda _view: None)
    if on_terminal():
        from maestro_flow.cli.live import live_table

        return live_table()
    return nullcontext(_Lines().show)


class _Lines:
    """One line per change of a step, oldest first."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[int, StepStatus, str]] = {}

    def show(self, view: RunView) -> None:
        changed = [step for step in view.steps.values() if self._has_changed(step)]
        for step in sorted(changed, key=lambda step: step.ended_at or step.started_at or view.created_at):
            click.echo(step_line(step))
        if view.status.is_terminal:
            click.echo(run_line(view))

    def _has_changed(self, step: StepView) -> bool:
        state = (step.attempt, step.status, step.waiting_for)
        before = self._shown.get(step.id, (step.attempt, StepStatus.NOT_CREATED, ""))
        self._shown[step.id] = state
        return state != before
