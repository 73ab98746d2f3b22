"""What a renewal reports about the inboxes and pending starts of the groups that are held."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to

__all__ = ["Renewals"]


class Renewals(Concern):
    """One combined query a second does renewal, claim scan and inbox scan (PROTOCOL 13)."""

    def test_a_renewal_names_the_held_groups_with_messages_until_these_are_settled(self, node: Node) -> None:
        """PROTOCOL 13, 17: receiving does not settle anything."""
        node.claim(2)
        held = {lease.group_id for lease in node.leases}
        elsewhere = min(set(range(node.store.group_count)) - held)
        for group_id in (node.group_id, elsewhere):
            node.store.send(message_to(group_id))
        assert node.renew().messages == {node.group_id}
        node.store.receive(node.lease)
        assert node.renew().messages == {node.group_id}
        node.commit(node.settle("m1"))
        assert node.renew().messages == frozenset()

    def test_a_dead_letter_does_not_count_as_a_message(self, node: Node) -> None:
        """PROTOCOL 17."""
        node.store.send(message_to(node.group_id))
        node.commit(node.settle("m1", dead=True))
        assert node.renew().messages == frozenset()

    def test_a_renewal_names_the_held_groups_with_starts_until_they_are_taken(self, node: Node) -> None:
        """PROTOCOL 18: the owner's scan is the safety net of every start."""
        node.claim(2)
        held = {lease.group_id for lease in node.leases}
        elsewhere = min(set(range(node.store.group_count)) - held)
        node.store.push("w", b"{}")
        run, _ = node.store.start([StartRequest("w", "r1", node.group_id), StartRequest("w", "r2", elsewhere)])
        assert node.renew().pending == {node.group_id}
        node.store.acknowledge_starts([run.flow_id])
        assert node.renew().pending == frozenset()

    def test_messages_of_a_lost_group_are_not_reported(self, clock: ManualClock, node: Node, rival: Node) -> None:
        """PROTOCOL 13: they are for the new owner."""
        node.store.send(message_to(node.group_id))
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        assert node.renew().messages == frozenset()
        assert rival.renew().messages == {node.group_id}
