"""Leases on groups: claim, renew, release."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import Storage

__all__ = ["Leases"]


class Leases(Concern):
    """Clocks decide who may try, the generation decides who succeeds (PROTOCOL 3, 10, 13)."""

    def test_every_group_of_a_new_store_can_be_claimed_and_has_generation_one(self, store: Storage) -> None:
        """PROTOCOL 19: the number of groups is fixed when the store is created."""
        leases = store.claim(Owner("o"), lease_s=LEASE_S, limit=store.group_count + 1)
        assert sorted(leases, key=lambda lease: lease.group_id) == [
            Lease(group_id, 1, "o") for group_id in range(store.group_count)
        ]

    def test_a_claim_takes_no_more_groups_than_its_limit(self, store: Storage) -> None:
        """PROTOCOL 14: a node leaves the others their share."""
        assert len(store.claim(Owner("o"), lease_s=LEASE_S, limit=3)) == 3
        assert len(store.claim(Owner("o"), lease_s=LEASE_S, limit=2)) == 2

    def test_a_held_group_is_claimed_by_nobody(self, store: Storage, node: Node, rival: Node) -> None:
        """PROTOCOL 3: one owner at a time; the owner does not get a second lease either."""
        everything = node.claim(store.group_count) + rival.claim(store.group_count)
        assert node.lease not in everything[1:]
        assert len({lease.group_id for lease in node.leases}) == store.group_count
        assert rival.leases == []

    @pytest.mark.parametrize(
        "process", ["", "elsewhere|pid:[1]|1|1", this_process()], ids=["unknown", "elsewhere", "alive"]
    )
    def test_an_owner_whose_death_cannot_be_proved_keeps_its_lease(
        self, store: Storage, rival: Node, process: str
    ) -> None:
        """PROTOCOL 12: it may be alive on another host; only its lease decides."""
        (held,) = store.claim(Owner("elsewhere", process), lease_s=LEASE_S, limit=1)
        rival.claim(store.group_count)
        assert held.group_id not in {lease.group_id for lease in rival.leases}

    def test_an_expired_group_is_claimed_with_the_next_generation(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 3: the generation distinguishes two owners for ever."""
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        assert Lease(node.group_id, 2, rival.owner.id) in rival.leases

    def test_a_group_is_not_claimed_a_moment_before_it_expires(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 13: the local deadline of an owner is never later than the store's."""
        clock.advance(LEASE_S - 0.001)
        rival.claim(node.store.group_count)
        assert node.group_id not in {lease.group_id for lease in rival.leases}

    def test_a_claim_whose_answer_was_lost_turns_up_again_for_the_same_owner(
        self, clock: ManualClock, store: Storage, node: Node
    ) -> None:
        """PROTOCOL 6: a verb may be repeated; the groups that the first call claimed are held until they expire."""
        clock.advance(LEASE_S)
        assert Lease(node.group_id, 2, node.owner.id) in store.claim(
            node.owner, lease_s=LEASE_S, limit=store.group_count
        )

    def test_a_renewal_counts_from_now(self, clock: ManualClock, node: Node, rival: Node) -> None:
        """PROTOCOL 13."""
        clock.advance(LEASE_S - 1)
        assert node.renew().lost == frozenset()
        clock.advance(LEASE_S - 1)
        rival.claim(node.store.group_count)
        assert node.group_id not in {lease.group_id for lease in rival.leases}

    def test_an_expired_lease_that_nobody_has_claimed_is_renewed(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 3: time does not decide which owner holds a group."""
        clock.advance(10 * LEASE_S)
        assert node.renew().lost == frozenset()
        rival.claim(node.store.group_count)
        assert node.group_id not in {lease.group_id for lease in rival.leases}

    def test_a_renewal_reports_what_was_lost_and_leaves_it_to_its_new_owner(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 3, 13."""
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        assert node.renew().lost == {node.group_id}
        assert rival.renew().lost == frozenset()

    def test_a_renewal_does_not_accept_the_generation_alone(self, store: Storage, node: Node) -> None:
        """PROTOCOL 3: after a failover that lost its tail, two owners may hold the same generation."""
        impostor = Lease(node.group_id, node.lease.generation, "owner-impostor")
        assert store.renew(Owner("owner-impostor"), [impostor], lease_s=LEASE_S).lost == {node.group_id}

    def test_a_renewal_does_not_accept_the_lease_of_somebody_else(self, store: Storage, node: Node) -> None:
        """PROTOCOL 3."""
        assert store.renew(Owner("owner-impostor"), [node.lease], lease_s=LEASE_S).lost == {node.group_id}

    def test_a_renewal_does_not_accept_an_earlier_generation_of_the_same_owner(
        self, clock: ManualClock, node: Node
    ) -> None:
        """PROTOCOL 3: what was decided before the group was lost and regained is stale."""
        old = node.lease
        clock.advance(LEASE_S)
        node.claim(node.store.group_count)
        assert node.store.renew(node.owner, [old], lease_s=LEASE_S).lost == {old.group_id}

    def test_a_renewal_says_how_many_groups_can_be_claimed(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 13: one query a second does renewal, claim scan and inbox scan."""
        others = node.store.group_count - 1
        assert node.renew().claimable == others
        Node(node.store, "clara").claim(others)
        assert node.renew().claimable == 0
        clock.advance(LEASE_S)
        assert node.renew().claimable == others

    def test_a_renewal_returns_the_time_of_the_store(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 15: decisions use the store's clock, estimated from each renewal."""
        before = node.renew().now
        clock.advance(1.5)
        assert node.renew().now - before == 1.5

    def test_a_renewal_without_leases_only_scans(self, store: Storage, rival: Node) -> None:
        """PROTOCOL 13: a node that does not hold a group yet scans too."""
        renewal = rival.renew()
        assert (renewal.claimable, renewal.lost, renewal.messages, renewal.pending) == (
            store.group_count,
            frozenset(),
            frozenset(),
            frozenset(),
        )

    def test_a_released_group_can_be_claimed_at_once(self, node: Node, rival: Node) -> None:
        """PROTOCOL 14: a hand-over does not wait for the lease."""
        node.store.release([node.lease])
        rival.claim(node.store.group_count)
        assert Lease(node.group_id, node.lease.generation + 1, rival.owner.id) in rival.leases

    def test_a_released_lease_is_worth_nothing(self, node: Node) -> None:
        """PROTOCOL 14: what is still running under it can do no harm."""
        node.store.release([node.lease])
        assert node.renew().lost == {node.group_id}
        assert node.commit(node.write("w/1/1", 1)) == [Outcome.OWNERSHIP_LOST]

    def test_releasing_an_earlier_generation_of_the_same_owner_has_no_effect(
        self, clock: ManualClock, node: Node
    ) -> None:
        """PROTOCOL 3: the owner may have lost and regained the group in between."""
        old = node.lease
        clock.advance(LEASE_S)
        node.claim(node.store.group_count)
        node.store.release([old])
        assert node.store.renew(node.owner, node.leases[1:], lease_s=LEASE_S).lost == frozenset()

    def test_releasing_a_lease_that_is_not_current_has_no_effect(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 3: a late release must not take the group from its new owner."""
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        node.store.release([node.lease, node.lease])
        assert rival.renew().lost == frozenset()
