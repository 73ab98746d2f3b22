"""Definitions and starts on Redis: step (a) of a start is one script in the catalog's slot (PROTOCOL 18)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from attrs import evolve

from maestro_flow.errors import StorageError
from maestro_flow.model.numbers import check_number
from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.protocol import StoredDefinition
from maestro_flow.storage.starts import check_same_start, new_run
from maestro_flow_redis.codec import request_argument, run_of
from maestro_flow_redis.locations import RunLocations, entries
from maestro_flow_redis.server import Server

__all__ = ["acknowledge_starts", "definition", "pending_starts", "push", "start"]


def push(server: Server, workflow_id: str, body: bytes) -> int:
    return int(server.call("push", server.catalog, workflow_id, body))


def definition(server: Server, workflow_id: str, version: int | None) -> StoredDefinition | None:
    if version is not None:
        check_number("version", version)
    found = server.call("definition", server.catalog, workflow_id, "" if version is None else version)
    return None if found is None else StoredDefinition(workflow_id, int(found[0]), found[1], float(found[2]))


def start(server: Server, requests: Sequence[StartRequest]) -> list[PendingRun]:
    """Raises NotFound, Conflict, as the protocol says. All or nothing, so numbers have no gaps."""
    if not requests:
        return []
    answers = server.call("start", server.catalog, *map(request_argument, requests))
    if answers[-1][0] in (b"refused", b"conflict"):
        _refuse(requests[len(answers) - 1], *answers[-1])
    return [
        run_of(flow_id, fields, request.body, fresh=bool(is_fresh))
        for request, (is_fresh, flow_id, *fields) in zip(requests, answers, strict=True)
    ]


def _refuse(request: StartRequest, why: bytes, *facts: Any) -> NoReturn:
    """Raise the same error as every backend."""
    if why == b"conflict":
        flow_id, *fields, body = facts
        check_same_start(run_of(flow_id, fields, body), request)
    else:
        latest_version, *latest = facts
        run = run_of(latest[0], latest[1:], b"") if latest else None
        new_run(request, latest_version=latest_version, latest_instance=0, latest_run=run, now=0.0)
    raise StorageError(f"start.lua and storage.starts differ about {request.workflow_id} {request.request_id!r}")


def pending_starts(server: Server, group_id: int, after: int, limit: int) -> list[PendingRun]:
    page = server.call("pending_starts", server.catalog, group_id, max(after, 0), max(limit, 0))
    return [evolve(run_of(flow_id, fields, body), sequence=number) for flow_id, *fields, body, number in page]


def acknowledge_starts(server: Server, locations: RunLocations, flow_ids: Sequence[str]) -> None:
    """Acknowledge runs; those with an entry are listed by their group from now on, because entries stay."""
    located = [(locations.group_of(flow_id), flow_id) for flow_id in flow_ids]
    runs = [(group_id, flow_id) for group_id, flow_id in located if group_id is not None]
    written = entries(server, runs)
    marks = [(flow_id, int(entry is not None)) for (_, flow_id), entry in zip(runs, written, strict=True)]
    if marks:
        server.call("acknowledge_starts", server.catalog, *(word for mark in marks for word in mark))
