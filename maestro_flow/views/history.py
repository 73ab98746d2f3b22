"""The log of a run, event by event."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import frozen

from maestro_flow.model.events import Event, decode_events
from maestro_flow.model.log import LogRecord

__all__ = ["RecordedEvent", "recorded_events"]


@frozen
class RecordedEvent:
    """One event, with its revision, time and writer.

    ``revision`` is that of the record, from 1 on and counted per run; ``at`` is seconds since the epoch; ``owner_id``
    is the process that wrote it.
    """

    revision: int
    at: float
    owner_id: str
    event: Event


def recorded_events(records: Iterable[LogRecord]) -> Iterator[RecordedEvent]:
    """The events of some records of a run, in their order. They are decoded one record at a time."""
    for record in records:
        for event in decode_events(record.events, record.schema_version):
            yield RecordedEvent(record.revision, record.at, record.owner_id, event)
