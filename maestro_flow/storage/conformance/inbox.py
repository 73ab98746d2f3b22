"""Messages: sent by anyone, received by the owner, kept with their outcome."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from maestro_flow.clock import ManualClock
from maestro_flow.errors import Conflict, StorageError
from maestro_flow.model.commit import Commit, Outcome, Settlement
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.protocol import Storage

__all__ = ["Inbox"]


class Inbox(Concern):
    """Tombstones keep the outcome, receiving hides nothing, deliveries are counted (PROTOCOL 16, 17)."""

    def test_a_message_waits_as_it_was_sent(self, clock: ManualClock, store: Storage) -> None:
        """PROTOCOL 16."""
        sent = store.send(message_to(3, "m1", body='{"a":"ä"}'.encode()))
        assert sent == message_to(3, "m1", body='{"a":"ä"}'.encode())
        assert (sent.state, sent.outcome, sent.deliveries) == (MessageState.WAITING, "", 0)
        assert sent.sent_at == clock.time()
        assert store.message(3, "m1") == sent
        assert store.message(3, "m2") is None
        assert store.message(4, "m1") is None

    def test_the_same_message_again_is_the_one_that_is_there(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 16: a sender whose answer was lost sends again."""
        first = node.store.send(message_to(node.group_id, "m1"))
        clock.advance(5)
        again = node.store.send(message_to(node.group_id, "m1"))
        assert (again.sequence, again.sent_at) == (first.sequence, first.sent_at)
        assert len(node.store.receive(node.lease)) == 1

    @pytest.mark.parametrize("change", [{"body": b"{}"}, {"kind": "other"}, {"flow_id": "w/2/1"}], ids=str)
    def test_the_same_id_for_another_message_is_a_conflict(self, node: Node, change: dict[str, Any]) -> None:
        """PROTOCOL 16: also when the first one is settled."""
        message = message_to(node.group_id, "m1")
        node.store.send(message)
        with pytest.raises(Conflict, match="m1"):
            node.store.send(evolve(message, **change))
        node.commit(node.settle("m1"))
        with pytest.raises(Conflict, match="m1"):
            node.store.send(evolve(message, **change))

    def test_the_same_id_in_another_group_is_another_message(self, store: Storage) -> None:
        """PROTOCOL 16: no verb spans two groups."""
        assert store.send(message_to(1, "m1")).sequence != store.send(message_to(2, "m1", body=b"[]")).sequence

    def test_a_message_to_a_group_that_does_not_exist_is_an_error(self, store: Storage) -> None:
        """PROTOCOL 19: it would never be received."""
        with pytest.raises(StorageError, match="no group"):
            store.send(message_to(store.group_count))

    def test_messages_are_received_in_the_order_in_which_they_were_sent(self, node: Node) -> None:
        """PROTOCOL 17."""
        self.send(node, "c", "a", "b")
        assert self.received(node) == ["c", "a", "b"]

    def test_messages_are_received_in_pages(self, node: Node) -> None:
        """PROTOCOL 17."""
        self.send(node, "c", "a", "b")
        page = node.store.receive(node.lease, limit=2)
        assert [message.message_id for message in page] == ["c", "a"]
        rest = node.store.receive(node.lease, after=page[-1].sequence, limit=2)
        assert [message.message_id for message in rest] == ["b"]

    def test_receiving_hides_nothing(self, node: Node) -> None:
        """PROTOCOL 17: an owner that forgets what it received gets it again."""
        self.send(node, "a", "b")
        assert self.received(node) == self.received(node) == ["a", "b"]

    def test_messages_to_other_groups_are_not_received(self, node: Node) -> None:
        """PROTOCOL 17."""
        node.store.send(message_to((node.group_id + 1) % node.store.group_count))
        assert self.received(node) == []

    def test_a_settled_message_is_a_tombstone_with_its_outcome(self, node: Node) -> None:
        """PROTOCOL 16: this is how the sender learns the outcome."""
        self.send(node, "m1", "m2")
        assert node.commit(node.settle("m1", "refused")) == [Outcome.DONE]
        assert self.received(node) == ["m2"]
        assert self.state(node, "m1") == (MessageState.SETTLED, "refused")

    def test_a_message_sent_again_after_it_was_settled_shows_its_outcome(self, node: Node) -> None:
        """PROTOCOL 16: a retry finds the answer instead of being applied twice."""
        self.send(node, "m1")
        node.commit(node.settle("m1", "applied"))
        again = node.store.send(message_to(node.group_id, "m1"))
        assert (again.state, again.outcome) == (MessageState.SETTLED, "applied")
        assert self.received(node) == []

    def test_the_outcome_of_a_message_never_changes(self, node: Node) -> None:
        """PROTOCOL 16."""
        self.send(node, "m1")
        node.commit(node.settle("m1", "applied"))
        assert node.commit(node.settle("m1", "refused")) == [Outcome.CONFLICT]
        assert node.commit(node.settle("m1", "applied", dead=True)) == [Outcome.CONFLICT]
        assert self.state(node, "m1") == (MessageState.SETTLED, "applied")

    def test_a_dead_letter_keeps_its_traceback_and_is_not_received(self, node: Node) -> None:
        """PROTOCOL 17."""
        self.send(node, "m1")
        node.commit(node.settle("m1", "Traceback: ...", dead=True))
        assert self.state(node, "m1") == (MessageState.DEAD, "Traceback: ...")
        assert self.received(node) == []

    def test_a_commit_sends_within_its_group(self, node: Node) -> None:
        """PROTOCOL 2: also if the message is there already."""
        assert node.commit(node.write("w/1/1", 1, sends=(message_to(node.group_id, "m1"),))) == [Outcome.DONE]
        assert node.commit(node.write("w/1/1", 2, sends=(message_to(node.group_id, "m1"),))) == [Outcome.DONE]
        assert self.received(node) == ["m1"]

    def test_two_messages_with_one_id_in_one_batch_conflict(self, node: Node) -> None:
        """PROTOCOL 16."""
        first, second = message_to(node.group_id, "m1"), message_to(node.group_id, "m1", body=b"[]")
        batch = [Commit(node.lease, sends=(first,)), Commit(node.lease, sends=(second,))]
        assert node.commit(*batch) == [Outcome.DONE, Outcome.CONFLICT]
        assert self.received(node) == ["m1"]

    def test_a_delivery_is_counted_once_for_each_generation(self, clock: ManualClock, node: Node, rival: Node) -> None:
        """PROTOCOL 17: it counts the owners that had the message in hand, so that a poison message is found."""
        self.send(node, "m1")
        assert [message.deliveries for _ in range(3) for message in node.store.receive(node.lease)] == [1, 1, 1]
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        rival.leases.sort(key=lambda lease: lease.group_id != node.group_id)
        assert [message.deliveries for _ in range(2) for message in rival.store.receive(rival.lease)] == [2, 2]
        left = node.store.message(node.group_id, "m1")
        assert left is not None
        assert left.deliveries == 2

    def test_a_delivery_is_counted_only_for_the_page_that_was_received(self, node: Node) -> None:
        """PROTOCOL 17: a message that the owner did not have in hand did no harm."""
        self.send(node, "m1", "m2")
        node.store.receive(node.lease, limit=1)
        assert [
            message.deliveries for message in (node.store.message(node.group_id, m) for m in ("m1", "m2")) if message
        ] == [
            1,
            0,
        ]

    def test_old_tombstones_are_purged_and_nothing_else(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 16: the caller sets the window; waiting and dead messages stay."""
        self.send(node, "old", "dead", "waiting", "young")
        node.commit(node.settle("old"), node.settle("dead", dead=True))
        clock.advance(100)
        node.commit(node.settle("young"))
        assert node.store.purge_messages(settled_before=clock.time() - 50) == 1
        left = [node.store.message(node.group_id, message_id) for message_id in ("old", "dead", "waiting", "young")]
        assert [message and message.state for message in left] == [
            None,
            MessageState.DEAD,
            MessageState.WAITING,
            MessageState.SETTLED,
        ]
        assert node.store.purge_messages(settled_before=clock.time() - 50) == 0

    def test_a_tombstone_that_is_as_old_as_the_window_stays(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 16: only messages settled before that time are purged, not those settled at it."""
        self.send(node, "m1")
        node.commit(node.settle("m1"))
        assert node.store.purge_messages(settled_before=clock.time()) == 0
        assert node.store.purge_messages(settled_before=clock.time() + 1) == 1

    def test_the_window_begins_with_the_first_settlement(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 16: repeating the same outcome changes nothing, not even the time."""
        self.send(node, "m1")
        node.commit(node.settle("m1"))
        clock.advance(10)
        assert node.commit(node.write("w/1/1", 1, settles=(Settlement("m1", "applied"),))) == [Outcome.DONE]
        assert node.store.purge_messages(settled_before=clock.time()) == 1

    def test_a_sequence_is_never_issued_again(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 17: a receiver that is past it would miss the new message."""
        self.send(node, "m1")
        (seen,) = node.store.receive(node.lease)
        node.commit(node.settle("m1"))
        clock.advance(100)
        node.store.purge_messages(settled_before=clock.time())
        self.send(node, "m2")
        assert [message.message_id for message in node.store.receive(node.lease, after=seen.sequence)] == ["m2"]

    def test_a_settlement_and_a_message_of_one_batch_see_each_other(self, node: Node) -> None:
        """PROTOCOL 16: a message sent again after it was settled stays settled."""
        self.send(node, "m1")
        resend = Commit(node.lease, sends=(message_to(node.group_id, "m1"),), settles=(Settlement("m1", "applied"),))
        assert node.commit(node.settle("m1"), resend) == [Outcome.DONE, Outcome.ALREADY_APPLIED]
        assert self.state(node, "m1") == (MessageState.SETTLED, "applied")

    @staticmethod
    def send(node: Node, *message_ids: str) -> None:
        for message_id in message_ids:
            node.store.send(message_to(node.group_id, message_id))

    @staticmethod
    def received(node: Node) -> list[str]:
        return [message.message_id for message in node.store.receive(node.lease)]

    @staticmethod
    def state(node: Node, message_id: str) -> tuple[MessageState, str]:
        message: Message | None = node.store.message(node.group_id, message_id)
        assert message is not None
        return message.state, message.outcome
