"""Iterators over the pages of a store: one for each verb that returns a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from typing import TypeVar

from attrs import evolve

from maestro_flow.model.inbox import Message
from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = [
    "all_dead_letters",
    "all_log_records",
    "all_pending_starts",
    "all_runs",
    "live_flow_pages",
    "pages",
    "pending_start_pages",
]

C = TypeVar("C")
T = TypeVar("T")

_PAGE = 500


def pages(read: Callable[[C], list[T]], after: C, cursor_of: Callable[[T], C]) -> Iterator[list[T]]:
    """The pages from cursor ``after`` on, until one is empty; ``read`` returns the page beyond a cursor.

    ``cursor_of`` gives the cursor of a page's last item. Pages are read lazily.
    """
    while page := read(after):
        yield page
        after = cursor_of(page[-1])


def all_runs(storage: Storage, query: RunQuery) -> Iterator[RunEntry]:
    """The runs that match a query, newest first; ``query.limit`` is the page size."""
    return chain.from_iterable(
        pages(
            lambda before: storage.list_runs(evolve(query, before=before)),
            query.before,
            lambda entry: (entry.created_at, entry.flow_id),
        )
    )


def all_dead_letters(storage: Storage) -> Iterator[Message]:
    """The dead letters of a store, by group and age."""
    return chain.from_iterable(
        pages(
            lambda after: storage.dead_letters(after=after, limit=_PAGE),
            (-1, 0),
            lambda message: (message.group_id, message.sequence),
        )
    )


def all_log_records(storage: Storage, group_id: int, *, accept_gaps: bool = False) -> Iterator[LogRecord]:
    """The log of a group, by position; ``accept_gaps`` as in ``Storage.read_log``."""
    return chain.from_iterable(
        pages(
            lambda after: storage.read_log(group_id, after=after, limit=2 * _PAGE, accept_gaps=accept_gaps),
            0,
            lambda record: record.position,
        )
    )


def pending_start_pages(storage: Storage, group_id: int, *, limit: int) -> Iterator[list[PendingRun]]:
    """The pending starts of a group, oldest first."""
    return pages(
        lambda after: storage.pending_starts(group_id, after=after, limit=limit),
        0,
        lambda pending: pending.sequence,
    )


def all_pending_starts(storage: Storage, group_id: int) -> Iterator[PendingRun]:
    """The pending starts of a group, oldest first."""
    return chain.from_iterable(pending_start_pages(storage, group_id, limit=2 * _PAGE))


def live_flow_pages(storage: Storage, group_id: int, *, after: str, limit: int) -> Iterator[list[FlowLog]]:
    """The live flows of a group with their logs, by flow id, beyond the flow ``after``."""
    return pages(
        lambda flow_id: storage.load_flows(group_id, after=flow_id, limit=limit),
        after,
        lambda log: log.entry.flow_id,
    )
