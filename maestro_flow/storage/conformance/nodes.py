"""The list of nodes, and groups that are reserved for one of them."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.model.leases import NodeEntry, Owner
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import Storage

__all__ = ["Nodes"]

OFFERS = frozenset({"NoOp", 'a "quoted" name', "Überweisung"})
KEEP_S = 3.0


class Nodes(Concern):
    """A node announces itself with each renewal, and is listed for the length of a lease (PROTOCOL 13, 14, 22)."""

    def test_every_node_sees_all_nodes(self, clock: ManualClock, store: Storage, second: Storage) -> None:
        """PROTOCOL 22."""
        anna, boris = Owner("anna", this_process()), Owner("boris")
        store.claim(anna, lease_s=LEASE_S, limit=3)
        until = clock.time() + LEASE_S
        mine = store.renew(anna, [], lease_s=LEASE_S, offers=OFFERS)
        assert mine.nodes == (NodeEntry("anna", anna.process, OFFERS, 3, until),)
        clock.advance(1)
        both = second.renew(boris, [], lease_s=LEASE_S, offers=frozenset())
        assert both.nodes == (*mine.nodes, NodeEntry("boris", "", frozenset(), 0, until + 1))
        assert store.renew(anna, [], lease_s=LEASE_S).nodes == both.nodes

    def test_a_reader_that_only_scans_is_not_a_node(self, node: Node) -> None:
        """PROTOCOL 13: a command that queries something does not get a share."""
        assert node.renew().nodes == ()

    def test_the_last_announcement_of_a_node_counts(self, clock: ManualClock, store: Storage) -> None:
        """PROTOCOL 22: step code may be registered later."""
        anna = Owner("anna")
        store.renew(anna, [], lease_s=LEASE_S, offers=frozenset())
        clock.advance(4)
        (entry,) = store.renew(anna, [], lease_s=LEASE_S, offers=OFFERS).nodes
        assert entry == NodeEntry("anna", "", OFFERS, 0, clock.time() + LEASE_S)

    def test_a_node_that_is_silent_is_gone_after_its_lease(self, clock: ManualClock, store: Storage) -> None:
        """PROTOCOL 14: its share goes to the others."""
        store.renew(Owner("anna"), [], lease_s=LEASE_S, offers=OFFERS)
        clock.advance(LEASE_S / 2)
        store.renew(Owner("boris"), [], lease_s=LEASE_S, offers=OFFERS)
        clock.advance(LEASE_S / 2)
        assert [entry.owner_id for entry in store.renew(Owner("clara"), [], lease_s=LEASE_S).nodes] == ["boris"]

    def test_a_node_that_leaves_is_gone_at_once(self, store: Storage, second: Storage) -> None:
        """PROTOCOL 14."""
        anna = Owner("anna")
        store.renew(anna, [], lease_s=LEASE_S, offers=OFFERS)
        store.leave(anna)
        store.leave(anna)
        assert second.renew(Owner("boris"), [], lease_s=LEASE_S).nodes == ()

    def test_a_node_that_leaves_still_holds_what_it_has_not_released(self, node: Node) -> None:
        """PROTOCOL 3: ownership is by generation alone."""
        node.store.leave(node.owner)
        assert node.renew().lost == frozenset()

    def test_a_group_is_reserved_for_the_node_it_was_released_to(self, node: Node, rival: Node) -> None:
        """PROTOCOL 22: no other node can claim it first, or is told that it is claimable."""
        free = rival.renew().claimable
        node.store.release([node.lease], to="owner-clara", keep_s=KEEP_S)
        assert rival.renew().claimable == free
        rival.claim(node.store.group_count)
        assert node.group_id not in {lease.group_id for lease in rival.leases}
        clara = Node(node.store, "clara")
        assert clara.renew().claimable == 1
        (lease,) = clara.claim(node.store.group_count)
        assert (lease.group_id, lease.generation) == (node.group_id, 2)

    def test_a_reservation_of_a_group_expires(self, clock: ManualClock, node: Node, rival: Node) -> None:
        """PROTOCOL 22: the node that it was meant for may have died."""
        node.store.release([node.lease], to="owner-clara", keep_s=KEEP_S)
        clock.advance(KEEP_S)
        assert rival.renew().claimable == node.store.group_count
        rival.claim(node.store.group_count)
        assert node.group_id in {lease.group_id for lease in rival.leases}

    def test_a_claim_ends_the_reservation_of_a_group(self, clock: ManualClock, node: Node, rival: Node) -> None:
        """PROTOCOL 14: the reservation made by a release ends with the next claim."""
        node.store.release([node.lease], to=rival.owner.id, keep_s=100 * LEASE_S)
        rival.claim(node.store.group_count)
        rival.store.release(rival.leases)
        clara = Node(node.store, "clara")
        assert len(clara.claim(node.store.group_count)) == node.store.group_count
        clock.advance(LEASE_S)
        assert rival.renew().claimable == node.store.group_count

    def test_only_the_holder_of_a_group_can_reserve_it(self, node: Node, rival: Node) -> None:
        """PROTOCOL 3."""
        stale = node.lease
        node.store.release([stale])
        node.store.release([stale], to="owner-clara", keep_s=KEEP_S)
        assert len(rival.claim(node.store.group_count)) == node.store.group_count
