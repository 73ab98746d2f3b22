"""Commits on Postgres.

Nearly all batches, in which each commit is the next revision of a different flow and nothing else, are one statement in
autocommit, so a frozen client holds no lock. It writes the clear cases (``commit_in_statement``). All others are judged
in a transaction (``commit_in_transaction``), as on the other SQL stores.
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
    """Write the clear cases by one statement, and let the judge decide on the rest.

    Raises:
        StorageError: a position is not beyond the last one of its group.
    """
    flows = _plain(batch)
    if flows is None:
        return commit_in_transaction(db, batch, group_count)
    try:
        written = write_flows(db, flows)
    except psycopg.errors.UniqueViolation:  # of a position: nothing is written, and the judge raises the error
        written = frozenset()
    left = [Commit(lease, flow) for lease, flow in flows if flow.flow_id not in written]
    verdicts = iter(commit_in_transaction(db, left, group_count) if left else ())
    return [Outcome.DONE if flow.flow_id in written else next(verdicts) for _, flow in flows]


def _plain(batch: Sequence[Commit]) -> list[tuple[Lease, FlowWrite]] | None:
    """The batch, if the statement can judge it: distinct flows, increasing positions, no messages."""
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
