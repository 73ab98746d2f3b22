"""The log of a run, as people read it: event by event, or the life of one step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from maestro_flow.model.events import Event, StepEnded, StepEvent, StepRunning, StepStarting, decode_events
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
        if not isinstance(event, StepEvent) or event.step != step_id:
            continue
        attempt = getattr(event, "attempt", attempt)
        execution = getattr(event, "execution", 1 if isinstance(event, StepStarting) else execution)
        if isinstance(event, StepRunning):
            at = event.at  # the code began before it was recorded
        elif isinstance(event, StepEnded) and event.began_at is not None:
            running = Moment(event.began_at, attempt, execution, "RUNNING")
            if all((known.attempt, known.what) != (attempt, "RUNNING") for known in moments):
                moments.append(running)
        if what := event.timeline_text():
            moments.append(Moment(at, attempt, execution, what))
    moments.sort(key=lambda moment: moment.at)
    ends = [moment.at for moment in moments[1:]]
    return [evolve(moment, lasted_s=end - moment.at) for moment, end in zip(moments, ends, strict=False)] + moments[-1:]
