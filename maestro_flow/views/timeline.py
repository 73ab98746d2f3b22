"""The timeline of a step: what happened to it in a run, entry by entry."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from attrs import evolve, frozen

from maestro_flow.model.events import StepEnded, StepEvent, StepInterrupted, StepRunning, StepStarting
from maestro_flow.model.status import StepStatus
from maestro_flow.views.history import RecordedEvent

__all__ = ["TimelineEntry", "timeline"]


@frozen
class TimelineEntry:
    """One entry: a new status of the step, or what else happened (``what``).

    ``at`` is seconds since the epoch; ``lasted_s`` is the time to the next entry, None for the last one.
    """

    at: float
    attempt: int
    execution: int
    what: str
    lasted_s: float | None = None


def timeline(events: Iterable[RecordedEvent], step_id: str) -> list[TimelineEntry]:
    """The timeline of one step through all its attempts and executions in a run, oldest entry first."""
    entries: list[TimelineEntry] = []
    attempt = execution = 1
    for recorded in events:
        event, at = recorded.event, recorded.at
        if not isinstance(event, StepEvent) or event.step != step_id:
            continue
        attempt = getattr(event, "attempt", attempt)
        execution = getattr(event, "execution", 1 if isinstance(event, StepStarting) else execution)
        shown = execution
        if isinstance(event, StepInterrupted):
            shown = execution - 1  # the event has the number of the execution that follows
        elif isinstance(event, StepRunning) and execution == 1:
            at = event.at  # it is recorded later than it happened; a later execution is recorded before it begins
        elif isinstance(event, StepEnded) and event.began_at is not None:
            running = TimelineEntry(event.began_at, attempt, execution, StepStatus.RUNNING.value)
            if all((entry.attempt, entry.what) != (attempt, running.what) for entry in entries):
                entries.append(running)
        entries += (TimelineEntry(at, attempt, shown, what) for what in event.timeline_lines())
    entries.sort(key=lambda entry: entry.at)
    timed = [evolve(entry, lasted_s=after.at - entry.at) for entry, after in pairwise(entries)]
    return timed + entries[-1:]
