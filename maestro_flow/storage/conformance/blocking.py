"""Failed runs that block their workflow."""

from __future__ import annotations

import pytest

from maestro_flow.model.commit import Outcome
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node, entry_of
from maestro_flow.storage.protocol import RunQuery

__all__ = ["Blocking"]


class Blocking(Concern):
    """A mark in the index of runs, written with the rest of the entry (PROTOCOL 2)."""

    @pytest.fixture
    def blocked(self, node: Node) -> Node:
        """The node, with runs of v and w in two groups: of each workflow, 1 to 3 failed, 2 and 3 block, 4 is active."""
        node.claim()
        for name, lease in zip(("v", "w"), node.leases, strict=True):
            for number in range(1, 4):
                failed = {"status": RunStatus.FAILED, "blocking": number > 1, "lease": lease}
                node.commit(node.write(f"{name}/{number}/1", 1, lease=lease))
                node.commit(node.write(f"{name}/{number}/1", 2, **failed))  # type: ignore[arg-type] # as they are named
            node.commit(node.write(f"{name}/4/1", 1, lease=lease))
        return node

    def test_an_entry_says_whether_its_run_blocks(self, blocked: Node) -> None:
        """PROTOCOL 2."""
        group_id = blocked.leases[1].group_id
        assert blocked.store.run("w/1/1") == entry_of("w/1/1", group_id, RunStatus.FAILED)
        assert blocked.store.run("w/2/1") == entry_of("w/2/1", group_id, RunStatus.FAILED, blocking=True)

    def test_runs_that_block_are_listed_alone(self, blocked: Node) -> None:
        """PROTOCOL 2: also by workflow, instance and status, and in pages."""
        listed = self.blocking(blocked)
        assert listed == ["w/3/1", "v/3/1", "w/2/1", "v/2/1"]
        assert self.blocking(blocked, workflow_id="w") == ["w/3/1", "w/2/1"]
        assert self.blocking(blocked, workflow_id="w", instance_id=2) == ["w/2/1"]
        assert self.blocking(blocked, instance_id=2) == ["w/2/1", "v/2/1"]
        assert self.blocking(blocked, workflow_id="w", instance_id=1) == []
        failed, running = frozenset({RunStatus.FAILED, RunStatus.STOPPED}), frozenset({RunStatus.IN_PROGRESS})
        assert self.blocking(blocked, statuses=failed) == listed
        assert self.blocking(blocked, workflow_id="w", statuses=running) == []
        assert self.blocking(blocked, workflow_id="w", limit=1) == ["w/3/1"]
        last = entry_of("w/3/1", 0)
        assert self.blocking(blocked, workflow_id="w", before=(last.created_at, "w/3/1")) == ["w/2/1"]

    def test_a_run_that_blocks_is_listed_among_all_others(self, blocked: Node) -> None:
        """PROTOCOL 2: once."""
        entries = blocked.store.list_runs(RunQuery(workflow_id="w", statuses=frozenset({RunStatus.FAILED})))
        assert [(entry.instance_id, entry.blocking) for entry in entries] == [(3, True), (2, True), (1, False)]
        assert len(blocked.store.list_runs(RunQuery())) == 8

    def test_a_later_commit_on_the_ended_flow_unblocks_the_workflow(self, blocked: Node) -> None:
        """PROTOCOL 2, 4: with the same terminal status."""
        lease = blocked.leases[1]
        unblocked = blocked.write("w/2/1", 3, status=RunStatus.FAILED, lease=lease)
        assert blocked.commit(unblocked) == [Outcome.DONE]
        assert self.blocking(blocked, workflow_id="w") == ["w/3/1"]
        assert blocked.store.run("w/2/1") == entry_of("w/2/1", lease.group_id, RunStatus.FAILED)
        assert blocked.commit(blocked.write("w/2/1", 4, lease=lease)) == [Outcome.DONE]
        assert blocked.commit(unblocked) == [Outcome.ALREADY_APPLIED]
        assert self.blocking(blocked, workflow_id="w") == ["w/3/1"]

    def test_a_run_blocks_from_its_first_commit_or_as_one_of_a_batch(self, node: Node) -> None:
        """PROTOCOL 2, 9: whichever way the commit arrives."""
        failed = RunStatus.FAILED
        assert node.commit(node.write("w/1/1", 1, status=failed, blocking=True)) == [Outcome.DONE]
        both = node.write("w/2/1", 1), node.write("w/2/1", 2, status=failed, blocking=True)
        assert node.commit(*both) == [Outcome.DONE] * 2
        assert self.blocking(node) == ["w/2/1", "w/1/1"]

    def test_a_run_that_is_only_given_does_not_block(self, node: Node) -> None:
        """PROTOCOL 18."""
        node.store.push("w", b"{}")
        node.store.start([StartRequest("w", "r1", node.group_id)])
        assert self.blocking(node) == []
        assert self.blocking(node, statuses=frozenset({RunStatus.CREATED})) == []
        node.commit(node.write("w/1/1", 1, status=RunStatus.FAILED, blocking=True))
        assert self.blocking(node) == ["w/1/1"]

    @staticmethod
    def blocking(node: Node, **query: object) -> list[str]:
        entries = node.store.list_runs(RunQuery(blocking=True, **query))  # type: ignore[arg-type] # as they are named
        assert all(entry.blocking is True for entry in entries)
        return [entry.flow_id for entry in entries]
