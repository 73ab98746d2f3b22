"""Steps (b) and (c) of a start: the owner finds what is given, and says when its first commit is written."""

from __future__ import annotations

import pytest
from attrs import evolve

from maestro_flow.model.commit import Outcome, StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, entry_of
from maestro_flow.storage.protocol import Storage

__all__ = ["Given"]


class Given(Concern):
    """What is given is found by group, so a crash after (a) leaves no orphan (PROTOCOL 18)."""

    @pytest.fixture
    def shelf(self, store: Storage) -> Storage:
        """The store, with the workflow w."""
        store.push("w", b"1")
        return store

    def test_what_is_given_is_found_by_group_oldest_first(self, shelf: Storage) -> None:
        """PROTOCOL 18: in the order of the starts, also within one moment and beyond number 9."""
        runs = shelf.start([StartRequest("w", f"r{number}", number % 2) for number in range(24)])
        assert shelf.given(1) == [evolve(run, fresh=False) for run in runs if run.group_id == 1]
        assert shelf.given(2) == []

    def test_no_more_is_returned_than_asked_for(self, shelf: Storage) -> None:
        """PROTOCOL 18: taken ones make room for the next."""
        shelf.start([StartRequest("w", f"r{number}", 0) for number in range(5)])
        first = [run.flow_id for run in shelf.given(0, limit=2)]
        shelf.taken(first)
        assert first + [run.flow_id for run in shelf.given(0, limit=9)] == [f"w/{n}/1" for n in range(1, 6)]

    def test_a_run_stays_given_until_it_is_marked_even_when_its_first_commit_is_written(
        self, shelf: Storage, node: Node
    ) -> None:
        """PROTOCOL 18: a crash between the commit and the mark leads to a second look, never to a lost run."""
        (run,) = shelf.start([StartRequest("w", "r1", node.group_id)])
        assert node.commit(node.write(run.flow_id, 1)) == [Outcome.DONE]
        assert [given.flow_id for given in shelf.given(node.group_id)] == [run.flow_id]

    def test_marking_as_taken_may_be_repeated(self, shelf: Storage) -> None:
        """PROTOCOL 6."""
        shelf.start([StartRequest("w", "r1", 0)])
        for _ in range(2):
            shelf.taken(["w/1/1", "w/9/1", "w/1/1"])
            assert shelf.given(0) == []

    def test_a_request_that_was_taken_is_not_given_again(self, shelf: Storage) -> None:
        """PROTOCOL 18: a late duplicate of the request finds its run and starts nothing."""
        shelf.start([StartRequest("w", "r1", 0)])
        shelf.taken(["w/1/1"])
        (again,) = shelf.start([StartRequest("w", "r1", 0)])
        assert (again.flow_id, again.fresh) == ("w/1/1", False)
        assert shelf.given(0) == []

    def test_the_first_commit_gives_a_run_its_entry(self, shelf: Storage, node: Node) -> None:
        """PROTOCOL 18."""
        (run,) = shelf.start([StartRequest("w", "r1", node.group_id)])
        node.commit(node.write(run.flow_id, 1))
        assert shelf.run(run.flow_id) == entry_of(run.flow_id, node.group_id, RunStatus.IN_PROGRESS)
        assert [flow.entry.flow_id for flow in shelf.load_flows(node.group_id)] == [run.flow_id]
