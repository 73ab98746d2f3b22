"""The run index: entries of all groups, merged."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.model.runs import RunEntry, StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, entry_of
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Runs"]


class Runs(Concern):
    """The index is kept by group and merged for listing (PROTOCOL 2, 18)."""

    @pytest.fixture
    def index(self, node: Node) -> Node:
        """The node, with runs of v and w in two groups, every third of them failed, created in order of instance."""
        node.claim()
        for number in range(1, 7):
            for name, lease in zip(("v", "w"), node.leases, strict=True):
                status = RunStatus.FAILED if number % 3 == 0 else RunStatus.IN_PROGRESS
                node.commit(node.write(f"{name}/{number}/1", 1, status=status, lease=lease))
        return node

    def test_a_run_that_is_only_given_is_created(self, clock: ManualClock, store: Storage) -> None:
        """PROTOCOL 18: the caller has its answer, and sees its run, before the first commit."""
        store.push("w", b"{}")
        store.start([StartRequest("w", "r1", 4)])
        assert store.run("w/1/1") == RunEntry("w/1/1", "w", 1, 1, 1, 4, RunStatus.CREATED, clock.time())
        assert store.list_runs(RunQuery()) == [store.run("w/1/1")]

    def test_a_run_is_shown_as_of_its_last_commit(self, index: Node) -> None:
        """PROTOCOL 2."""
        assert index.store.run("w/3/1") == entry_of("w/3/1", index.leases[1].group_id, RunStatus.FAILED)
        index.commit(index.write("w/1/1", 2, status=RunStatus.SUCCEEDED, lease=index.leases[1]))
        assert index.store.run("w/1/1") == entry_of("w/1/1", index.leases[1].group_id, RunStatus.SUCCEEDED)

    def test_an_unknown_run_is_none(self, index: Node) -> None:
        """PROTOCOL 2."""
        assert index.store.run("w/99/1") is None

    def test_runs_of_all_groups_are_listed_newest_first(self, index: Node) -> None:
        """PROTOCOL 2: by time of creation, then by flow id."""
        expected = [f"{name}/{number}/1" for number in range(6, 0, -1) for name in ("w", "v")]
        assert self.listed(index, RunQuery()) == expected

    @pytest.mark.parametrize("limit", [1, 5, 12, 1000])
    def test_pages_follow_each_other_without_gap_or_repetition(self, index: Node, limit: int) -> None:
        """PROTOCOL 2: also if runs were created at the same time."""
        pages: list[RunEntry] = []
        query = RunQuery(limit=limit)
        while page := index.store.list_runs(query):
            assert len(page) <= limit
            pages += page
            query = RunQuery(limit=limit, before=(page[-1].created_at, page[-1].flow_id))
        assert pages == index.store.list_runs(RunQuery())

    def test_runs_are_filtered_by_workflow_instance_and_status(self, index: Node) -> None:
        """PROTOCOL 2."""
        failed = frozenset({RunStatus.FAILED})
        assert self.listed(index, RunQuery(workflow_id="w", limit=2)) == ["w/6/1", "w/5/1"]
        assert self.listed(index, RunQuery(workflow_id="w", instance_id=3)) == ["w/3/1"]
        assert self.listed(index, RunQuery(instance_id=3)) == ["w/3/1", "v/3/1"]
        assert self.listed(index, RunQuery(statuses=failed)) == ["w/6/1", "v/6/1", "w/3/1", "v/3/1"]
        assert self.listed(index, RunQuery(workflow_id="v", statuses=failed)) == ["v/6/1", "v/3/1"]
        assert self.listed(index, RunQuery(workflow_id="v", instance_id=1, statuses=failed)) == []
        assert self.listed(index, RunQuery(workflow_id="nowhere")) == []

    def test_several_statuses_are_merged_in_order(self, index: Node) -> None:
        """PROTOCOL 2."""
        both = frozenset({RunStatus.FAILED, RunStatus.IN_PROGRESS, RunStatus.STOPPED})
        assert self.listed(index, RunQuery(statuses=both)) == self.listed(index, RunQuery())

    def test_a_page_before_a_cursor_may_be_filtered(self, index: Node) -> None:
        """PROTOCOL 2."""
        place = index.store.list_runs(RunQuery(workflow_id="w", instance_id=3))[0]
        before = (place.created_at, place.flow_id)
        assert self.listed(index, RunQuery(workflow_id="w", before=before)) == ["w/2/1", "w/1/1"]
        assert self.listed(index, RunQuery(before=before, limit=2)) == ["v/3/1", "w/2/1"]
        assert self.listed(index, RunQuery(instance_id=3, before=before)) == ["v/3/1"]

    @staticmethod
    def listed(index: Node, query: RunQuery) -> list[str]:
        return [entry.flow_id for entry in index.store.list_runs(query)]
