"""The log of a run, as people read it: event by event, or the life of one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from maestro_flow.model.events import (
    Event,
    StepEnded,
    StepInterrupted,
    StepLacking,
    StepPaused,
    StepPermitted,
    StepProgressed,
    StepRestarting,
    StepResumed,
    StepRunning,
    StepStarting,
    StepStopping,
    StepWaiting,
    decode_events,
)
from maestro_flow.storage.protocol import Storage

__all__ = ["Happened", "Moment", "history", "timeline"]


@frozen
class Happened:
    """One event; ``at`` is seconds since the epoch, ``owner_id`` the process that has written it."""

    revision: int
    at: float
    owner_id: str
    event: Event


@frozen
class Moment:
    """One entry in the life of a step; ``lasted_s`` is the time to the next one, None for the last."""

    at: float
    attempt: int
    execution: int
    what: str
    lasted_s: float | None = None


def history(storage: Storage, flow_id: str, after_revision: int = 0) -> Iterator[Happened]:
    """The events beyond a revision, oldest first. They are decoded one record at a time."""
    for record in storage.read_flow(flow_id, after_revision=after_revision):
        for event in decode_events(record.events, record.schema_version):
            yield Happened(record.revision, record.at, record.owner_id, event)


def timeline(happened: Iterable[Happened], step_id: str) -> list[Moment]:
    """The life of one step, through all its attempts and executions in this run."""
    moments: list[Moment] = []
    attempt = execution = 1
    for each in happened:
        event, at = each.event, each.at
        if getattr(event, "step", "") != step_id:
            continue
        attempt = getattr(event, "attempt", attempt)
        execution = getattr(event, "execution", 1 if isinstance(event, StepStarting) else execution)
        if isinstance(event, StepRunning):
            at = event.at  # the code began before it was recorded
        elif isinstance(event, StepEnded) and event.began_at is not None:
            running = Moment(event.began_at, attempt, execution, "RUNNING")
            if all((known.attempt, known.what) != (attempt, "RUNNING") for known in moments):
                moments.append(running)
        if what := _what(event):
            moments.append(Moment(at, attempt, execution, what))
    moments.sort(key=lambda moment: moment.at)
    ends = [moment.at for moment in moments[1:]]
    return [evolve(moment, lasted_s=end - moment.at) for moment, end in zip(moments, ends, strict=False)] + moments[-1:]


def _what(event: Event) -> str:  # noqa: PLR0912 - one branch an event
    """The status that an event gives to its step, or what else it says."""
    match event:
        case StepEnded():
            return str(event.status)
        case StepStarting():
            return "STARTING"
        case StepRunning():
            return "RUNNING"
        case StepPaused():
            return "PAUSED"
        case StepResumed():
            return "INITIALIZED"
        case StepWaiting():
            return "WAITING_FOR_PERMITS"
        case StepPermitted():
            return "permits granted"
        case StepInterrupted():
            return "handed over" if event.handed_over else "interrupted"
        case StepStopping():
            return f"to end as {event.status}"
        case StepRestarting():
            return "restarted"
        case StepLacking():
            return "its owner has no code for it"
        case StepProgressed():
            return "; ".join(event.timeline)
        case _:
            return ""
