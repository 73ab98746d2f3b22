"""The order of a group's log, by which readers find new records."""

from __future__ import annotations

from functools import partial

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import StorageError
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.protocol import Storage

__all__ = ["Positions"]


class Positions(Concern):
    """Positions increase within a group and may have gaps; readers ask for records after their cursor (PROTOCOL 7)."""

    def test_a_group_without_a_log_is_at_position_zero(self, store: Storage) -> None:
        """PROTOCOL 7, 10."""
        assert store.last_position(0) == 0
        assert store.read_log(0) == []

    def test_the_log_is_read_in_order_of_position_after_a_cursor(self, node: Node) -> None:
        """PROTOCOL 7."""
        node.commit(*(node.write(f"w/{9 - number}/1", 1) for number in range(5)))
        assert [record.position for record in node.store.read_log(node.group_id)] == [1, 2, 3, 4, 5]
        assert [record.position for record in node.store.read_log(node.group_id, after=2, limit=2)] == [3, 4]
        assert node.store.read_log(node.group_id, after=5) == []

    def test_positions_may_have_gaps(self, node: Node) -> None:
        """PROTOCOL 7: a refused commit leaves one."""
        node.commit(node.write("w/1/1", 1, position=3), node.write("w/2/1", 1, position=1_000_000_007))
        assert [record.position for record in node.store.read_log(node.group_id, after=2)] == [3, 1_000_000_007]
        assert [record.position for record in node.store.read_log(node.group_id, after=3)] == [1_000_000_007]
        assert node.store.last_position(node.group_id) == 1_000_000_007

    def test_a_refused_commit_does_not_move_the_last_position(self, node: Node) -> None:
        """PROTOCOL 7."""
        node.commit(node.write("w/1/1", 1), node.write("w/2/1", 5, position=77))
        assert node.store.last_position(node.group_id) == 1

    @pytest.mark.parametrize(("flow_id", "revision"), [("w/1/1", 2), ("w/2/1", 1)])
    @pytest.mark.parametrize("position", [0, 3, 7])
    def test_a_position_that_was_used_before_is_an_error(
        self, node: Node, position: int, flow_id: str, revision: int
    ) -> None:
        """PROTOCOL 5, 7: also one that was skipped, because a reader may be past it."""
        node.commit(node.write("w/1/1", 1, position=7))
        with pytest.raises(StorageError, match=str(position)):
            node.commit(node.write(flow_id, revision, position=position))
        assert [(record.flow_id, record.revision) for record in node.store.read_log(node.group_id)] == [("w/1/1", 1)]
        assert node.store.run("w/2/1") is None

    @pytest.mark.parametrize("second", [1, 2])
    def test_positions_that_do_not_increase_in_one_batch_are_an_error(self, node: Node, second: int) -> None:
        """PROTOCOL 7."""
        with pytest.raises(StorageError):
            node.commit(node.write("w/1/1", 1, position=2), node.write("w/2/1", 1, position=second))
        assert node.store.run("w/2/1") is None

    def test_the_store_still_works_after_such_an_error(self, node: Node) -> None:
        """PROTOCOL 7."""
        node.commit(node.write("w/1/1", 1))
        with pytest.raises(StorageError):
            node.commit(node.write("w/2/1", 1, position=1))
        assert node.commit(node.write("w/2/1", 1)) == [Outcome.DONE]

    def test_a_stale_owner_with_an_old_position_is_told_that_it_is_stale(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 3, 7: the fence comes first; then its position does not matter."""
        node.commit(node.write("w/1/1", 1))
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        assert node.commit(node.write("w/2/1", 1, position=1)) == [Outcome.OWNERSHIP_LOST]

    def test_groups_have_independent_positions(self, node: Node) -> None:
        """PROTOCOL 7."""
        node.claim()
        first, second = node.leases
        batch = [node.write(f"w/{n}/1", 1, lease=lease) for n, lease in enumerate((first, second), 1)]
        assert node.commit(*batch) == [Outcome.DONE] * 2
        assert node.store.last_position(first.group_id) == node.store.last_position(second.group_id) == 1
        assert [record.flow_id for record in node.store.read_log(second.group_id)] == ["w/2/1"]

    def test_a_new_owner_continues_from_the_last_position(self, clock: ManualClock, node: Node, rival: Node) -> None:
        """PROTOCOL 10: it reads it after its claim, never as part of it."""
        node.commit(node.write("w/1/1", 1), node.write("w/1/1", 2))
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        rival.leases.sort(key=lambda lease: lease.group_id != node.group_id)
        assert rival.commit(rival.write("w/1/1", 3)) == [Outcome.DONE]
        assert [record.position for record in node.store.read_log(node.group_id)] == [1, 2, 3]

    def test_a_group_that_does_not_exist_is_an_error(self, store: Storage) -> None:
        """PROTOCOL 19: their number is fixed."""
        for group_id in (-1, store.group_count):
            nowhere = Lease(group_id, 1, "owner-anna")
            for write in (partial(store.commit, [Commit(nowhere)]), partial(store.receive, nowhere)):
                with pytest.raises(StorageError, match="no group"):
                    write()
            assert store.renew(Owner("owner-anna"), [nowhere], lease_s=LEASE_S).lost == {group_id}
            store.release([nowhere])
            for read in (store.last_position, store.read_log, store.load_flows, store.pending_starts):
                with pytest.raises(StorageError, match="no group"):
                    read(group_id)
