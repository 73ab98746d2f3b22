"""Only the current owner writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from maestro_flow.clock import ManualClock
from maestro_flow.errors import OwnershipLost
from maestro_flow.model.commit import Commit, Outcome, Settlement
from maestro_flow.model.inbox import MessageState
from maestro_flow.model.leases import Lease
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to

__all__ = ["Fence"]


class Fence(Concern):
    """The fence compares group, generation and owner, never the time (PROTOCOL 3)."""

    @pytest.fixture
    def usurper(self, clock: ManualClock, node: Node, rival: Node) -> Node:
        """The rival, after it has taken over the node's group, in which a flow of the node is at revision 1."""
        node.commit(node.write("w/1/1", 1))
        node.store.send(message_to(node.group_id, "m1"))
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        rival.leases.sort(key=lambda lease: lease.group_id != node.group_id)
        return rival

    @pytest.mark.usefixtures("usurper")
    def test_an_owner_that_was_replaced_writes_nothing(self, node: Node) -> None:
        """PROTOCOL 3: no record, no entry, no outcome and no message."""
        stale = node.write(
            "w/1/1",
            2,
            status=RunStatus.SUCCEEDED,
            settles=(Settlement("m1", "applied"),),
            sends=(message_to(node.group_id, "m2"),),
        )
        assert node.commit(stale) == [Outcome.OWNERSHIP_LOST]
        store = node.store
        assert [record.revision for record in store.read_flow("w/1/1")] == [1]
        assert store.load_flows(node.group_id)[0].entry.status is RunStatus.IN_PROGRESS
        left = store.message(node.group_id, "m1")
        assert left is not None
        assert left.state is MessageState.WAITING
        assert store.message(node.group_id, "m2") is None

    @pytest.mark.usefixtures("usurper")
    def test_an_owner_that_was_replaced_starts_no_flow(self, node: Node) -> None:
        """PROTOCOL 3."""
        assert node.commit(node.write("w/2/1", 1)) == [Outcome.OWNERSHIP_LOST]
        assert node.store.run("w/2/1") is None

    def test_an_owner_that_was_replaced_settles_nothing(self, node: Node, usurper: Node) -> None:
        """PROTOCOL 2, 3: a commit without a flow passes the same fence."""
        assert node.commit(node.settle("m1")) == [Outcome.OWNERSHIP_LOST]
        assert [message.message_id for message in usurper.store.receive(usurper.lease)] == ["m1"]

    def test_the_new_owner_writes(self, usurper: Node) -> None:
        """PROTOCOL 3."""
        assert usurper.commit(usurper.write("w/1/1", 2)) == [Outcome.DONE]

    def test_another_owner_with_the_same_generation_is_refused(self, node: Node) -> None:
        """PROTOCOL 3: a store that lost its tail may issue a generation twice; owner ids are never reused."""
        check_refused(node, lambda: Lease(node.group_id, node.lease.generation, "owner-impostor"))

    def test_the_same_owner_with_an_earlier_generation_is_refused(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 3: another owner may have written in between."""

        def earlier() -> Lease:
            clock.advance(LEASE_S)
            node.claim(node.store.group_count)
            return node.lease

        check_refused(node, earlier)

    def test_a_generation_that_was_never_given_out_is_refused(self, node: Node) -> None:
        """PROTOCOL 3: generations must be equal; greater does not pass."""
        check_refused(node, lambda: evolve(node.lease, generation=node.lease.generation + 1))

    def test_a_lease_of_one_group_does_not_write_into_another(self, node: Node) -> None:
        """PROTOCOL 3: generations of two groups may coincide."""
        other = (node.group_id + 1) % node.store.group_count
        check_refused(node, lambda: evolve(node.lease, group_id=other))

    def test_an_expired_lease_that_nobody_has_claimed_still_commits(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 3: clocks decide who may try, the generation decides who succeeds."""
        clock.advance(10 * LEASE_S)
        assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]
        assert node.commit(node.write("w/1/1", 2)) == [Outcome.DONE]

    def test_an_owner_that_was_replaced_receives_nothing(self, node: Node, usurper: Node) -> None:
        """PROTOCOL 17: only the owner receives."""
        with pytest.raises(OwnershipLost):
            node.store.receive(node.lease)
        assert usurper.store.receive(usurper.lease)[0].deliveries == 1

    def test_another_owner_with_the_same_generation_receives_nothing(self, node: Node) -> None:
        """PROTOCOL 3, 17."""
        with pytest.raises(OwnershipLost):
            node.store.receive(Lease(node.group_id, node.lease.generation, "owner-impostor"))


def check_refused(node: Node, stale_lease: Callable[[], Lease]) -> None:
    """Commits of every shape are refused under the lease: a backend may have a fast path for the frequent ones."""
    node.commit(node.write("w/1/1", 1))
    node.store.send(message_to(node.group_id, "m1"))
    lease = stale_lease()
    shapes = [
        [node.write("w/1/1", 2, lease=lease)],
        [node.write("w/1/1", 2, lease=lease), node.write("w/1/1", 3, lease=lease)],
        [node.write("w/1/1", 2, lease=lease, status=RunStatus.SUCCEEDED)],
        [node.write("w/2/1", 1, lease=lease)],
        [Commit(lease, sends=(message_to(lease.group_id, "m2"),))],
        [Commit(lease, settles=(Settlement("m1", "applied"),))],
    ]
    for batch in shapes:
        assert node.commit(*batch) == [Outcome.OWNERSHIP_LOST] * len(batch), batch
    assert [record.flow_id for record in node.store.read_log(node.group_id)] == ["w/1/1"]
