"""What a new owner finds."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.protocol import Storage

__all__ = ["Takeover"]


class Takeover(Concern):
    """Claim, then read the last position, load the live flows, only then receive (PROTOCOL 10)."""

    def test_a_new_owner_loads_every_live_flow_with_all_its_records(
        self, clock: ManualClock, node: Node, rival: Node
    ) -> None:
        """PROTOCOL 10: once a claim has returned, everything that the old owner committed is visible."""
        node.commit(node.write("w/1/1", 1), node.write("w/2/1", 1), node.write("w/1/1", 2))
        clock.advance(LEASE_S)
        rival.claim(node.store.group_count)
        flows = rival.store.load_flows(node.group_id)
        assert [(flow.entry.flow_id, len(flow.records)) for flow in flows] == [("w/1/1", 2), ("w/2/1", 1)]
        assert [list(flow.records) for flow in flows] == [node.store.read_flow(f) for f in ("w/1/1", "w/2/1")]

    def test_flows_are_loaded_in_pages_by_flow_id(self, node: Node) -> None:
        """PROTOCOL 10: with a hundred thousand flows, loading is many calls."""
        node.commit(*(node.write(f"w/{number}/1", 1) for number in range(25)))
        loaded: list[str] = []
        while page := node.store.load_flows(node.group_id, after=loaded[-1] if loaded else "", limit=10):
            assert len(page) <= 10
            loaded += [flow.entry.flow_id for flow in page]
        assert loaded == sorted(f"w/{number}/1" for number in range(25))

    def test_a_flow_that_has_ended_is_not_loaded(self, node: Node) -> None:
        """PROTOCOL 10: only live flows cost anything."""
        ended = [status for status in RunStatus if status.is_terminal]
        node.commit(*(node.write(f"w/{number}/1", 1) for number in range(len(ended) + 1)))
        node.commit(*(node.write(f"w/{number}/1", 2, status=status) for number, status in enumerate(ended)))
        assert [flow.entry.flow_id for flow in node.store.load_flows(node.group_id)] == [f"w/{len(ended)}/1"]

    def test_a_flow_of_another_group_is_not_loaded(self, node: Node) -> None:
        """PROTOCOL 10, 19."""
        node.claim()
        for number, lease in enumerate(node.leases):
            node.commit(node.write(f"w/{number}/1", 1, lease=lease))
        assert [flow.entry.flow_id for flow in node.store.load_flows(node.leases[1].group_id)] == ["w/1/1"]

    def test_a_run_that_is_only_given_is_not_loaded(self, store: Storage) -> None:
        """PROTOCOL 18: it has no log yet, and is found by ``pending_starts``."""
        store.push("w", b"{}")
        store.start([StartRequest("w", "r1", 0)])
        assert store.load_flows(0) == []

    def test_a_flow_is_read_after_a_revision(self, node: Node) -> None:
        """PROTOCOL 6: nothing depends on it; it serves to show a run."""
        node.commit(*(node.write("w/1/1", revision) for revision in (1, 2, 3)))
        assert [record.revision for record in node.store.read_flow("w/1/1", after_revision=1)] == [2, 3]
        assert node.store.read_flow("w/1/1", after_revision=3) == []
        assert node.store.read_flow("w/9/1") == []
