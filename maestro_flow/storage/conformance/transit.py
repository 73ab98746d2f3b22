"""Messages in transit: they stand in the inbox of one group and are for a flow of another."""

from __future__ import annotations

import pytest
from attrs import evolve

from maestro_flow.clock import ManualClock
from maestro_flow.errors import Conflict, StorageError
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.inbox import Message
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to

__all__ = ["Transit"]


class Transit(Concern):
    """A destination is kept and never acted on: the owner of the inbox sends the message on (PROTOCOL 20)."""

    @pytest.fixture
    def in_transit(self, node: Node) -> Message:
        """In the inbox of the node's group, for the one after it."""
        return message_to(node.group_id, destination=(node.group_id + 1) % node.store.group_count)

    def test_a_message_has_its_destination_wherever_it_is_read(self, node: Node, in_transit: Message) -> None:
        """PROTOCOL 16, 20."""
        assert node.store.send(in_transit).destination == in_transit.destination
        read = [*node.store.receive(node.lease), node.store.message(node.group_id, "m1")]
        node.commit(node.settle("m1", "broken", dead=True))
        read += [*node.store.dead_letters(), node.store.redrive(node.group_id, "m1"), *node.store.receive(node.lease)]
        assert read == [in_transit] * 5
        node.commit(node.settle("m1"))
        assert node.store.send(in_transit) == node.store.message(node.group_id, "m1") == in_transit

    def test_a_message_is_received_only_in_the_inbox_that_it_was_put_into(
        self, node: Node, in_transit: Message
    ) -> None:
        """PROTOCOL 17: no verb spans two groups."""
        node.store.send(in_transit)
        while in_transit.destination not in {lease.group_id for lease in node.leases}:
            node.claim()
        held = {lease.group_id: lease for lease in node.leases}
        assert node.store.receive(held[in_transit.destination]) == []
        assert node.store.message(in_transit.destination, "m1") is None
        assert node.renew().messages == {node.group_id}

    def test_a_message_that_is_sent_on_is_another_one_under_the_same_id(self, node: Node, in_transit: Message) -> None:
        """PROTOCOL 16, 20: sent twice, it is delivered once."""
        node.store.send(in_transit)
        first, again = (node.store.send(in_transit.delivered()) for _ in range(2))
        assert first.sequence == again.sequence
        assert not first.is_in_transit
        assert node.store.message(node.group_id, "m1") == in_transit

    def test_the_same_id_for_another_destination_is_a_conflict(self, node: Node, in_transit: Message) -> None:
        """PROTOCOL 16."""
        node.store.send(in_transit)
        here = evolve(in_transit, destination=node.group_id)
        with pytest.raises(Conflict, match="m1"):
            node.store.send(here)
        assert node.commit(Commit(node.lease, sends=(here,))) == [Outcome.CONFLICT]
        assert node.commit(node.write("w/1/1", 1, sends=(here,))) == [Outcome.CONFLICT]
        assert node.commit(Commit(node.lease, sends=(in_transit,))) == [Outcome.ALREADY_APPLIED]

    def test_one_commit_cannot_send_one_id_to_two_destinations(self, node: Node, in_transit: Message) -> None:
        """PROTOCOL 5."""
        both = (in_transit, evolve(in_transit, destination=node.group_id))
        assert node.commit(Commit(node.lease, sends=both)) == [Outcome.INVALID]

    def test_a_commit_sends_to_any_group_through_the_inbox_of_its_own(
        self, clock: ManualClock, node: Node, rival: Node, in_transit: Message
    ) -> None:
        """PROTOCOL 2, 20: a new owner sends it on."""
        assert node.commit(node.write("w/1/1", 1, sends=(in_transit,))) == [Outcome.DONE]
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        held = {lease.group_id: lease for lease in rival.leases}
        assert rival.store.receive(held[node.group_id]) == [in_transit]

    def test_a_message_to_a_destination_that_does_not_exist_is_a_loud_error(self, node: Node) -> None:
        """PROTOCOL 19: it could never be sent on."""
        for destination in (node.store.group_count, -1):
            with pytest.raises(StorageError, match="no group"):
                node.store.send(message_to(node.group_id, destination=destination))
        assert node.store.receive(node.lease) == []
