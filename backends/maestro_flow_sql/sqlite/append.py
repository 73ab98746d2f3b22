"""The most frequent commit, the next revision of a single flow and nothing else, as a single statement.

It is its own transaction, with one fsync, so the latency of a step is that of a bare INSERT. It succeeds or does
nothing: every refusal and its reason is left to ``storage.judge``, which looks at the same commit again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from maestro_flow.model.commit import Commit

__all__ = ["APPEND", "append_values"]

APPEND = """
    INSERT INTO log (flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events)
    SELECT :flow_id, :revision, :group_id, :generation, :owner_id, :position, :commit_id, :at, :schema_version, :events
    FROM leases JOIN log AS before ON before.group_id = leases.group_id
    WHERE (leases.group_id, leases.generation, leases.owner_id) = (:group_id, :generation, :owner_id)  -- PROTOCOL 3
      AND (before.flow_id, before.revision) = (:flow_id, :revision - 1)                                -- PROTOCOL 4
      AND :position > leases.pruned_through                                                            -- PROTOCOL 28
      AND :position > (SELECT max(position) FROM log WHERE group_id = :group_id)                       -- PROTOCOL 7
    ON CONFLICT (flow_id, revision) DO NOTHING                                                         -- PROTOCOL 4, 5
    RETURNING position
"""
"""Returns the position if the commit is DONE, otherwise no row."""


def append_values(batch: Sequence[Commit]) -> dict[str, Any] | None:
    """The values of ``APPEND`` if the batch is such a commit, otherwise None.

    A first revision has an entry, so a commit without one has a predecessor or is refused.
    """
    if len(batch) != 1:
        return None
    (commit,) = batch
    lease, flow = commit.lease, commit.flow
    if flow is None or flow.entry is not None or commit.settles or commit.sends:
        return None
    return {
        "flow_id": flow.flow_id,
        "revision": flow.revision,
        "group_id": lease.group_id,
        "generation": lease.generation,
        "owner_id": lease.owner_id,
        "position": flow.position,
        "commit_id": flow.commit_id,
        "at": flow.at,
        "schema_version": flow.schema_version,
        "events": flow.events,
    }
