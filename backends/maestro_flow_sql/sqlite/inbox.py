"""Messages on SQLite: the inbox, its tombstones and its dead letters are rows of one table, told apart by ``state``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import check_same_message, may_be_redriven
from maestro_flow_sql.rows import MESSAGE_COLUMNS, message_of, message_values
from maestro_flow_sql.sqlite.leases import check_current
from maestro_flow_sql.sqlite.values import as_json

__all__ = ["INSERT_MESSAGE", "PURGED_AT_ONCE", "purge", "read_messages", "receive", "redrive", "send"]


INSERT_MESSAGE = """
    INSERT INTO messages (group_id, message_id, flow_id, kind, body, destination, sent_at,
                          deliveries, delivered_to, state, outcome)
    VALUES (:group_id, :message_id, :flow_id, :kind, :body, :destination, :sent_at, 0, 0, 'waiting', '')
    ON CONFLICT (group_id, message_id) DO NOTHING
"""

_READ = f"""
    SELECT {MESSAGE_COLUMNS}
    FROM json_each(?) AS asked
    JOIN messages ON messages.group_id = asked.value ->> 0 AND messages.message_id = asked.value ->> 1
"""  # noqa: S608 - the columns are ours

_COUNT_DELIVERIES = """
    UPDATE messages SET deliveries = deliveries + 1, delivered_to = :generation
    WHERE delivered_to < :generation AND sequence IN (
        SELECT sequence FROM messages
        WHERE state = 'waiting' AND group_id = :group_id AND sequence > :after
        ORDER BY sequence LIMIT :limit)
"""

_RECEIVE = f"""
    SELECT {MESSAGE_COLUMNS} FROM messages
    WHERE state = 'waiting' AND group_id = :group_id AND sequence > :after
    ORDER BY sequence LIMIT :limit
"""  # noqa: S608 - the columns are ours

# The sequence is the key of the row; inserting the row again gives it a new one.
_TAKE_AWAY = "DELETE FROM messages WHERE group_id = ? AND message_id = ?"

PURGED_AT_ONCE = 1000
"""How many tombstones one transaction deletes, because it blocks all other writers."""

_PURGE = """
    DELETE FROM messages WHERE sequence IN (
        SELECT sequence FROM messages WHERE state = 'settled' AND settled_at < ? ORDER BY settled_at LIMIT ?)
    RETURNING 1
"""


def read_messages(db: sqlite3.Connection, named: Sequence[tuple[int, str]]) -> list[Message]:
    """The existing ones of the messages named by (group_id, message_id)."""
    return [message_of(row) for row in db.execute(_READ, (as_json(named),))]


def send(db: sqlite3.Connection, message: Message, now: float) -> Message:
    """Raises Conflict: the id is there with another flow, kind, body or destination."""
    db.execute(INSERT_MESSAGE, {**message_values(message), "sent_at": now})
    (there,) = read_messages(db, [(message.group_id, message.message_id)])
    check_same_message(there, message)
    return there


def receive(db: sqlite3.Connection, lease: Lease, after: int, limit: int) -> list[Message]:
    """Count the delivery, then read, so that an owner that fails with a message in hand counts (PROTOCOL 17).

    Raises:
        OwnershipLost: the lease is not current.
    """
    check_current(db, lease)
    page = {"group_id": lease.group_id, "generation": lease.generation, "after": after, "limit": limit}
    db.execute(_COUNT_DELIVERIES, page)
    return [message_of(row) for row in db.execute(_RECEIVE, page)]


def redrive(db: sqlite3.Connection, group_id: int, message_id: str) -> Message:
    """Raises NotFound, Conflict, as the protocol says."""
    there = next(iter(read_messages(db, [(group_id, message_id)])), None)
    message = may_be_redriven(there, group_id, message_id)
    if message.state is MessageState.WAITING:
        return message
    db.execute(_TAKE_AWAY, (group_id, message_id))
    db.execute(INSERT_MESSAGE, {**message_values(message), "sent_at": message.sent_at})
    (waiting,) = read_messages(db, [(group_id, message_id)])
    return waiting


def purge(db: sqlite3.Connection, settled_before: float) -> int:
    """Delete up to ``PURGED_AT_ONCE``; returns how many."""
    return len(db.execute(_PURGE, (settled_before, PURGED_AT_ONCE)).fetchall())
