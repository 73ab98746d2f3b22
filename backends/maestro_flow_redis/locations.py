"""In which group a run is. It is decided once and never changes (PROTOCOL 19), so it is cached."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_flow.model.runs import RunEntry
from maestro_flow_redis.codec import entry_of, run_of
from maestro_flow_redis.server import Call, Server

__all__ = ["RunLocations", "entries", "started"]

_REMEMBERED = 100_000
"""How many runs are cached: about 10 MB. When there are more, the cache is cleared."""


class RunLocations:
    """The groups of runs. A run created by a start is found in the catalog, any other by asking all groups."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._groups: dict[str, int] = {}

    def group_of(self, flow_id: str) -> int | None:
        """The group of a run, or None: no start has made it, and no commit has written its entry."""
        if not flow_id:  # the sentinel, the first member of each key
            return None
        group_id = self._groups.get(flow_id)
        if group_id is None:
            group_id = self._look_up(flow_id)
        if group_id is not None:
            self.remember(flow_id, group_id)
        return group_id

    def remember(self, flow_id: str, group_id: int) -> None:
        """Cache a group that is known from elsewhere."""
        if len(self._groups) >= _REMEMBERED:
            self._groups.clear()
        self._groups[flow_id] = group_id

    def run(self, flow_id: str) -> RunEntry | None:
        """What the commits wrote, or else what the start made."""
        group_id = self.group_of(flow_id)
        if group_id is None:
            return None
        (entry,) = entries(self._server, [(group_id, flow_id)])
        if entry is not None:
            return entry
        (made,) = started(self._server, [flow_id])
        return made

    def _look_up(self, flow_id: str) -> int | None:
        (made,) = started(self._server, [flow_id])
        if made is not None:
            return made.group_id
        everywhere = [(group_id, flow_id) for group_id in range(self._server.group_count)]
        found = entries(self._server, everywhere)
        return next((entry.group_id for entry in found if entry is not None), None)


def entries(server: Server, runs: Sequence[tuple[int, str]]) -> list[RunEntry | None]:
    """The entries of runs, given by (group id, flow id), as commits have written them."""
    groups: dict[int, list[str]] = {}
    for group_id, flow_id in runs:
        groups.setdefault(group_id, []).append(flow_id)
    calls = [Call("entries", server.group(group_id), tuple(flow_ids)) for group_id, flow_ids in groups.items()]
    found: dict[tuple[int, str], RunEntry] = {}
    for (group_id, flow_ids), stored in zip(groups.items(), server.call_all(calls), strict=True):
        pairs = zip(flow_ids, stored, strict=True)
        found |= {(group_id, flow_id): entry_of(entry) for flow_id, entry in pairs if entry is not None}
    return [found.get(run) for run in runs]


def started(server: Server, flow_ids: Sequence[str]) -> list[RunEntry | None]:
    """The entries of runs as starts have made them; None for those that no start has made."""
    runs = server.call("started", server.catalog, *flow_ids)
    return [None if run is None else run_of(run[0], run[1:], b"").entry for run in runs]
