"""Pruning on Redis: a flow is under two tags, and is removed from the catalog first, then from its group (PROTOCOL 28).

If a call is interrupted in between, or the lease is lost, the flow is still complete in its group: an ended run that
cannot be restarted, and whose request id is free. The same call again, by any owner, removes the rest.
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
"""How many flows one script removes: it blocks the server for a few milliseconds."""


def pruned_through(server: Server, group_id: int) -> int:
    return int(server.call("pruned_through", server.group(group_id)) or 0)


def prune(server: Server, locations: RunLocations, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
    """Raises OwnershipLost: the lease is not current."""
    ordered = sorted(set(flow_ids), key=lambda flow_id: (len(flow_id), flow_id))  # the runs of an instance in order
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
    """The replies of a script that only the owner of the group may call."""
    group = server.group(lease.group_id)
    answers: list[Any] | None = server.call(script, group, lease.generation, lease.owner_id, *flow_ids)
    if answers is None:
        raise no_longer_held(lease)
    return answers


def _forget_starts(server: Server, flow_ids: Sequence[str]) -> list[str]:
    """The flows that are no longer in the catalog; the others have to stay."""
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
