"""The holder of a group, which anyone may look up."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import StorageError
from maestro_flow.model.leases import Holder, Owner
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import Storage

__all__ = ["Holders"]


class Holders(Concern):
    """Looking up the holder of a group changes nothing, and leaves comparing the expiry to the caller."""

    def test_the_holder_of_a_group_comes_with_the_time_of_the_store(
        self, clock: ManualClock, store: Storage, second: Storage
    ) -> None:
        """PROTOCOL 3, 15."""
        owner, claimed_at = Owner("anna", this_process()), clock.time()
        (lease,) = store.claim(owner, lease_s=LEASE_S, limit=1)
        clock.advance(1.5)
        expected = Holder(lease.group_id, 1, "anna", owner.process, claimed_at + LEASE_S, claimed_at + 1.5)
        assert store.holder(lease.group_id) == second.holder(lease.group_id) == expected

    def test_a_group_that_was_never_claimed_has_no_holder(self, store: Storage) -> None:
        """PROTOCOL 3."""
        assert [store.holder(group_id) for group_id in range(store.group_count)] == [None] * store.group_count

    def test_a_group_that_was_released_has_no_holder(self, node: Node) -> None:
        """PROTOCOL 14."""
        node.store.release([node.lease])
        assert node.store.holder(node.group_id) is None

    def test_an_owner_whose_lease_has_expired_is_the_holder_until_another_claims(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 3: the look-up takes nothing away from it, it may still renew."""
        clock.advance(LEASE_S + 1)
        expired = node.store.holder(node.group_id)
        assert expired is not None
        assert (expired.owner_id, expired.expires_at, expired.now) == (node.owner.id, clock.time() - 1, clock.time())
        assert node.renew().lost == frozenset()
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        holder = node.store.holder(node.group_id)
        assert holder == Holder(node.group_id, 2, rival.owner.id, "", clock.time() + LEASE_S, clock.time())

    def test_a_renewal_is_seen(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 13."""
        clock.advance(3)
        node.renew()
        holder = node.store.holder(node.group_id)
        assert holder is not None
        assert (holder.generation, holder.expires_at - holder.now) == (1, LEASE_S)

    def test_the_holder_of_a_group_that_does_not_exist_is_an_error(self, store: Storage) -> None:
        """PROTOCOL 19."""
        for group_id in (-1, store.group_count):
            with pytest.raises(StorageError, match="no group"):
                store.holder(group_id)
