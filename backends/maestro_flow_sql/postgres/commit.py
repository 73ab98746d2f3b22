"""The one write door on Postgres.

What nearly all batches are, each commit the next revision of another flow and nothing else, is one statement in
autocommit: a client that freezes holds no lock. It writes what is beyond doubt (``writing``). Everything else is judged
in a transaction (``judged``), as on the other SQL stores.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from maestro_flow.model.commit import Commit, FlowWrite, Outcome
from maestro_flow.model.leases import Lease
from maestro_flow_sql.postgres.commit_in_statement import write_flows
from maestro_flow_sql.postgres.commit_in_transaction import commit_in_transaction
from maestro_flow_sql.postgres.connections import Direct

__all__ = ["commit_batch"]


def commit_batch(db: Direct, batch: Sequence[Commit], group_count: int) -> list[Outcome]:
    """Write what is beyond doubt by one statement, and let the judge say what becomes of the rest.

    Raises:
        StorageError: a position is not beyond the last one of its group.
    """
    flows = _plain(batch)
    if flows is None:
        return commit_in_transaction(db, batch, group_count)
    try:
        written = write_flows(db, flows)
    except psycopg.errors.UniqueViolation:  # of a position: nothing is written, and the judge says it aloud
        written = frozenset()
    left = [Commit(lease, flow) for lease, flow in flows if flow.flow_id not in written]
    verdicts = iter(commit_in_transaction(db, left, group_count) if left else ())
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
    return list(flows.values()) or None
