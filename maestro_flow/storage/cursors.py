"""Opening and moving the cursor of a sink, decided in the same way by every backend (PROTOCOL 6, 28)."""

from __future__ import annotations

from attrs import evolve

from maestro_flow.errors import Conflict, NotFound, OwnershipLost, StorageError
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Owner

__all__ = ["moved", "opened"]


def opened(
    there: Cursor | None,
    group_id: int,
    sink: str,
    owner: Owner,
    *,
    position: int | None,
    last_position: int,
    now: float,
) -> Cursor:
    """The cursor that ``owner`` has from now on; ``there`` itself if that owner already has it.

    Raises:
        StorageError: the cursor is new, and the log has no such position.
    """
    if there is None:
        start = last_position if position is None else position
        _check_in_log(group_id, sink, start, last_position)
        return Cursor(group_id, sink, start, generation=1, owner_id=owner.id, moved_at=now)
    if there.owner_id == owner.id:
        return there
    return evolve(there, generation=there.generation + 1, owner_id=owner.id)


def moved(there: Cursor | None, cursor: Cursor, position: int, *, last_position: int, now: float) -> Cursor:
    """The cursor after a move; ``there`` itself if it is already at ``position``.

    Raises:
        OwnershipLost, NotFound, Conflict, StorageError: as the protocol says.
    """
    where = f"the cursor of sink {cursor.sink!r} in group {cursor.group_id}"
    if there is None:
        raise NotFound(f"{where} was dropped; open it again")
    if (there.generation, there.owner_id) != (cursor.generation, cursor.owner_id):
        raise OwnershipLost(
            f"{where} is held by owner {there.owner_id} in generation {there.generation} now, no longer by "
            f"{cursor.owner_id} in {cursor.generation}"
        )
    if position < cursor.position:
        raise StorageError(f"{where} stands at {cursor.position} and cannot go back to {position}")
    _check_in_log(cursor.group_id, cursor.sink, position, last_position)
    if there.position == position:
        return there
    if there.position != cursor.position:
        raise Conflict(f"{where} stands at {there.position}, not at {cursor.position}: it was moved meanwhile")
    return evolve(there, position=position, moved_at=now)


def _check_in_log(group_id: int, sink: str, position: int, last_position: int) -> None:
    if not 0 <= position <= last_position:
        raise StorageError(
            f"sink {sink!r} cannot have read group {group_id} up to position {position}: "
            f"its log ends at {last_position}"
        )
