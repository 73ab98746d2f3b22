"""Commits with messages, several of one flow, or refused ones: judged in a transaction, by the judge of all stores.

The leases are locked, so the fence cannot change, and so are existing messages. New rows may still appear while we
judge; then a constraint stops us, and we judge again.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import psycopg

from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.storage.judge import judge_batch, state_after
from maestro_flow_sql.batch_facts import BatchFacts
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.postgres.inbox import INBOX_LOCK, lock_messages
from maestro_flow_sql.rows import INSERT_ENTRY, INSERT_RECORD, entry_values, message_values, record_values

__all__ = ["commit_in_transaction"]

_TRIES = 5

_FENCE = """
    SELECT group_id, generation, owner_id FROM leases
    WHERE group_id = ANY (%s::integer[])
    ORDER BY group_id
    FOR KEY SHARE
"""

_POSITIONS = """
    SELECT group_id, greatest(pruned_through, (
        SELECT coalesce(max(position), 0) FROM log WHERE log.group_id = leases.group_id))
    FROM leases
    WHERE group_id = ANY (%s::integer[])
"""

_WRITTEN = """
    SELECT log.flow_id, log.revision, log.commit_id, log.group_id
    FROM unnest(%s::text[], %s::bigint[]) AS asked (flow_id, revision)
    JOIN log ON log.flow_id = asked.flow_id AND log.revision BETWEEN asked.revision - 1 AND asked.revision
"""

_INSERT_RECORD = INSERT_RECORD.format(placeholders=", ".join(["%s"] * 10))
_INSERT_ENTRY = INSERT_ENTRY.format(placeholders=", ".join(["%s"] * 13))

_ENTER = f"SELECT {INBOX_LOCK}"

_INSERT_MESSAGE = """
    INSERT INTO messages (group_id, message_id, flow_id, kind, body, destination, sent_at,
                          deliveries, delivered_to, state, outcome)
    VALUES (%(group_id)s, %(message_id)s, %(flow_id)s, %(kind)s, %(body)s, %(destination)s, store_time(),
            0, 0, 'waiting', '')
"""

_SETTLE = """
    UPDATE messages SET state = %s, outcome = %s, settled_at = store_time()
    WHERE group_id = %s AND message_id = %s AND state = 'waiting'
"""


def commit_in_transaction(db: Direct, batch: Sequence[Commit], group_count: int) -> list[Outcome]:
    """Judge each commit in order and write those that are DONE.

    Raises:
        StorageError: a position is not beyond the last one of its group; nothing is written.
    """
    for _ in range(_TRIES):  # without a pause: a thread that commits for others does not sleep
        try:
            with db.transaction():
                facts = _read_facts(db, batch, group_count)
                there = frozenset(facts.messages)
                outcomes = judge_batch(batch, facts, facts.note)
                done = [commit for commit, outcome in zip(batch, outcomes, strict=True) if outcome is Outcome.DONE]
                _write(db, done, there)
        except psycopg.errors.UniqueViolation:
            continue  # a row has appeared since we looked: a copy of this batch, or another message
        return outcomes
    raise StorageUnavailable(f"a batch of {len(batch)} commits was overtaken {_TRIES} times; repeat the identical call")


def _read_facts(db: Direct, batch: Sequence[Commit], group_count: int) -> BatchFacts:
    """Read in separate statements, so that each sees what was committed before we got the locks."""
    groups = sorted({commit.lease.group_id for commit in batch})
    leases = {group_id: (generation, owner_id) for group_id, generation, owner_id in db.execute(_FENCE, (groups,))}
    named = [(c.lease.group_id, s.message_id) for c in batch for s in c.settles]
    named += [(c.lease.group_id, message.message_id) for c in batch for message in c.sends]
    messages = lock_messages(db, named) if named else []
    flows = [commit.flow for commit in batch if commit.flow is not None]
    written = db.execute(_WRITTEN, ([flow.flow_id for flow in flows], [flow.revision for flow in flows]))
    return BatchFacts(
        group_count=group_count,
        leases=leases,
        positions=dict(db.execute(_POSITIONS, (groups,)).fetchall()),
        records={(flow_id, revision): (commit_id, group_id) for flow_id, revision, commit_id, group_id in written},
        messages={(message.group_id, message.message_id): message for message in messages},
    )


def _write(db: Direct, done: Sequence[Commit], there: frozenset[tuple[int, str]]) -> None:
    """``there`` are the messages that need not be inserted."""
    records, entries, settled = [], [], []
    sent: dict[tuple[int, str], dict[str, object]] = {}
    for commit in done:
        lease, flow = commit.lease, commit.flow
        if flow is not None:
            records.append(record_values(lease, flow))
            if flow.entry is not None:
                entries.append(entry_values(flow.entry))
        for m in commit.sends:
            if (m.group_id, m.message_id) not in there:
                sent.setdefault((m.group_id, m.message_id), message_values(m))
        for s in commit.settles:
            settled.append((str(state_after(s)), s.outcome, lease.group_id, s.message_id))
    inboxes = [{"group_id": group_id} for group_id in sorted({group_id for group_id, _ in sent})]
    with db.cursor() as cursor:
        # Sends before settlements: a message may be sent and settled by two commits of one batch.
        cursor.executemany(_INSERT_RECORD, records)
        cursor.executemany(_INSERT_ENTRY, sorted(entries, key=itemgetter(0)))  # as the other statement locks them
        cursor.executemany(_ENTER, inboxes)
        cursor.executemany(_INSERT_MESSAGE, list(sent.values()))
        cursor.executemany(_SETTLE, settled)
