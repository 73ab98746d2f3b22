"""One flow, one revision after another."""

from __future__ import annotations

import pytest
from attrs import evolve

from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.log import LogRecord
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, entry_of, message_to

__all__ = ["Commits"]


class Commits(Concern):
    """(flow, revision) is unique, and revision - 1 must exist (PROTOCOL 4, 5)."""

    def test_a_commit_is_read_back_as_it_was_written_with_its_fence(self, node: Node) -> None:
        """PROTOCOL 2: the log records the lease under which each record was written."""
        commit = node.write("w/1/1", 1)
        assert node.commit(commit) == [Outcome.DONE]
        flow, lease = commit.flow, commit.lease
        assert flow is not None
        expected = LogRecord(
            flow_id="w/1/1",
            revision=1,
            group_id=lease.group_id,
            generation=lease.generation,
            owner_id=lease.owner_id,
            position=flow.position,
            commit_id=flow.commit_id,
            at=flow.at,
            schema_version=flow.schema_version,
            events=flow.events,
        )
        assert node.store.read_flow("w/1/1") == [expected]
        assert node.store.read_log(node.group_id) == [expected]

    @pytest.mark.parametrize("events", [b"[]", '["Grüße \u0000 \U0001f600"]'.encode(), b'["%s"]' % (b"x" * 300_000)])
    def test_events_come_back_byte_for_byte(self, node: Node, events: bytes) -> None:
        """PROTOCOL 27: the store does not interpret what it keeps."""
        commit = node.write("w/1/1", 1)
        assert commit.flow is not None
        node.commit(evolve(commit, flow=evolve(commit.flow, events=events, schema_version=7)))
        (record,) = node.store.read_flow("w/1/1")
        assert (record.events, record.schema_version) == (events, 7)

    def test_revisions_follow_each_other(self, node: Node) -> None:
        """PROTOCOL 4."""
        for revision in (1, 2, 3):
            assert node.commit(node.write("w/1/1", revision)) == [Outcome.DONE]
        assert [record.revision for record in node.store.read_flow("w/1/1")] == [1, 2, 3]

    def test_a_revision_cannot_be_skipped(self, node: Node) -> None:
        """PROTOCOL 4."""
        node.commit(node.write("w/1/1", 1))
        assert node.commit(node.write("w/1/1", 3)) == [Outcome.CONFLICT]
        assert node.commit(node.write("w/2/1", 2)) == [Outcome.CONFLICT]
        assert [record.revision for record in node.store.read_flow("w/1/1")] == [1]
        assert node.store.read_flow("w/2/1") == []

    def test_a_revision_is_written_once(self, node: Node) -> None:
        """PROTOCOL 4: two commits that were decided on the same state exclude each other."""
        first, second = node.write("w/1/1", 1), node.write("w/1/1", 1)
        assert node.commit(first) == [Outcome.DONE]
        assert node.commit(second) == [Outcome.CONFLICT]
        assert [record.commit_id for record in node.store.read_flow("w/1/1")] == [_id_of(first)]

    def test_two_commits_for_one_revision_in_one_batch_exclude_each_other(self, node: Node) -> None:
        """PROTOCOL 4, 5: judging the second one sees the row that the first one inserts."""
        assert node.commit(node.write("w/1/1", 1), node.write("w/1/1", 1)) == [Outcome.DONE, Outcome.CONFLICT]

    def test_several_revisions_of_a_flow_in_one_batch_are_judged_in_order(self, node: Node) -> None:
        """PROTOCOL 4, 9: a large decision is several commits."""
        assert node.commit(*(node.write("w/1/1", revision) for revision in (1, 2, 3))) == [Outcome.DONE] * 3
        assert [record.revision for record in node.store.read_flow("w/1/1")] == [1, 2, 3]

    def test_what_follows_a_conflict_in_its_batch_is_not_written_either(self, node: Node) -> None:
        """PROTOCOL 4 (seen on a real store): a batch with 1 conflicting, 2 and 4 was written as 2 and 4."""
        node.commit(node.write("w/1/1", 1))
        batch = [node.write("w/1/1", 1), node.write("w/1/1", 2), node.write("w/1/1", 4)]
        assert node.commit(*batch) == [Outcome.CONFLICT] * 3
        assert [record.revision for record in node.store.read_flow("w/1/1")] == [1]

    def test_a_gap_inside_a_batch_ends_the_flow_there(self, node: Node) -> None:
        """PROTOCOL 4."""
        batch = [node.write("w/1/1", revision) for revision in (1, 2, 4, 5)]
        assert node.commit(*batch) == [Outcome.DONE, Outcome.DONE, Outcome.CONFLICT, Outcome.CONFLICT]

    def test_a_conflict_of_one_flow_does_not_touch_another(self, node: Node) -> None:
        """PROTOCOL 8."""
        batch = [node.write("w/1/1", 2), node.write("w/2/1", 1)]
        assert node.commit(*batch) == [Outcome.CONFLICT, Outcome.DONE]

    def test_an_empty_batch_has_no_outcomes(self, node: Node) -> None:
        """PROTOCOL 5: one outcome per commit."""
        assert node.commit() == []

    def test_a_commit_that_contradicts_itself_is_invalid(self, node: Node) -> None:
        """PROTOCOL 5; a first revision without an entry would never be found by a takeover (PROTOCOL 10)."""
        other_group = (node.group_id + 1) % node.store.group_count
        good = node.write("w/1/1", 1)
        assert good.flow is not None
        contradictions = [
            evolve(good, flow=evolve(good.flow, revision=0)),
            evolve(good, flow=evolve(good.flow, entry=None)),
            evolve(good, flow=evolve(good.flow, entry=entry_of("w/2/1", node.group_id))),
            evolve(good, flow=evolve(good.flow, entry=entry_of("w/1/1", other_group))),
            evolve(good, sends=(message_to(other_group),)),
            Commit(node.lease, sends=(message_to(other_group),)),
            Commit(node.lease, sends=(message_to(node.group_id, destination=node.store.group_count),)),
            Commit(node.lease, sends=(message_to(node.group_id, destination=-1),)),
        ]
        for contradiction in contradictions:
            assert node.commit(contradiction) == [Outcome.INVALID], contradiction
        assert node.store.read_log(node.group_id) == []
        assert node.store.message(other_group, "m1") is None

    def test_a_flow_does_not_move_to_another_group(self, node: Node, rival: Node) -> None:
        """PROTOCOL 19: placement is decided once. (A store that separates groups cannot tell it from a gap.)"""
        node.commit(node.write("w/1/1", 1))
        rival.claim()
        rival.commit(rival.write("w/2/1", 1))
        (outcome,) = rival.commit(rival.write("w/1/1", 2))
        assert outcome in (Outcome.INVALID, Outcome.CONFLICT)
        assert [record.group_id for record in node.store.read_flow("w/1/1")] == [node.group_id]

    def test_the_entry_is_the_one_of_the_last_commit_that_carried_one(self, node: Node) -> None:
        """PROTOCOL 2."""
        node.commit(node.write("w/1/1", 1), node.write("w/1/1", 2, status=RunStatus.FAILED), node.write("w/1/1", 3))
        assert node.store.run("w/1/1") == entry_of("w/1/1", node.group_id, RunStatus.FAILED)

    def test_a_flow_that_has_ended_takes_further_revisions(self, node: Node) -> None:
        """PROTOCOL 4, 10: alone or with messages, with its entry or without; no takeover loads it because of that."""
        ended = [status for status in RunStatus if status.is_terminal]
        for number, status in enumerate(ended, 1):
            flow_id = f"w/{number}/1"
            node.commit(node.write(flow_id, 1), node.write(flow_id, 2, status=status))
            assert node.commit(node.write(flow_id, 3, status=status)) == [Outcome.DONE]
            assert node.commit(node.write(flow_id, 4)) == [Outcome.DONE]
            sends = (message_to(node.group_id, flow_id),)
            assert node.commit(node.write(flow_id, 5, status=status, sends=sends)) == [Outcome.DONE]
            assert node.commit(node.write(flow_id, 5, status=status)) == [Outcome.CONFLICT]
            assert node.store.run(flow_id) == entry_of(flow_id, node.group_id, status)
            assert [record.revision for record in node.store.read_flow(flow_id)] == [1, 2, 3, 4, 5]
        assert node.store.load_flows(node.group_id) == []


def _id_of(commit: Commit) -> str:
    assert commit.flow is not None
    return commit.flow.commit_id
