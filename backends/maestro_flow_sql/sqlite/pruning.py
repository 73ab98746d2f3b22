"""Removes finished flows from the log and the index, in the caller's transaction (PROTOCOL 28)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection

from maestro_flow.model.leases import Lease
from maestro_flow_sql.rows import INDEXED_COLUMNS, prunable_of
from maestro_flow_sql.sqlite.leases import check_current
from maestro_flow_sql.sqlite.values import as_json

__all__ = ["prune"]

# All runs of an instance that were created by starts; otherwise only the named run, because there may be many others.
_INSTANCES = f"""
    SELECT DISTINCT {INDEXED_COLUMNS}
    FROM json_each(?) AS asked
    JOIN runs AS named ON named.flow_id = asked.value
    JOIN runs ON runs.instance_id = named.instance_id AND runs.workflow_id = named.workflow_id
    WHERE runs.flow_id = named.flow_id OR (runs.request_id IS NOT NULL AND named.request_id IS NOT NULL)
"""  # noqa: S608 - the columns are ours

_RAISE = """
    UPDATE leases SET pruned_through = max(pruned_through, (
        SELECT coalesce(max(position), 0) FROM log WHERE flow_id IN (SELECT value FROM json_each(:flow_ids))))
    WHERE group_id = :group_id
"""

_DELETE_RECORDS = "DELETE FROM log WHERE flow_id IN (SELECT value FROM json_each(:flow_ids))"
_DELETE_RUNS = "DELETE FROM runs WHERE flow_id IN (SELECT value FROM json_each(:flow_ids))"


def prune(db: sqlite3.Connection, lease: Lease, asked: Collection[str]) -> set[str]:
    """Which of the asked flows are gone.

    Raises:
        OwnershipLost: the lease is not current.
    """
    check_current(db, lease)
    removed, there = prunable_of(db.execute(_INSTANCES, (as_json(asked),)), asked, lease.group_id)
    if removed:
        values = {"flow_ids": as_json(removed), "group_id": lease.group_id}
        for statement in (_RAISE, _DELETE_RECORDS, _DELETE_RUNS):
            db.execute(statement, values)
    return set(asked) - (there - set(removed))
