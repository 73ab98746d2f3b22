"""The statement that writes commits of distinct flows: fence, judgement, log and index in one (PROTOCOL 2 to 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from maestro_flow.model.commit import FlowWrite
from maestro_flow.model.leases import Lease
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.rows import UPSERT_ENTRY, entry_values, record_values

__all__ = ["write_flows"]

# The guarantees, in their order:
#   fence     (group, generation, owner) is current, and stays so until we have committed: KEY SHARE makes a claim wait,
#             which changes the key (group_id, generation), and lets a renewal pass (PROTOCOL 3, 11)
#   ends      where the log of each group ends
#   written   revision - 1 exists in this group; the scalar subquery is an index lookup for each row, where EXISTS could
#             become a scan of the log (PROTOCOL 4); the position is beyond the last one (PROTOCOL 7); the constraint
#             makes (flow, revision) unique against statements that we cannot see (PROTOCOL 5)
#   indexed   the entry of a run changes with its flow or not at all (PROTOCOL 2); runs are locked in the order of their
#             ids, here as in ``acknowledge_starts``, or the two would deadlock
_WRITE = """
    WITH batch AS (
        {records}
    ),
    fence AS MATERIALIZED (
        SELECT group_id, generation, owner_id, pruned_through FROM leases
        WHERE (group_id, generation, owner_id) IN (SELECT group_id, generation, owner_id FROM batch)
        ORDER BY group_id
        FOR KEY SHARE
    ),
    ends AS MATERIALIZED (
        SELECT *, greatest(pruned_through, (
            SELECT coalesce(max(position), 0) FROM log WHERE log.group_id = fence.group_id)) AS last_position
        FROM fence
    ),
    written AS (
        INSERT INTO log
            (flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events)
        SELECT flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events
        FROM batch JOIN ends USING (group_id, generation, owner_id)
        WHERE position > last_position
          AND (revision = 1 OR group_id = (
              SELECT before.group_id FROM log AS before
              WHERE before.flow_id = batch.flow_id AND before.revision = batch.revision - 1))
        ON CONFLICT (flow_id, revision) DO NOTHING
        RETURNING flow_id
    ){indexed}
    SELECT flow_id FROM written
"""

_INDEXED = """,
    entry AS (
        {entries}
    ),
    indexed AS (
        INSERT INTO runs ({columns}, is_given)
        SELECT entry.*, 0 FROM entry JOIN written USING (flow_id)
        ORDER BY flow_id COLLATE "C"
        {upsert}
    )"""

_RECORD = {
    "flow_id": "text",
    "revision": "bigint",
    "group_id": "integer",
    "generation": "bigint",
    "owner_id": "text",
    "position": "bigint",
    "commit_id": "text",
    "at": "double precision",
    "schema_version": "integer",
    "events": "bytea",
}

_ENTRY = {
    "flow_id": "text",
    "workflow_id": "text",
    "version": "integer",
    "instance_id": "bigint",
    "run_id": "bigint",
    "group_id": "integer",
    "status": "text",
    "created_at": "double precision",
    "started_at": "double precision",
    "ended_at": "double precision",
    "blocking": "integer",
    "is_live": "integer",
    "parent": "text",
}


def _rows(columns: Mapping[str, str], prefix: str) -> str:
    """Arrays, one for each column, as rows."""
    arrays = ", ".join(f"%({prefix}{name})s::{kind}[]" for name, kind in columns.items())
    return f"SELECT * FROM unnest({arrays}) AS batch_rows ({', '.join(columns)})"  # noqa: S608 - the columns are ours


def _row(columns: Mapping[str, str], prefix: str) -> str:
    """A single row, without arrays: a single commit takes two thirds of the time."""
    return "SELECT " + ", ".join(f"%({prefix}{name})s::{kind} AS {name}" for name, kind in columns.items())


def _statement(*, single: bool, indexed: bool) -> str:
    source = _row if single else _rows
    index = (
        _INDEXED.format(entries=source(_ENTRY, "run_"), columns=", ".join(_ENTRY), upsert=UPSERT_ENTRY)
        if indexed
        else ""
    )
    return _WRITE.format(records=source(_RECORD, ""), indexed=index)


_STATEMENTS = {
    (single, indexed): _statement(single=single, indexed=indexed)
    for single in (False, True)
    for indexed in (False, True)
}


def write_flows(db: Direct, flows: Sequence[tuple[Lease, FlowWrite]]) -> frozenset[str]:
    """Insert commits of distinct flows where that is clearly right; returns the ids of the written flows."""
    values = _columns(_RECORD, "", [record_values(lease, flow) for lease, flow in flows])
    entries = [entry_values(flow.entry) for _, flow in flows if flow.entry is not None]
    if entries:
        values |= _columns(_ENTRY, "run_", entries)
    single = len(flows) == 1
    arguments = {name: column[0] for name, column in values.items()} if single else values
    rows = db.execute(_STATEMENTS[single, bool(entries)], arguments, prepare=True)
    return frozenset(flow_id for (flow_id,) in rows)


def _columns(columns: Mapping[str, str], prefix: str, rows: Sequence[tuple[object, ...]]) -> dict[str, list[object]]:
    return {prefix + name: list(column) for name, column in zip(columns, zip(*rows, strict=True), strict=True)}
