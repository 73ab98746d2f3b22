"""A commit is written as a whole or not at all; a batch promises nothing more."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Commit, Outcome, Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to

__all__ = ["Atomicity"]


class Atomicity(Concern):
    """Atomicity is per commit (PROTOCOL 2, 8)."""

    def test_record_entry_settlement_and_message_are_written_together(self, node: Node) -> None:
        """PROTOCOL 2."""
        node.store.send(message_to(node.group_id, "m1"))
        commit = node.write(
            "w/1/1", 1, settles=(Settlement("m1", "applied"),), sends=(message_to(node.group_id, "m2"),)
        )
        assert node.commit(commit) == [Outcome.DONE]
        assert self.traces(node, "w/1/1") == (1, RunStatus.IN_PROGRESS, "applied", message_to(node.group_id, "m2"))

    def test_a_later_revision_carries_messages_as_the_first_one_does(self, node: Node) -> None:
        """PROTOCOL 2."""
        node.store.send(message_to(node.group_id, "m1"))
        node.commit(node.write("w/1/1", 1))
        node.commit(node.write("w/1/1", 2, settles=(Settlement("m1", "applied"),)))
        node.commit(node.write("w/1/1", 3, sends=(message_to(node.group_id, "m2"),)))
        assert self.traces(node, "w/1/1") == (3, RunStatus.IN_PROGRESS, "applied", message_to(node.group_id, "m2"))

    def test_a_settlement_that_conflicts_undoes_the_whole_commit(self, node: Node) -> None:
        """PROTOCOL 8, 16."""
        node.store.send(message_to(node.group_id, "m1"))
        node.commit(node.settle("m1", "refused"))
        commit = node.write(
            "w/1/1", 1, settles=(Settlement("m1", "applied"),), sends=(message_to(node.group_id, "m2"),)
        )
        assert node.commit(commit) == [Outcome.CONFLICT]
        assert self.traces(node, "w/1/1") == (0, None, "refused", None)

    def test_a_message_that_conflicts_undoes_the_whole_commit(self, node: Node) -> None:
        """PROTOCOL 8, 16."""
        for message_id in ("m1", "m2"):
            node.store.send(message_to(node.group_id, message_id))
        other = message_to(node.group_id, "m2", body=b'{"other":1}')
        commit = node.write("w/1/1", 1, settles=(Settlement("m1", "applied"),), sends=(other,))
        assert node.commit(commit) == [Outcome.CONFLICT]
        assert self.traces(node, "w/1/1") == (0, None, "", message_to(node.group_id, "m2"))

    def test_settling_a_message_that_does_not_exist_undoes_the_whole_commit(self, node: Node) -> None:
        """PROTOCOL 5, 8."""
        commit = node.write(
            "w/1/1", 1, settles=(Settlement("m1", "applied"),), sends=(message_to(node.group_id, "m2"),)
        )
        assert node.commit(commit) == [Outcome.INVALID]
        assert node.store.read_flow("w/1/1") == []
        assert node.store.message(node.group_id, "m2") is None

    def test_what_is_invalid_is_not_called_a_conflict(self, node: Node) -> None:
        """PROTOCOL 5: after a conflict one may decide again; an invalid commit is a bug."""
        node.store.send(message_to(node.group_id, "m1"))
        node.commit(node.settle("m1", "refused"))
        for revision, message_id in ((2, "m1"), (1, "m1"), (2, "m2")):
            settles = (Settlement("nothing", ""), Settlement(message_id, "applied"))
            assert node.commit(node.write("w/1/1", revision, settles=settles)) == [Outcome.INVALID]

    def test_two_outcomes_or_two_bodies_for_one_message_in_one_commit_are_invalid(self, node: Node) -> None:
        """PROTOCOL 5, 16."""
        node.store.send(message_to(node.group_id, "m1"))
        outcomes = Commit(node.lease, settles=(Settlement("m1", "applied"), Settlement("m1", "refused")))
        bodies = Commit(node.lease, sends=(message_to(node.group_id, "m2"), message_to(node.group_id, "m2", body=b"")))
        assert node.commit(outcomes, bodies) == [Outcome.INVALID] * 2
        assert node.store.message(node.group_id, "m2") is None

    def test_a_conflicting_revision_leaves_the_message_unsettled(self, node: Node) -> None:
        """PROTOCOL 2, 4: the outcome of a message and its effect are atomic."""
        node.store.send(message_to(node.group_id, "m1"))
        commit = node.write("w/1/1", 2, settles=(Settlement("m1", "applied"),))
        assert node.commit(commit) == [Outcome.CONFLICT]
        assert [message.message_id for message in node.store.receive(node.lease)] == ["m1"]

    def test_refused_commits_do_not_touch_the_others_of_their_batch(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 8: a batch over many flows and groups is an optimisation."""
        node.claim()
        lost, mine = node.leases
        clock.advance(LEASE_S)
        node.store.renew(node.owner, [mine], lease_s=LEASE_S)
        rival.claim(node.store.group_count)
        batch = [
            node.write("w/1/1", 1, lease=lost),
            node.write("w/2/1", 1, lease=mine),
            node.write("w/3/1", 2, lease=mine),
            node.write("w/4/1", 1, lease=mine, settles=(Settlement("nothing", ""),)),
            node.write("w/5/1", 1, lease=mine),
        ]
        assert node.commit(*batch) == [
            Outcome.OWNERSHIP_LOST,
            Outcome.DONE,
            Outcome.CONFLICT,
            Outcome.INVALID,
            Outcome.DONE,
        ]
        assert [record.flow_id for record in node.store.read_log(mine.group_id)] == ["w/2/1", "w/5/1"]

    def test_a_batch_over_several_groups_is_written(self, node: Node) -> None:
        """PROTOCOL 8."""
        node.claim(3)
        batch = [node.write(f"w/{number}/1", 1, lease=lease) for number, lease in enumerate(node.leases, 1)]
        assert node.commit(*batch) == [Outcome.DONE] * 4
        assert all(len(node.store.read_log(lease.group_id)) == 1 for lease in node.leases)

    def test_a_message_is_sent_and_settled_by_two_commits_of_one_batch(self, node: Node) -> None:
        """PROTOCOL 8: each commit sees what the ones before it have done."""
        sent = Commit(node.lease, sends=(message_to(node.group_id, "m1"),))
        assert node.commit(sent, node.settle("m1")) == [Outcome.DONE, Outcome.DONE]
        assert node.store.receive(node.lease) == []

    @staticmethod
    def traces(node: Node, flow_id: str) -> tuple[int, RunStatus | None, str, Message | None]:
        """What a commit has left behind: records, entry, outcome of m1, message m2."""
        entry, settled = node.store.run(flow_id), node.store.message(node.group_id, "m1")
        assert settled is not None
        records = node.store.read_flow(flow_id)
        status = None if entry is None else entry.status
        return len(records), status, settled.outcome, node.store.message(node.group_id, "m2")
