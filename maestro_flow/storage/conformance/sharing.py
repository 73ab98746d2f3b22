"""Two nodes that have opened the same store."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.protocol import Storage

__all__ = ["Sharing"]


class Sharing(Concern):
    """What one node has written, the other sees at once."""

    needs = "shared"

    @pytest.fixture
    def guest(self, second: Storage) -> Node:
        """A node that has the store open a second time."""
        return Node(second, "boris")

    def test_a_group_is_held_by_one_of_them(self, node: Node, guest: Node) -> None:
        """PROTOCOL 3."""
        guest.claim(guest.store.group_count)
        assert node.group_id not in {lease.group_id for lease in guest.leases}
        assert node.renew().claimable == 0

    def test_a_takeover_through_one_fences_the_other(self, clock: ManualClock, node: Node, guest: Node) -> None:
        """PROTOCOL 3, 10."""
        node.commit(node.write("w/1/1", 1))
        clock.advance(LEASE_S)
        guest.claim(guest.store.group_count)
        guest.leases.sort(key=lambda lease: lease.group_id != node.group_id)
        assert [flow.entry.flow_id for flow in guest.store.load_flows(node.group_id)] == ["w/1/1"]
        assert node.commit(node.write("w/1/1", 2)) == [Outcome.OWNERSHIP_LOST]
        assert guest.commit(guest.write("w/1/1", 2)) == [Outcome.DONE]

    def test_messages_and_starts_reach_the_owner_from_anywhere(self, node: Node, guest: Node) -> None:
        """PROTOCOL 16, 18."""
        guest.store.push("w", b"{}")
        guest.store.start([StartRequest("w", "r1", node.group_id)])
        guest.store.send(message_to(node.group_id))
        renewal = node.renew()
        assert renewal.messages == renewal.pending == {node.group_id}
        node.commit(node.settle("m1", "refused"))
        answer = guest.store.send(message_to(node.group_id))
        assert answer.outcome == "refused"

    def test_a_handle_that_closes_leaves_the_other_one_alone(self, node: Node, second: Storage) -> None:
        """PROTOCOL 3: closing releases nothing."""
        second.close()
        assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]
        assert node.renew().lost == frozenset()
