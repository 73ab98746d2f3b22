"""Cursors of sinks: how far each has read a group's log, under a fence of its own."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from maestro_flow.clock import ManualClock
from maestro_flow.errors import Conflict, NotFound, OwnershipLost, StorageError
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Owner
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.protocol import Storage

__all__ = ["Cursors"]

ANNA, BORIS = Owner("owner-anna"), Owner("owner-boris")


class Cursors(Concern):
    """One for each sink and group, moved by compare-and-set (PROTOCOL 28); the group's lease plays no part in it."""

    @pytest.fixture
    def logged(self, node: Node) -> Node:
        """The node, with positions 1 to 5 in its group."""
        node.commit(*(node.write("w/1/1", revision) for revision in range(1, 6)))
        return node

    def test_a_sink_that_is_new_begins_where_it_is_told(self, clock: ManualClock, logged: Node) -> None:
        """PROTOCOL 28: at the beginning, in between, or at the end."""
        opened = [
            logged.store.open_cursor(logged.group_id, f"sink{position}", ANNA, position=position)
            for position in (0, 3, 5, None)
        ]
        assert [cursor.position for cursor in opened] == [0, 3, 5, 5]
        assert {(cursor.generation, cursor.owner_id) for cursor in opened} == {(1, ANNA.id)}
        assert {cursor.moved_at for cursor in opened} == {clock.time()}

    def test_a_position_that_is_not_in_the_log_is_a_loud_error(self, logged: Node) -> None:
        """PROTOCOL 7: it would never see what is written there later."""
        for position in (-1, 6):
            with pytest.raises(StorageError, match="its log ends at 5"):
                logged.store.open_cursor(logged.group_id, "hook", ANNA, position=position)
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        with pytest.raises(StorageError, match="its log ends at 5"):
            logged.store.move_cursor(cursor, 6)
        assert logged.store.cursors() == [cursor]

    def test_a_cursor_moves_on_and_is_found_where_it_was_left(self, clock: ManualClock, logged: Node) -> None:
        """PROTOCOL 28."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        clock.advance(3)
        moved = logged.store.move_cursor(cursor, 2)
        assert moved == evolve(cursor, position=2)
        assert moved.moved_at == clock.time()
        clock.advance(3)
        assert logged.store.move_cursor(moved, 5).position == 5
        assert [cursor.position for cursor in logged.store.cursors()] == [5]

    def test_the_same_move_again_has_the_same_answer(self, clock: ManualClock, logged: Node) -> None:
        """PROTOCOL 6: the answer to the first one may have been lost."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        first = logged.store.move_cursor(cursor, 2)
        clock.advance(3)
        again = logged.store.move_cursor(cursor, 2)
        assert (again, again.moved_at) == (first, first.moved_at)

    def test_a_cursor_moves_only_from_where_it_stands(self, logged: Node) -> None:
        """PROTOCOL 28: two threads of one sink do not move it past each other."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        logged.store.move_cursor(cursor, 2)
        with pytest.raises(Conflict, match="stands at 2"):
            logged.store.move_cursor(cursor, 4)
        assert [cursor.position for cursor in logged.store.cursors()] == [2]

    def test_a_cursor_never_goes_back(self, logged: Node) -> None:
        """PROTOCOL 28: what was delivered is not delivered again."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=3)
        with pytest.raises(StorageError, match="cannot go back"):
            logged.store.move_cursor(cursor, 2)
        assert logged.store.cursors() == [cursor]

    def test_whoever_opens_a_cursor_takes_it_from_its_owner(self, logged: Node) -> None:
        """PROTOCOL 3, 28: the fence of a sink is its own; a frozen one moves nothing when it wakes."""
        old = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=1)
        new = logged.store.open_cursor(logged.group_id, "hook", BORIS, position=4)
        assert new == evolve(old, generation=2, owner_id=BORIS.id)
        with pytest.raises(OwnershipLost, match="hook"):
            logged.store.move_cursor(old, 2)
        assert logged.store.move_cursor(new, 2).position == 2
        with pytest.raises(OwnershipLost, match="hook"):
            logged.store.move_cursor(old, 2)

    @pytest.mark.parametrize("forged", [{"generation": 2}, {"owner_id": "impostor"}], ids=str)
    def test_the_fence_of_a_cursor_compares_generation_and_owner(self, logged: Node, forged: dict[str, Any]) -> None:
        """PROTOCOL 3."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        with pytest.raises(OwnershipLost):
            logged.store.move_cursor(evolve(cursor, **forged), 2)
        assert logged.store.cursors() == [cursor]

    def test_a_cursor_that_its_owner_opens_again_is_the_same(self, clock: ManualClock, logged: Node) -> None:
        """PROTOCOL 6: also when the first call arrives after the second."""
        first = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        moved = logged.store.move_cursor(first, 2)
        clock.advance(5)
        again = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        assert (again, again.moved_at) == (moved, moved.moved_at)

    def test_a_cursor_needs_no_lease(self, clock: ManualClock, logged: Node, rival: Node) -> None:
        """PROTOCOL 28: another node may serve the sink, and a takeover of the group does not end it."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", BORIS, position=0)
        clock.advance(LEASE_S)
        rival.claim(logged.store.group_count)
        assert logged.store.move_cursor(cursor, 5).position == 5

    def test_all_cursors_are_listed_in_pages(self, store: Storage) -> None:
        """PROTOCOL 28: by group and sink."""
        sinks = [(group_id, sink) for group_id in (0, 2, 11) for sink in ("a", "b", "\u00e9")]
        for group_id, sink in reversed(sinks):
            store.open_cursor(group_id, sink, ANNA)
        pages: list[Cursor] = []
        after = (-1, "")
        while page := store.cursors(after=after, limit=2):
            assert len(page) <= 2
            pages += page
            after = (page[-1].group_id, page[-1].sink)
        assert [(cursor.group_id, cursor.sink) for cursor in pages] == sinks
        assert store.cursors() == pages

    def test_a_dropped_cursor_is_gone(self, logged: Node) -> None:
        """PROTOCOL 28; and the sink may begin anew."""
        cursor = logged.store.open_cursor(logged.group_id, "hook", ANNA, position=0)
        for _ in range(2):
            logged.store.drop_cursor(logged.group_id, "hook")
        assert logged.store.cursors() == []
        with pytest.raises(NotFound, match="dropped"):
            logged.store.move_cursor(cursor, 1)
        assert logged.store.open_cursor(logged.group_id, "hook", BORIS, position=3).position == 3

    def test_a_cursor_in_a_group_that_does_not_exist_is_a_loud_error(self, store: Storage) -> None:
        """PROTOCOL 19."""
        with pytest.raises(StorageError, match="no group"):
            store.open_cursor(store.group_count, "hook", ANNA)
        with pytest.raises(StorageError, match="no group"):
            store.drop_cursor(store.group_count, "hook")
        with pytest.raises(StorageError, match="no group"):
            store.move_cursor(Cursor(store.group_count, "hook", 0, 1, ANNA.id, 0.0), 0)
