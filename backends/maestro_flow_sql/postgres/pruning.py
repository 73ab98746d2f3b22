"""Removes finished flows from the log and the index, in one transaction (PROTOCOL 28)."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import no_longer_held
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.rows import INDEXED_COLUMNS, prunable_of

__all__ = ["prune"]

# Locks in the order of all others: the workflows, so that no restart comes in between; the lease; the runs by flow id.
_LOCK_WORKFLOWS = """
    SELECT workflow_id FROM workflows
    WHERE workflow_id IN (SELECT workflow_id FROM runs WHERE flow_id = ANY (%s::text[]))
    ORDER BY workflow_id
    FOR NO KEY UPDATE
"""

_FENCE = """
    SELECT 1 FROM leases WHERE (group_id, generation, owner_id) = (%s, %s, %s) FOR NO KEY UPDATE
"""

_LOCK_RUNS = "SELECT 1 FROM runs WHERE flow_id = ANY (%s::text[]) ORDER BY flow_id FOR UPDATE"

# All runs of an instance that were created by starts; otherwise only the named run, because there may be many others.
_INSTANCES = f"""
    SELECT DISTINCT {INDEXED_COLUMNS}
    FROM unnest(%s::text[]) AS asked (flow_id)
    JOIN runs AS named USING (flow_id)
    JOIN runs ON runs.instance_id = named.instance_id AND runs.workflow_id = named.workflow_id
    WHERE runs.flow_id = named.flow_id OR (runs.request_id IS NOT NULL AND named.request_id IS NOT NULL)
"""  # noqa: S608 - the columns are ours

_DELETE = """
    WITH records AS (DELETE FROM log WHERE flow_id = ANY (%(flow_ids)s::text[]) RETURNING position),
    entries AS (DELETE FROM runs WHERE flow_id = ANY (%(flow_ids)s::text[]))
    UPDATE leases
    SET pruned_through = greatest(pruned_through, (SELECT coalesce(max(position), 0) FROM records))
    WHERE group_id = %(group_id)s
"""


def prune(db: Direct, lease: Lease, asked: Sequence[str]) -> set[str]:
    """Which of the asked flows are gone.

    Raises:
        OwnershipLost: the lease is not current.
    """
    with db.transaction():
        db.execute(_LOCK_WORKFLOWS, (asked,))
        fence = (lease.group_id, lease.generation, lease.owner_id)
        if db.execute(_FENCE, fence).fetchone() is None:
            raise no_longer_held(lease)
        db.execute(_LOCK_RUNS, (asked,))
        removed, there = prunable_of(db.execute(_INSTANCES, (asked,)), asked, lease.group_id)
        if removed:
            db.execute(_DELETE, {"flow_ids": removed, "group_id": lease.group_id})
    return set(asked) - (there - set(removed))
