"""Cursors of sinks on Postgres: decided under the lock of the cursor's row, which nothing else needs."""

from __future__ import annotations

from typing import Any

import attrs

from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Owner
from maestro_flow.storage.cursors import moved, opened
from maestro_flow_sql.postgres.connections import Direct

__all__ = ["drop_cursor", "move_cursor", "open_cursor"]

_TRIES = 5

_LOCK = """
    SELECT group_id, sink, position, generation, owner_id, moved_at FROM cursors
    WHERE group_id = %s AND sink = %s
    FOR NO KEY UPDATE
"""

_LOG = """
    SELECT greatest(pruned_through, (SELECT coalesce(max(position), 0) FROM log WHERE log.group_id = leases.group_id)),
           store_time()
    FROM leases WHERE group_id = %s
"""

_INSERT = """
    INSERT INTO cursors (group_id, sink, position, generation, owner_id, moved_at)
    VALUES (%(group_id)s, %(sink)s, %(position)s, %(generation)s, %(owner_id)s, %(moved_at)s)
    ON CONFLICT (group_id, sink) DO NOTHING
    RETURNING sink
"""

_UPDATE = """
    UPDATE cursors
    SET position = %(position)s, generation = %(generation)s, owner_id = %(owner_id)s, moved_at = %(moved_at)s
    WHERE group_id = %(group_id)s AND sink = %(sink)s
"""

_DROP = "DELETE FROM cursors WHERE group_id = %s AND sink = %s"


def open_cursor(db: Direct, group_id: int, sink: str, owner: Owner, *, position: int | None) -> Cursor:
    """Raises StorageError: the log has no such position."""
    for _ in range(_TRIES):
        with db.transaction():
            there = _locked(db, group_id, sink)
            last, now = _log(db, group_id)
            cursor = opened(there, group_id, sink, owner, position=position, last_position=last, now=now)
            if there is not None:
                return _updated(db, there, cursor)
            if db.execute(_INSERT, attrs.asdict(cursor)).fetchone() is not None:
                return cursor  # otherwise it was registered since we looked
    raise StorageUnavailable(f"cursor {sink!r} of group {group_id} was dropped {_TRIES} times; repeat the call")


def move_cursor(db: Direct, cursor: Cursor, position: int) -> Cursor:
    """Raises OwnershipLost, NotFound, Conflict, StorageError, as the protocol says."""
    with db.transaction():
        there = _locked(db, cursor.group_id, cursor.sink)
        last, now = _log(db, cursor.group_id)
        after = moved(there, cursor, position, last_position=last, now=now)
        return after if there is None else _updated(db, there, after)


def drop_cursor(db: Direct, group_id: int, sink: str) -> None:
    db.execute(_DROP, (group_id, sink))


def _locked(db: Direct, group_id: int, sink: str) -> Cursor | None:
    row = db.execute(_LOCK, (group_id, sink)).fetchone()
    return None if row is None else Cursor(*row)


def _log(db: Direct, group_id: int) -> tuple[int, float]:
    """The last position of the log, and the time."""
    row: tuple[Any, ...] | None = db.execute(_LOG, (group_id,)).fetchone()
    assert row is not None, "every group has a row"  # noqa: S101
    return int(row[0]), float(row[1])


def _updated(db: Direct, there: Cursor, cursor: Cursor) -> Cursor:
    if cursor is not there:
        db.execute(_UPDATE, attrs.asdict(cursor))
    return cursor
