"""The run index of all groups and the catalog, merged: newest run first, in pages."""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterator
from itertools import islice

from attrs import frozen

from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.protocol import RunQuery
from maestro_flow_redis.locations import entries, started
from maestro_flow_redis.server import Call, Server

__all__ = ["list_runs"]

_PAGE_MIN = 16
"""Index keys that are read at once from an index: more than its share of a page, so that one round mostly does."""


@frozen
class _Index:
    """One filter in the index of one group."""

    group_id: int
    prefix: str


def list_runs(server: Server, query: RunQuery) -> list[RunEntry]:
    """A page of runs: those of the catalog that are pending, and those of the groups.

    The catalog is read first: a run that gets its first commit meanwhile is then in both, and counts once, with the
    entry of its group. In the other order it could be missed.
    """
    before = b"" if query.before is None else _ordered(query.before[0]) + query.before[1].encode()
    created = {entry.flow_id: entry for entry in _created(server, query, before)}
    mark = "!" if query.blocking else ""
    statuses: list[str] = [*sorted(query.statuses)] or [""]
    indexes = [_Index(g, _prefix(query, mark + status)) for g in range(server.group_count) for status in statuses]
    keys = heapq.merge(*_streams(server, indexes, before, query.limit), reverse=True)
    wanted = (found for found in _distinct(keys) if _is_of_workflow(found[0], query))
    found = list(islice(wanted, query.limit))
    written = [entry for entry in entries(server, [(g, key[8:].decode()) for key, g in found]) if entry is not None]
    merged = {**created, **{entry.flow_id: entry for entry in written}}
    return sorted(merged.values(), key=lambda entry: (entry.created_at, entry.flow_id), reverse=True)[: query.limit]


def _ordered(time: float) -> bytes:
    """As ``index.lua`` makes it."""
    bits = int.from_bytes(struct.pack(">d", time))
    return (bits ^ (2**64 - 1) if time < 0 else bits | 2**63).to_bytes(8)


def _prefix(query: RunQuery, status: str) -> str:
    """As ``index.lua`` makes it."""
    instance = "" if query.instance_id is None else str(query.instance_id)
    scope = query.workflow_id or "" if query.parent is None else f"/{query.parent}"
    return f"{scope}\0{instance}\0{status}\0"


def _is_of_workflow(key: bytes, query: RunQuery) -> bool:
    """The children of a step are nearly always of one workflow, so the index does not tell them apart by that."""
    if query.parent is None or query.workflow_id is None:
        return True
    return key[8:].rsplit(b"/", 2)[0].decode() == query.workflow_id


def _created(server: Server, query: RunQuery, before: bytes) -> Iterator[RunEntry]:
    """The newest pending runs of a page."""
    if query.blocking or (query.statuses and RunStatus.CREATED not in query.statuses):
        return
    left = query.limit
    while left > 0:
        args = (_prefix(query, RunStatus.CREATED), before, query.limit)
        keys = server.call("list_runs", server.catalog, *args)
        flow_ids = [key[8:].decode() for key in keys if _is_of_workflow(key, query)]
        runs = [run for run in started(server, flow_ids) if run is not None]
        written = entries(server, [(run.group_id, run.flow_id) for run in runs])
        fresh = [run for run, entry in zip(runs, written, strict=True) if entry is None]
        left -= len(fresh)
        yield from fresh
        if len(keys) < query.limit:
            return
        before = keys[-1]


def _streams(server: Server, indexes: list[_Index], before: bytes, limit: int) -> Iterator[Iterator[tuple[bytes, int]]]:
    """For each index its (key, group id), newest first; the first pages of all come in one round."""
    size = min(limit, max(_PAGE_MIN, 2 * limit // len(indexes)))
    calls = [Call("list_runs", server.group(index.group_id), (index.prefix, before, size)) for index in indexes]
    for index, page in zip(indexes, server.call_all(calls), strict=True):
        yield _stream(server, index, page, size)


def _stream(server: Server, index: _Index, page: list[bytes], size: int) -> Iterator[tuple[bytes, int]]:
    while page:
        yield from ((key, index.group_id) for key in page)
        if len(page) < size:
            return
        page = server.call("list_runs", server.group(index.group_id), index.prefix, page[-1], size)


def _distinct(keys: Iterator[tuple[bytes, int]]) -> Iterator[tuple[bytes, int]]:
    """Remove duplicates: a run whose status changes between reading the indexes of two statuses."""
    last = None
    for key in keys:
        if key != last:
            yield key
        last = key
