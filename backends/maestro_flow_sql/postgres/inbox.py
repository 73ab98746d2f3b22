"""Messages on Postgres: inbox, tombstones and dead letters are rows of one table, told apart by ``state``."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import check_same_message, may_be_redriven, no_longer_held
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.rows import MESSAGE_COLUMNS, message_of, message_values

__all__ = ["INBOX_LOCK", "lock_messages", "purge", "receive", "redrive", "send"]


# Sequences must become visible in their order, or a receiver that is past the later one never sees the earlier one
# (PROTOCOL 7): a transaction that puts a message into an inbox holds the lock of that inbox until it ends.
INBOX_LOCK = "pg_advisory_xact_lock('messages'::regclass::oid::bigint << 32 | %(group_id)s::bigint)"

_SEND = f"""
    WITH inbox_lock AS MATERIALIZED (SELECT {INBOX_LOCK})
    INSERT INTO messages (group_id, message_id, flow_id, kind, body, destination, sent_at,
                          deliveries, delivered_to, state, outcome)
    SELECT %(group_id)s, %(message_id)s, %(flow_id)s, %(kind)s, %(body)s, %(destination)s::integer, store_time(),
           0, 0, 'waiting', ''
    FROM inbox_lock
    ON CONFLICT (group_id, message_id) DO NOTHING
    RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608 - the columns are ours

_READ = f"""
    SELECT {MESSAGE_COLUMNS} FROM messages WHERE group_id = %(group_id)s AND message_id = %(message_id)s
"""  # noqa: S608 - the columns are ours

_LOCK = f"""
    SELECT {MESSAGE_COLUMNS}
    FROM unnest(%(group_ids)s::integer[], %(message_ids)s::text[]) AS named (group_id, message_id)
    JOIN messages USING (group_id, message_id)
    ORDER BY messages.sequence
    FOR NO KEY UPDATE OF messages
"""  # noqa: S608 - the columns are ours

# At least one row while the lease is current, otherwise none. The lock makes a claim wait, so that a delivery is
# counted under the generation that receives it. The page is read as it was before counting, hence the addition.
_RECEIVE = f"""
    WITH fence AS MATERIALIZED (
        SELECT group_id FROM leases
        WHERE (group_id, generation, owner_id) = (%(group_id)s, %(generation)s, %(owner_id)s)
        FOR KEY SHARE
    ),
    page AS MATERIALIZED (
        SELECT messages.*, delivered_to < %(generation)s AS is_new
        FROM messages JOIN fence USING (group_id)
        WHERE state = 'waiting' AND messages.group_id = %(group_id)s AND sequence > %(after)s
        ORDER BY sequence
        LIMIT %(limit)s
    ),
    counted AS (
        UPDATE messages SET deliveries = deliveries + 1, delivered_to = %(generation)s
        WHERE sequence IN (SELECT sequence FROM page WHERE is_new)
          AND delivered_to < %(generation)s  -- checked again, in case a receiver of the same generation came first
    )
    SELECT {MESSAGE_COLUMNS}, is_new
    FROM fence LEFT JOIN page AS messages ON true
    ORDER BY messages.sequence
"""  # noqa: S608 - the columns are ours

# The row was checked under its lock. The new sequence is taken under the lock of the inbox, like that of any message.
_REDRIVE = f"""
    WITH inbox_lock AS MATERIALIZED (SELECT {INBOX_LOCK})
    UPDATE messages
    SET sequence = nextval(pg_get_serial_sequence('messages', 'sequence')), state = 'waiting', outcome = '',
        settled_at = NULL, deliveries = 0, delivered_to = 0
    FROM inbox_lock
    WHERE group_id = %(group_id)s AND message_id = %(message_id)s
    RETURNING {MESSAGE_COLUMNS}
"""  # noqa: S608 - the columns are ours

# A few at a time, so that each statement keeps within its timeout; two nodes that purge at once share the work.
_PURGED_AT_ONCE = 1000
_PURGE = """
    WITH old AS MATERIALIZED (
        SELECT sequence FROM messages
        WHERE state = 'settled' AND settled_at < %s
        ORDER BY settled_at
        LIMIT %s
        FOR UPDATE SKIP LOCKED
    ),
    purged AS (DELETE FROM messages USING old WHERE messages.sequence = old.sequence RETURNING 1)
    SELECT count(*) FROM purged
"""


def send(db: Direct, message: Message) -> Message:
    """Raises Conflict: the id is there with another flow, kind, body or destination."""
    values = message_values(message)
    row = None
    while row is None:  # neither new nor there: it was purged in between
        row = db.execute(_SEND, values).fetchone() or db.execute(_READ, values).fetchone()
    there = message_of(row)
    check_same_message(there, message)
    return there


def lock_messages(db: Direct, named: Sequence[tuple[int, str]]) -> list[Message]:
    """The existing ones of the messages named by (group_id, message_id); they cannot change until we commit."""
    distinct = sorted(set(named))
    values = {"group_ids": [group_id for group_id, _ in distinct], "message_ids": [name for _, name in distinct]}
    return [message_of(row) for row in db.execute(_LOCK, values)]


def receive(db: Direct, lease: Lease, after: int, limit: int) -> list[Message]:
    """Count the delivery and read, at once, so that an owner that fails with a message in hand counts (PROTOCOL 17).

    Raises:
        OwnershipLost: the lease is not current.
    """
    rows = db.execute(_RECEIVE, {**attrs.asdict(lease), "after": after, "limit": limit}, prepare=True).fetchall()
    if not rows:
        raise no_longer_held(lease)
    received = [(message_of(row), is_new) for *row, is_new in rows if row[0] is not None]
    return [attrs.evolve(message, deliveries=message.deliveries + is_new) for message, is_new in received]


def redrive(db: Direct, group_id: int, message_id: str) -> Message:
    """Raises NotFound, Conflict, as the protocol says."""
    values = {"group_id": group_id, "message_id": message_id}
    with db.transaction():
        there = next(iter(lock_messages(db, [(group_id, message_id)])), None)
        message = may_be_redriven(there, group_id, message_id)
        if message.state is MessageState.WAITING:
            return message
        row = db.execute(_REDRIVE, values).fetchone()
        assert row is not None, "it is locked by us"  # noqa: S101
        return message_of(row)


def purge(db: Direct, settled_before: float) -> int:
    purged = 0
    while True:
        (count,) = db.execute(_PURGE, (settled_before, _PURGED_AT_ONCE)).fetchone() or (0,)
        purged += int(count)
        if count < _PURGED_AT_ONCE:
            return purged
