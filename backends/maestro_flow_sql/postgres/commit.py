"""The one write door on Postgres.

What nearly all batches are, each commit the next revision of another flow and nothing else, is one statement in
autocommit: a client that freezes holds no lock. It writes what is beyond doubt. Everything else is judged in a
transaction (``judged``), as on the other SQL stores.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from maestro_flow.model.commit import Commit, FlowWrite, Lease, Outcome, RunEntry
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.postgres.judged import commit_judged

__all__ = ["commit_batch"]

# The guarantees, in their order:
#   fence     (group, generation, owner) is current, and stays so until we have committed: KEY SHARE makes a claim wait,
#             which changes the key (group_id, generation), and lets a renewal pass (PROTOCOL 3, 11)
#   written   revision - 1 exists in this group; the scalar subquery is a look into an index for each row, where EXISTS
#             could become a walk over the log (PROTOCOL 4); the position is beyond the last one (PROTOCOL 7); the
#             constraint makes (flow, revision) unique against statements that we cannot see (PROTOCOL 5)
#   indexed   the entry of a run changes with its flow or not at all (PROTOCOL 2)
_WRITE = """
    WITH batch AS (
        SELECT *
        FROM unnest(
            %(flow_id)s::text[], %(revision)s::bigint[], %(group_id)s::integer[], %(generation)s::bigint[],
            %(owner_id)s::text[], %(position)s::bigint[], %(commit_id)s::text[], %(at)s::double precision[],
            %(schema_version)s::integer[], %(events)s::bytea[]
        ) AS batch (flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events)
    ),
    fence AS MATERIALIZED (
        SELECT group_id, generation, owner_id FROM leases
        WHERE (group_id, generation, owner_id) IN (SELECT group_id, generation, owner_id FROM batch)
        ORDER BY group_id
        FOR KEY SHARE
    ),
    door AS MATERIALIZED (
        SELECT *, (SELECT coalesce(max(position), 0) FROM log WHERE log.group_id = fence.group_id) AS last_position
        FROM fence
    ),
    written AS (
        INSERT INTO log
            (flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events)
        SELECT flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events
        FROM batch JOIN door USING (group_id, generation, owner_id)
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
        SELECT *
        FROM unnest(
            %(run_flow_id)s::text[], %(workflow_id)s::text[], %(version)s::integer[], %(instance_id)s::bigint[],
            %(run_id)s::bigint[], %(run_group_id)s::integer[], %(status)s::text[], %(created_at)s::double precision[],
            %(started_at)s::double precision[], %(ended_at)s::double precision[], %(is_live)s::integer[]
        ) AS entry (flow_id, workflow_id, version, instance_id, run_id, group_id, status,
                    created_at, started_at, ended_at, is_live)
    ),
    indexed AS (
        INSERT INTO runs (flow_id, workflow_id, version, instance_id, run_id, group_id, status,
                          created_at, started_at, ended_at, is_live, is_given)
        SELECT entry.*, 0 FROM entry JOIN written USING (flow_id)
        ON CONFLICT (flow_id) DO UPDATE SET
            workflow_id = excluded.workflow_id, version = excluded.version, instance_id = excluded.instance_id,
            run_id = excluded.run_id, group_id = excluded.group_id, status = excluded.status,
            created_at = excluded.created_at, started_at = excluded.started_at, ended_at = excluded.ended_at,
            is_live = excluded.is_live
    )"""

_WRITE_LOG = _WRITE.format(indexed="")
_WRITE_LOG_AND_INDEX = _WRITE.format(indexed=_INDEXED)


def commit_batch(db: Direct, batch: Sequence[Commit]) -> list[Outcome]:
    """Write what is beyond doubt by one statement, and let the judge say what becomes of the rest.

    Raises:
        StorageError: a position is not beyond the last one of its group.
    """
    flows = _plain(batch)
    if flows is None:
        return commit_judged(db, batch)
    try:
        written = _write(db, flows)
    except psycopg.errors.UniqueViolation:  # of a position: nothing is written, and the judge says it aloud
        written = frozenset()
    left = [Commit(lease, flow) for lease, flow in flows if flow.flow_id not in written]
    verdicts = iter(commit_judged(db, left) if left else ())
    return [Outcome.DONE if flow.flow_id in written else next(verdicts) for _, flow in flows]


def _plain(batch: Sequence[Commit]) -> list[tuple[Lease, FlowWrite]] | None:
    """The batch, if the statement can judge it: flows of their own, positions that grow, no messages."""
    flows: dict[str, tuple[Lease, FlowWrite]] = {}
    positions: dict[int, int] = {}
    for commit in batch:
        lease, flow = commit.lease, commit.flow
        if flow is None or commit.settles or commit.sends or flow.flow_id in flows:
            return None
        if flow.position <= positions.get(lease.group_id, 0) or flow.revision < 1:
            return None
        if flow.entry is None:
            if flow.revision == 1:
                return None
        elif (flow.entry.flow_id, flow.entry.group_id) != (flow.flow_id, lease.group_id):
            return None
        flows[flow.flow_id] = (lease, flow)
        positions[lease.group_id] = flow.position
    return list(flows.values())


def _write(db: Direct, flows: Sequence[tuple[Lease, FlowWrite]]) -> frozenset[str]:
    """The ids of the flows whose commit was inserted."""
    values = _record_columns(flows)
    entries = [flow.entry for _, flow in flows if flow.entry is not None]
    if entries:
        values |= _entry_columns(entries)
    rows = db.execute(_WRITE_LOG_AND_INDEX if entries else _WRITE_LOG, values, prepare=True)
    return frozenset(flow_id for (flow_id,) in rows)


def _record_columns(flows: Sequence[tuple[Lease, FlowWrite]]) -> dict[str, list[object]]:
    return {
        "flow_id": [flow.flow_id for _, flow in flows],
        "revision": [flow.revision for _, flow in flows],
        "group_id": [lease.group_id for lease, _ in flows],
        "generation": [lease.generation for lease, _ in flows],
        "owner_id": [lease.owner_id for lease, _ in flows],
        "position": [flow.position for _, flow in flows],
        "commit_id": [flow.commit_id for _, flow in flows],
        "at": [flow.at for _, flow in flows],
        "schema_version": [flow.schema_version for _, flow in flows],
        "events": [flow.events for _, flow in flows],
    }


def _entry_columns(entries: Sequence[RunEntry]) -> dict[str, list[object]]:
    return {
        "run_flow_id": [entry.flow_id for entry in entries],
        "workflow_id": [entry.workflow_id for entry in entries],
        "version": [entry.version for entry in entries],
        "instance_id": [entry.instance_id for entry in entries],
        "run_id": [entry.run_id for entry in entries],
        "run_group_id": [entry.group_id for entry in entries],
        "status": [str(entry.status) for entry in entries],
        "created_at": [entry.created_at for entry in entries],
        "started_at": [entry.started_at for entry in entries],
        "ended_at": [entry.ended_at for entry in entries],
        "is_live": [int(not entry.status.is_terminal) for entry in entries],
    }
