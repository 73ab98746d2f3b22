"""Commits on SQLite: a batch of commits in a few statements.

The transaction is BEGIN IMMEDIATE, so from its first statement on no other process writes: what we read cannot change
before we write. That makes the fence (PROTOCOL 3) a plain read.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.storage.judge import judge_batch, state_after
from maestro_flow_sql.batch_facts import BatchFacts
from maestro_flow_sql.rows import INSERT_ENTRY, INSERT_RECORD, entry_values, message_values, record_values
from maestro_flow_sql.sqlite.inbox import INSERT_MESSAGE, read_messages
from maestro_flow_sql.sqlite.values import as_json

__all__ = ["commit_batch"]

_FENCES = """
    SELECT group_id, generation, owner_id,
           max(pruned_through, (SELECT coalesce(max(position), 0) FROM log WHERE log.group_id = leases.group_id))
    FROM leases
    WHERE group_id IN (SELECT value FROM json_each(?))
"""

_WRITTEN = """
    SELECT log.flow_id, log.revision, log.commit_id, log.group_id
    FROM json_each(?) AS asked
    JOIN log ON log.flow_id = asked.value ->> 0
            AND log.revision BETWEEN (asked.value ->> 1) - 1 AND (asked.value ->> 1)
"""

_INSERT_RECORD = INSERT_RECORD.format(placeholders=", ".join("?" * 10))
_UPSERT_ENTRY = INSERT_ENTRY.format(placeholders=", ".join("?" * 13))

_SETTLE = """
    UPDATE messages SET state = ?, outcome = ?, settled_at = ?
    WHERE group_id = ? AND message_id = ? AND state = 'waiting'
"""


def commit_batch(db: sqlite3.Connection, batch: Sequence[Commit], group_count: int, now: float) -> list[Outcome]:
    """Judge each commit in order and write those that are DONE, in the transaction that the caller has begun.

    Raises:
        StorageError: a position is not beyond the last one of its group; the caller rolls back.
    """
    facts = _read_facts(db, batch, group_count)
    outcomes = judge_batch(batch, facts, facts.note)
    done = [commit for commit, outcome in zip(batch, outcomes, strict=True) if outcome is Outcome.DONE]
    if done:
        _write(db, done, now)
    return outcomes


def _read_facts(db: sqlite3.Connection, batch: Sequence[Commit], group_count: int) -> BatchFacts:
    facts = BatchFacts(group_count)
    groups = as_json({commit.lease.group_id for commit in batch})
    for group_id, generation, owner_id, position in db.execute(_FENCES, (groups,)):
        facts.leases[group_id] = (generation, owner_id)
        facts.positions[group_id] = position
    asked = [(commit.flow.flow_id, commit.flow.revision) for commit in batch if commit.flow is not None]
    for flow_id, revision, commit_id, group_id in db.execute(_WRITTEN, (as_json(asked),)):
        facts.records[flow_id, revision] = (commit_id, group_id)
    named = [(commit.lease.group_id, settlement.message_id) for commit in batch for settlement in commit.settles]
    named += [(message.group_id, message.message_id) for commit in batch for message in commit.sends]
    if named:
        facts.messages = {(m.group_id, m.message_id): m for m in read_messages(db, named)}
    return facts


def _write(db: sqlite3.Connection, done: Sequence[Commit], now: float) -> None:
    records, entries, settled = [], [], []
    sent: list[dict[str, object]] = []
    for commit in done:
        lease, flow = commit.lease, commit.flow
        if flow is not None:
            records.append(record_values(lease, flow))
            if flow.entry is not None:
                entries.append(entry_values(flow.entry))
        for message in commit.sends:
            sent.append({**message_values(message), "sent_at": now})
        for s in commit.settles:
            settled.append((str(state_after(s)), s.outcome, now, lease.group_id, s.message_id))
    # Sends before settlements: a message may be sent and settled by two commits of one batch.
    for statement, rows in (
        (_INSERT_RECORD, records),
        (_UPSERT_ENTRY, entries),
        (INSERT_MESSAGE, sent),
        (_SETTLE, settled),
    ):
        if rows:
            db.executemany(statement, rows)
