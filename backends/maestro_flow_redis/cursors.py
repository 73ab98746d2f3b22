"""Cursors of sinks on Redis: decided here as in all backends, and written by compare-and-set."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Owner
from maestro_flow.storage.cursors import moved, opened
from maestro_flow_redis.log import end_of_log
from maestro_flow_redis.server import Call, Server

__all__ = ["cursors", "drop_cursor", "move_cursor", "open_cursor"]

_Decision: TypeAlias = Callable[[Cursor | None, int, float], Cursor]
"""The next state of a cursor, from the last position of the log and the time."""

_TRIES = 20

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Cursor).decode


def open_cursor(server: Server, group_id: int, sink: str, owner: Owner, *, position: int | None) -> Cursor:
    """Raises StorageError: the log has no such position."""

    def decide(there: Cursor | None, last: int, now: float) -> Cursor:
        return opened(there, group_id, sink, owner, position=position, last_position=last, now=now)

    return _swap(server, group_id, sink, decide)


def move_cursor(server: Server, cursor: Cursor, position: int) -> Cursor:
    """Raises OwnershipLost, NotFound, Conflict, StorageError, as the protocol says."""

    def decide(there: Cursor | None, last: int, now: float) -> Cursor:
        return moved(there, cursor, position, last_position=last, now=now)

    return _swap(server, cursor.group_id, cursor.sink, decide)


def _swap(server: Server, group_id: int, sink: str, decide: _Decision) -> Cursor:
    group = server.group(group_id)
    for _ in range(_TRIES):
        stored, last_id, pruned, now = server.call("read_cursor", group, sink)
        there = None if stored is None else _decode(stored)
        cursor = decide(there, end_of_log(last_id, pruned), float(now))
        if cursor is there or server.call("swap_cursor", group, sink, stored or b"", _encode(cursor)):
            return cursor
    raise StorageUnavailable(f"cursor {sink!r} of group {group_id} was changed {_TRIES} times; repeat the call")


def cursors(server: Server, after: tuple[int, str], limit: int) -> list[Cursor]:
    """Reads all groups at once: sinks are few."""
    first = max(after[0], 0)
    groups = range(first, server.group_count)
    pages = server.call_all([Call("cursors", server.group(group_id)) for group_id in groups])
    found = [_decode(stored) for page in pages for stored in page[1::2]]
    keyed = sorted(((cursor.group_id, cursor.sink), cursor) for cursor in found)
    return [cursor for key, cursor in keyed if key > after][: max(limit, 0)]


def drop_cursor(server: Server, group_id: int, sink: str) -> None:
    server.call("drop_cursor", server.group(group_id), sink)
