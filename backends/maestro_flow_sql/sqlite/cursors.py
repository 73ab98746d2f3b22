"""Cursors of sinks on SQLite: read, decided and written in the caller's transaction, which excludes other writers."""

from __future__ import annotations

import sqlite3

import attrs

from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Owner
from maestro_flow.storage.cursors import moved, opened

__all__ = ["drop_cursor", "move_cursor", "open_cursor"]

_READ = """
    SELECT group_id, sink, position, generation, owner_id, moved_at FROM cursors WHERE group_id = ? AND sink = ?
"""

_LAST_POSITION = """
    SELECT max(pruned_through, (SELECT coalesce(max(position), 0) FROM log WHERE log.group_id = leases.group_id))
    FROM leases WHERE group_id = ?
"""

_WRITE = """
    INSERT INTO cursors (group_id, sink, position, generation, owner_id, moved_at)
    VALUES (:group_id, :sink, :position, :generation, :owner_id, :moved_at)
    ON CONFLICT (group_id, sink) DO UPDATE SET
        position = excluded.position, generation = excluded.generation, owner_id = excluded.owner_id,
        moved_at = excluded.moved_at
"""

_DROP = "DELETE FROM cursors WHERE group_id = ? AND sink = ?"


def open_cursor(
    db: sqlite3.Connection, group_id: int, sink: str, owner: Owner, *, position: int | None, now: float
) -> Cursor:
    """Raises StorageError: the log has no such position."""
    last = _last_position(db, group_id)
    there = _read(db, group_id, sink)
    return _written(db, there, opened(there, group_id, sink, owner, position=position, last_position=last, now=now))


def move_cursor(db: sqlite3.Connection, cursor: Cursor, position: int, now: float) -> Cursor:
    """Raises OwnershipLost, NotFound, Conflict, StorageError, as the protocol says."""
    last = _last_position(db, cursor.group_id)
    there = _read(db, cursor.group_id, cursor.sink)
    return _written(db, there, moved(there, cursor, position, last_position=last, now=now))


def drop_cursor(db: sqlite3.Connection, group_id: int, sink: str) -> None:
    db.execute(_DROP, (group_id, sink))


def _read(db: sqlite3.Connection, group_id: int, sink: str) -> Cursor | None:
    row = db.execute(_READ, (group_id, sink)).fetchone()
    return None if row is None else Cursor(*row)


def _last_position(db: sqlite3.Connection, group_id: int) -> int:
    (position,) = db.execute(_LAST_POSITION, (group_id,)).fetchone()
    return int(position)


def _written(db: sqlite3.Connection, there: Cursor | None, cursor: Cursor) -> Cursor:
    if cursor is not there:
        db.execute(_WRITE, attrs.asdict(cursor))
    return cursor
