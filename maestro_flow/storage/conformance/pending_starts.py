"""Steps (b) and (c) of a start: the owner finds what is given, and says when its first commit is written."""

from __future__ import annotations

import pytest
from attrs import evolve

from maestro_flow.model.commit import Outcome
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, entry_of
from maestro_flow.storage.protocol import Storage

__all__ = ["PendingStarts"]


class PendingStarts(Concern):
    """What is given is found by group, so a crash after (a) leaves no orphan (PROTOCOL 18)."""

    @pytest.fixture
    def shelf(self, store: Storage) -> Storage:
        """The store, with the workflow w."""
        store.push("w", b"1")
        return store

    def test_what_is_given_is_found_by_group_oldest_first(self, shelf: Storage) -> None:
        """PROTOCOL 18: in the order of the starts, also within one moment and beyond number 9."""
        runs = shelf.start([StartRequest("w", f"r{number}", number % 2) for number in range(24)])
        assert shelf.pending_starts(1) == [evolve(run, fresh=False) for run in runs if run.group_id == 1]
        assert shelf.pending_starts(2) == []

    def test_no_more_is_returned_than_asked_for(self, shelf: Storage) -> None:
        """PROTOCOL 18: taken ones make room for the next."""
        shelf.start([StartRequest("w", f"r{number}", 0) for number in range(5)])
        first = [run.flow_id for run in shelf.pending_starts(0, limit=2)]
        shelf.acknowledge_starts(first)
        assert first + [run.flow_id for run in shelf.pending_starts(0, limit=9)] == [f"w/{n}/1" for n in range(1, 6)]

    def test_what_is_given_is_read_in_pages(self, shelf: Storage) -> None:
        """PROTOCOL 18: whatever is not taken, the runs behind it are found."""
        shelf.start([StartRequest("w", f"r{number}", number % 2) for number in range(14)])
        shelf.acknowledge_starts(["w/5/1"])
        expected = [f"w/{number}/1" for number in (1, 3, 7, 9, 11, 13)]
        for limit in (1, 2, 4, 9):
            found, after = [], 0
            while page := shelf.pending_starts(0, after=after, limit=limit):
                assert len(page) <= limit
                found += [run.flow_id for run in page]
                after = page[-1].sequence
            assert found == expected

    def test_a_page_goes_on_behind_a_run_that_was_taken_meanwhile(self, shelf: Storage) -> None:
        """PROTOCOL 18: in the order of the starts, of which later ones come last."""
        shelf.start([StartRequest("w", f"r{number}", 0) for number in range(3)])
        (first,) = shelf.pending_starts(0, limit=1)
        shelf.acknowledge_starts([first.flow_id, "w/2/1"])
        shelf.start([StartRequest("w", "r9", 0)])
        assert [run.flow_id for run in shelf.pending_starts(0, after=first.sequence)] == ["w/3/1", "w/4/1"]

    def test_a_run_stays_given_until_it_is_marked_even_when_its_first_commit_is_written(
        self, shelf: Storage, node: Node
    ) -> None:
        """PROTOCOL 18: a crash between the commit and the mark leads to a second look, never to a lost run."""
        (run,) = shelf.start([StartRequest("w", "r1", node.group_id)])
        assert node.commit(node.write(run.flow_id, 1)) == [Outcome.DONE]
        assert [given.flow_id for given in shelf.pending_starts(node.group_id)] == [run.flow_id]

    def test_marking_as_taken_may_be_repeated(self, shelf: Storage) -> None:
        """PROTOCOL 6."""
        shelf.start([StartRequest("w", "r1", 0)])
        for _ in range(2):
            shelf.acknowledge_starts(["w/1/1", "w/9/1", "w/1/1"])
            assert shelf.pending_starts(0) == []

    def test_a_request_that_was_taken_is_not_given_again(self, shelf: Storage) -> None:
        """PROTOCOL 18: a late duplicate of the request finds its run and starts nothing."""
        shelf.start([StartRequest("w", "r1", 0)])
        shelf.acknowledge_starts(["w/1/1"])
        (again,) = shelf.start([StartRequest("w", "r1", 0)])
        assert (again.flow_id, again.fresh) == ("w/1/1", False)
        assert shelf.pending_starts(0) == []

    def test_the_first_commit_gives_a_run_its_entry(self, shelf: Storage, node: Node) -> None:
        """PROTOCOL 18."""
        (run,) = shelf.start([StartRequest("w", "r1", node.group_id)])
        node.commit(node.write(run.flow_id, 1))
        assert shelf.run(run.flow_id) == entry_of(run.flow_id, node.group_id, RunStatus.IN_PROGRESS)
        assert [flow.entry.flow_id for flow in shelf.load_flows(node.group_id)] == [run.flow_id]
