"""Runs that a step of another run has started: they are listed by that step, and hide no others."""

from __future__ import annotations

import pytest
from attrs import evolve

from maestro_flow.errors import Conflict
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, entry_of
from maestro_flow.storage.protocol import RunQuery

__all__ = ["Children"]

CALL, LOOP = "etl/7/2/call", "etl/7/2/each_day"


class Children(Concern):
    """The parent is a part of the start and of the entry (PROTOCOL 18), and the index is kept by it, too."""

    @pytest.fixture
    def family(self, node: Node) -> Node:
        """The node, with a run of etl that has a loop of three iterations and has called the workflow sub twice; sub
        was also started by a user."""
        store = node.store
        store.push("sub", b"{}")
        node.commit(node.write("etl/7/2", 1))
        for number in (1, 2, 3):
            status = RunStatus.FAILED if number == 2 else RunStatus.IN_PROGRESS
            node.commit(node.write(f"{LOOP}/{number}/1", 1, status=status, blocking=number == 2))
        group_id = node.group_id
        store.start([StartRequest("sub", "r1", group_id)])
        store.start([StartRequest("sub", f"r{number}", group_id, parent=CALL) for number in (2, 3)])
        node.commit(node.write("sub/2/1", 1, parent=CALL))
        return node

    def test_a_run_knows_the_step_that_started_it(self, family: Node) -> None:
        """PROTOCOL 18: before its first commit, and after it."""
        assert [run.parent for run in family.store.pending_starts(family.group_id)] == ["", CALL, CALL]
        parents = {
            flow_id: entry.parent
            for flow_id in ("etl/7/2", f"{LOOP}/1/1", "sub/1/1", "sub/2/1", "sub/3/1")
            if (entry := family.store.run(flow_id))
        }
        assert parents == {"etl/7/2": "", f"{LOOP}/1/1": LOOP, "sub/1/1": "", "sub/2/1": CALL, "sub/3/1": CALL}

    def test_the_same_request_of_another_step_is_a_conflict(self, family: Node) -> None:
        """PROTOCOL 18: an id stands for one start."""
        request = StartRequest("sub", "r2", family.group_id, parent=CALL)
        assert family.store.start([request])[0].flow_id == "sub/2/1"
        for parent in ("", LOOP):
            with pytest.raises(Conflict, match="another step"):
                family.store.start([evolve(request, parent=parent)])

    def test_a_restart_has_the_parent_that_it_is_given(self, family: Node) -> None:
        """PROTOCOL 18."""
        request = StartRequest("sub", "again", family.group_id, after=(2, 1), parent=CALL)
        assert [run.parent for run in family.store.start([request])] == [CALL]
        assert _listed(family, RunQuery(parent=CALL, instance_id=2)) == ["sub/2/2", "sub/2/1"]

    def test_the_list_of_all_runs_has_those_that_no_step_started(self, family: Node) -> None:
        """PROTOCOL 2: ten thousand iterations hide none of them."""
        assert set(_listed(family, RunQuery())) == {"etl/7/2", "sub/1/1"}
        assert _listed(family, RunQuery(instance_id=1)) == ["sub/1/1"]
        assert _listed(family, RunQuery(instance_id=3)) == []
        assert _listed(family, RunQuery(statuses=frozenset({RunStatus.FAILED}))) == []
        assert _listed(family, RunQuery(blocking=True)) == []

    def test_the_list_of_a_workflow_has_its_runs_whoever_started_them(self, family: Node) -> None:
        """PROTOCOL 2: the workflow of a loop's iterations is their step."""
        assert set(_listed(family, RunQuery(workflow_id="sub"))) == {"sub/1/1", "sub/2/1", "sub/3/1"}
        assert _listed(family, RunQuery(workflow_id=LOOP)) == [f"{LOOP}/{number}/1" for number in (3, 2, 1)]
        assert _listed(family, RunQuery(workflow_id=LOOP, instance_id=2)) == [f"{LOOP}/2/1"]
        assert _listed(family, RunQuery(workflow_id=LOOP, blocking=True)) == [f"{LOOP}/2/1"]
        assert _listed(family, RunQuery(workflow_id="etl")) == ["etl/7/2"]

    def test_the_list_of_a_step_has_the_runs_that_it_started(self, family: Node) -> None:
        """PROTOCOL 2: whatever their workflow; filtered as any other list."""
        assert set(_listed(family, RunQuery(parent=CALL))) == {"sub/2/1", "sub/3/1"}
        assert _listed(family, RunQuery(parent=CALL, instance_id=3)) == ["sub/3/1"]
        created = frozenset({RunStatus.CREATED})
        assert _listed(family, RunQuery(parent=CALL, statuses=created)) == ["sub/3/1"]
        assert _listed(family, RunQuery(parent=CALL, instance_id=2, statuses=created)) == []
        assert _listed(family, RunQuery(parent=LOOP, limit=2)) == [f"{LOOP}/3/1", f"{LOOP}/2/1"]
        assert _listed(family, RunQuery(parent=LOOP, blocking=True)) == [f"{LOOP}/2/1"]
        assert _listed(family, RunQuery(parent="etl/7/2/nowhere")) == []

    def test_the_list_of_a_step_may_be_of_one_workflow_alone(self, family: Node) -> None:
        """PROTOCOL 2."""
        assert set(_listed(family, RunQuery(parent=CALL, workflow_id="sub"))) == {"sub/2/1", "sub/3/1"}
        assert _listed(family, RunQuery(parent=CALL, workflow_id="etl")) == []
        assert _listed(family, RunQuery(parent=LOOP, workflow_id="sub")) == []
        assert len(_listed(family, RunQuery(parent=LOOP, workflow_id=LOOP))) == 3

    @pytest.mark.parametrize("limit", [1, 2, 100])
    def test_pages_of_children_follow_each_other(self, family: Node, limit: int) -> None:
        """PROTOCOL 2."""
        listed = []
        query = RunQuery(parent=LOOP, limit=limit)
        while page := family.store.list_runs(query):
            listed += page
            query = evolve(query, before=(page[-1].created_at, page[-1].flow_id))
        assert [entry.instance_id for entry in listed] == [3, 2, 1]

    def test_a_child_is_loaded_as_any_other_flow(self, family: Node) -> None:
        """PROTOCOL 10."""
        flows = family.store.load_flows(family.group_id)
        assert [flow.entry.flow_id for flow in flows] == ["etl/7/2", f"{LOOP}/1/1", f"{LOOP}/3/1", "sub/2/1"]

    def test_a_child_that_ends_is_listed_as_ended(self, family: Node) -> None:
        """PROTOCOL 2: it leaves the place where it was."""
        family.commit(family.write(f"{LOOP}/1/1", 2, status=RunStatus.SUCCEEDED))
        assert _listed(family, RunQuery(parent=LOOP, statuses=frozenset({RunStatus.SUCCEEDED}))) == [f"{LOOP}/1/1"]
        active = RunQuery(parent=LOOP, statuses=frozenset({RunStatus.IN_PROGRESS}))
        assert _listed(family, active) == [f"{LOOP}/3/1"]
        assert family.store.run(f"{LOOP}/1/1") == entry_of(f"{LOOP}/1/1", family.group_id, RunStatus.SUCCEEDED)


def _listed(node: Node, query: RunQuery) -> list[str]:
    return [entry.flow_id for entry in node.store.list_runs(query)]
