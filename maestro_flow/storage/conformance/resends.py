"""Resending the identical batch: how an unknown outcome becomes definite."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Commit, Outcome, Settlement
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to

__all__ = ["Resends"]


class Resends(Concern):
    """An unknown outcome is resolved by resending the identical batch until every outcome is definite (PROTOCOL 6)."""

    def test_the_identical_batch_again_is_already_applied_and_writes_nothing(self, node: Node) -> None:
        """PROTOCOL 5, 6."""
        node.store.send(message_to(node.group_id, "m1"))
        batch = [
            node.write("w/1/1", 1, settles=(Settlement("m1", "applied"),), sends=(message_to(node.group_id, "m2"),)),
            node.write("w/1/1", 2),
            node.write("w/2/1", 1),
        ]
        assert node.commit(*batch) == [Outcome.DONE] * 3
        written = node.store.read_log(node.group_id)
        assert node.commit(*batch) == [Outcome.ALREADY_APPLIED] * 3
        assert node.store.read_log(node.group_id) == written
        assert [message.message_id for message in node.store.receive(node.lease)] == ["m2"]

    def test_a_partly_applied_batch_is_completed(self, node: Node) -> None:
        """PROTOCOL 6, 8: a batch may have been cut off between two commits."""
        batch = [node.write("w/1/1", 1), node.write("w/2/1", 1), node.write("w/1/1", 2)]
        node.commit(batch[0])
        assert node.commit(*batch) == [Outcome.ALREADY_APPLIED, Outcome.DONE, Outcome.DONE]

    def test_a_commit_twice_in_one_batch_is_applied_once(self, node: Node) -> None:
        """PROTOCOL 5."""
        commit = node.write("w/1/1", 1)
        assert node.commit(commit, commit) == [Outcome.DONE, Outcome.ALREADY_APPLIED]

    def test_what_was_applied_stays_applied_when_the_lease_is_lost(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 6: the answer was lost, then the group; the commit still took effect."""
        batch = [node.write("w/1/1", 1), node.write("w/2/1", 1)]
        node.commit(batch[0])
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        assert node.commit(*batch) == [Outcome.ALREADY_APPLIED, Outcome.OWNERSHIP_LOST]

    def test_what_was_applied_stays_applied_when_the_flow_has_advanced(self, node: Node) -> None:
        """PROTOCOL 6: a late copy of a batch finds its own row."""
        first = node.write("w/1/1", 1)
        node.commit(first, node.write("w/1/1", 2))
        assert node.commit(first) == [Outcome.ALREADY_APPLIED]

    def test_a_refused_commit_is_refused_again(self, node: Node) -> None:
        """PROTOCOL 6: every outcome is definite."""
        gap = node.write("w/1/1", 2)
        assert node.commit(gap) == node.commit(gap) == [Outcome.CONFLICT]

    def test_settlements_without_a_flow_are_recognised_by_their_outcomes(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 5: without a flow there is no commit id, but the outcomes are there."""
        node.store.send(message_to(node.group_id, "m1"))
        settle = Commit(node.lease, settles=(Settlement("m1", "applied"),), sends=(message_to(node.group_id, "m2"),))
        assert node.commit(settle) == [Outcome.DONE]
        assert node.commit(settle) == [Outcome.ALREADY_APPLIED]
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        assert node.commit(settle) == [Outcome.ALREADY_APPLIED]

    def test_a_commit_that_leaves_nothing_is_done_each_time(self, node: Node) -> None:
        """PROTOCOL 5: it cannot be distinguished from one that was never sent."""
        nothing = Commit(node.lease)
        assert node.commit(nothing, nothing) == node.commit(nothing, nothing) == [Outcome.DONE] * 2

    def test_partly_applied_settlements_are_completed(self, node: Node) -> None:
        """PROTOCOL 5, 6."""
        for message_id in ("m1", "m2"):
            node.store.send(message_to(node.group_id, message_id))
        assert node.commit(node.settle("m1")) == [Outcome.DONE]
        both = Commit(node.lease, settles=(Settlement("m1", "applied"), Settlement("m2", "applied")))
        assert node.commit(both) == [Outcome.DONE]
        assert node.store.receive(node.lease) == []
