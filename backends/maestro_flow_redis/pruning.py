"""Pruning on Redis: a flow is in two tags, so the catalog forgets it first, and its group follows (PROTOCOL 28).

If a call is cut off in between, or the lease is lost, the flow is still whole in its group: a run that has ended, which
can no longer be restarted, and whose request id is free. The same call again, by any owner, removes the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import no_longer_held
from maestro_flow_redis.locations import RunLocations, entries
from maestro_flow_redis.server import Server

__all__ = ["prune", "pruned_through"]

_AT_ONCE = 50
"""Flows that one script removes: it holds up everybody for a few milliseconds."""


def pruned_through(server: Server, group_id: int) -> int:
    return int(server.call("pruned_through", server.group(group_id)) or 0)


def prune(server: Server, locations: RunLocations, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
    """Raises OwnershipLost: the lease is not current."""
    ordered = sorted(set(flow_ids), key=lambda flow_id: (len(flow_id), flow_id))  # an instance in the order of its runs
    _ask_owner(server, "prunable", lease, [])
    gone: set[str] = set()
    for first in range(0, len(ordered), _AT_ONCE):
        gone |= _prune_part(server, locations, lease, ordered[first : first + _AT_ONCE])
    return frozenset(gone)


def _prune_part(server: Server, locations: RunLocations, lease: Lease, part: Sequence[str]) -> set[str]:
    answers = dict(zip(part, _ask_owner(server, "prunable", lease, part), strict=True))
    gone = {flow_id for flow_id, answer in answers.items() if answer is None and locations.run(flow_id) is None}
    finished = _forget_starts(server, [flow_id for flow_id, answer in answers.items() if answer])
    removed = zip(finished, _ask_owner(server, "prune", lease, finished), strict=True)
    return gone | {flow_id for flow_id, is_gone in removed if is_gone}


def _ask_owner(server: Server, script: str, lease: Lease, flow_ids: Sequence[str]) -> list[Any]:
    """The answers of a script that is for the owner of the group alone."""
    group = server.group(lease.group_id)
    answers: list[Any] | None = server.call(script, group, lease.generation, lease.owner_id, *flow_ids)
    if answers is None:
        raise no_longer_held(lease)
    return answers


def _forget_starts(server: Server, flow_ids: Sequence[str]) -> list[str]:
    """Those of the flows of which the catalog has nothing any more; the others have to stay."""
    if not flow_ids:
        return []
    latest = server.call("latest_runs", server.catalog, *flow_ids)
    others = [(int(run[2]), run[1].decode()) for run in latest if run is not None and run[2] is not None]
    is_ended = {
        flow_id: entry is not None and entry.status.is_terminal
        for (_, flow_id), entry in zip(others, entries(server, others), strict=True)
    }
    may_go = [
        (flow_id, 0 if run is None else int(run[0]))
        for flow_id, run in zip(flow_ids, latest, strict=True)
        if run is None or is_ended.get(run[1].decode())
    ]
    if not may_go:
        return []
    words: list[str | int] = [word for pair in may_go for word in pair]
    forgotten = server.call("forget_starts", server.catalog, *words)
    return [flow_id for (flow_id, _), is_gone in zip(may_go, forgotten, strict=True) if is_gone]
