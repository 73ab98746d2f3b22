"""What is pruned, what stays, and that no reader misses it without being told."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import LogPruned, NotFound, OwnershipLost, StorageError
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Pruning"]


class Pruning(Concern):
    """Whole finished flows go, and the group knows up to which position (PROTOCOL 28)."""

    @pytest.fixture
    def busy(self, node: Node) -> Node:
        """The node, with w/1/1 finished (positions 1 and 3), w/2/1 active (2, 4), w/3/1 finished (5), and the runs
        that starts have made of v: v/1/1, which has failed and was restarted as v/1/2, which is active."""
        store = node.store
        node.commit(node.write("w/1/1", 1), node.write("w/2/1", 1))
        node.commit(node.write("w/1/1", 2, status=RunStatus.SUCCEEDED), node.write("w/2/1", 2))
        node.commit(node.write("w/3/1", 1, status=RunStatus.FAILED))
        store.push("v", b"{}")
        store.start([StartRequest("v", "r1", node.group_id)])
        node.commit(node.write("v/1/1", 1, status=RunStatus.FAILED))
        store.start([StartRequest("v", "r2", node.group_id, after=(1, 1))])
        node.commit(node.write("v/1/2", 1))
        store.acknowledge_starts(["v/1/1", "v/1/2"])
        return node

    def test_a_finished_flow_is_gone_as_a_whole(self, busy: Node) -> None:
        """PROTOCOL 28: as if it had never been, but for the watermark."""
        store = busy.store
        assert store.prune(busy.lease, ["w/1/1"]) == {"w/1/1"}
        assert (store.run("w/1/1"), store.read_flow("w/1/1")) == (None, [])
        assert "w/1/1" not in [entry.flow_id for entry in store.list_runs(RunQuery())]
        assert store.list_runs(RunQuery(workflow_id="w", statuses=frozenset({RunStatus.SUCCEEDED}))) == []
        log = store.read_log(busy.group_id, accept_gaps=True)
        assert [(record.flow_id, record.position) for record in log][:3] == [("w/2/1", 2), ("w/2/1", 4), ("w/3/1", 5)]
        assert store.pruned_through(busy.group_id) == 3
        assert [flow.entry.flow_id for flow in store.load_flows(busy.group_id)] == ["v/1/2", "w/2/1"]

    def test_what_is_still_needed_stays(self, busy: Node) -> None:
        """PROTOCOL 28: what is active, what blocks, what was restarted, what is pending, what belongs to others."""
        store = busy.store
        busy.commit(busy.write("u/1/1", 1, status=RunStatus.FAILED, blocking=True))
        store.start([StartRequest("v", "r3", busy.group_id)])
        store.start([StartRequest("v", "r4", busy.group_id)])
        busy.commit(busy.write("v/3/1", 1, status=RunStatus.STOPPED))
        (other,) = busy.claim()
        busy.commit(busy.write("t/1/1", 1, status=RunStatus.SUCCEEDED, lease=other))
        kept = ["w/2/1", "v/1/1", "v/1/2", "u/1/1", "v/2/1", "v/3/1", "t/1/1"]
        before = [(store.run(flow_id), store.read_flow(flow_id)) for flow_id in kept]
        assert store.prune(busy.lease, [*kept, "w/3/1"]) == {"w/3/1"}
        assert [(store.run(flow_id), store.read_flow(flow_id)) for flow_id in kept] == before
        assert store.pruned_through(busy.group_id) == 5

    def test_the_runs_of_an_instance_go_in_order_and_only_when_the_latest_has_ended(self, busy: Node) -> None:
        """PROTOCOL 28: a restart reads from what it follows, and a number of a run is never given out again."""
        store = busy.store
        busy.commit(busy.write("v/1/2", 2, status=RunStatus.SUCCEEDED))
        assert store.prune(busy.lease, ["v/1/2"]) == frozenset()
        assert store.prune(busy.lease, ["v/1/1"]) == {"v/1/1"}
        assert store.run("v/1/2") is not None
        (third,) = store.start([StartRequest("v", "r5", busy.group_id, after=(1, 2))])
        assert third.flow_id == "v/1/3"
        assert store.prune(busy.lease, ["v/1/2"]) == frozenset()
        busy.commit(busy.write("v/1/3", 1, status=RunStatus.SUCCEEDED))
        store.acknowledge_starts(["v/1/3"])
        assert store.prune(busy.lease, ["v/1/3", "v/1/2"]) == {"v/1/2", "v/1/3"}

    def test_what_is_gone_cannot_be_restarted_and_its_request_is_a_new_run(self, busy: Node) -> None:
        """PROTOCOL 18, 28: of an instance that is gone no number is given out again."""
        store = busy.store
        busy.commit(busy.write("v/1/2", 2, status=RunStatus.SUCCEEDED))
        assert store.prune(busy.lease, ["v/1/1", "v/1/2"]) == {"v/1/1", "v/1/2"}
        for run_id in (1, 2):
            with pytest.raises(NotFound, match=f"v/1/{run_id}"):
                store.start([StartRequest("v", "again", busy.group_id, after=(1, run_id))])
        (run,) = store.start([StartRequest("v", "r1", busy.group_id)])
        assert (run.flow_id, run.fresh) == ("v/2/1", True)
        assert store.definition("v") is not None
        assert [entry.flow_id for entry in store.list_runs(RunQuery(workflow_id="v"))] == ["v/2/1"]

    def test_pruning_again_has_the_same_answer(self, busy: Node) -> None:
        """PROTOCOL 6: what was gone before, or never there, counts as gone."""
        asked = ["w/1/1", "w/2/1", "w/3/1", "nowhere/1/1"]
        answers = [busy.store.prune(busy.lease, asked) for _ in range(2)]
        assert answers == [{"w/1/1", "w/3/1", "nowhere/1/1"}] * 2
        assert busy.store.prune(busy.lease, []) == frozenset()
        assert busy.store.pruned_through(busy.group_id) == 5

    def test_only_the_owner_prunes(self, clock: ManualClock, busy: Node, rival: Node) -> None:
        """PROTOCOL 3, 28: one that was frozen removes nothing when it wakes."""
        forged = Lease(busy.group_id, busy.lease.generation, "impostor")
        with pytest.raises(OwnershipLost):
            busy.store.prune(forged, ["w/1/1"])
        clock.advance(LEASE_S)
        rival.claim(busy.store.group_count)
        with pytest.raises(OwnershipLost):
            busy.store.prune(busy.lease, ["w/1/1"])
        assert len(busy.store.read_flow("w/1/1")) == 2
        assert busy.store.pruned_through(busy.group_id) == 0

    def test_a_reader_below_the_watermark_is_told(self, busy: Node) -> None:
        """PROTOCOL 28: it would miss records without noticing."""
        store = busy.store
        store.prune(busy.lease, ["w/1/1"])
        for after in (-1, 0, 2):
            with pytest.raises(LogPruned) as pruned:
                store.read_log(busy.group_id, after=after)
            assert (pruned.value.group_id, pruned.value.pruned_through) == (busy.group_id, 3)
        assert [record.position for record in store.read_log(busy.group_id, after=3)] == [4, 5, 6, 7]
        gaps = store.read_log(busy.group_id, after=1, limit=2, accept_gaps=True)
        assert [record.position for record in gaps] == [2, 4]

    def test_a_cursor_below_the_watermark_is_kept_and_told(self, busy: Node) -> None:
        """PROTOCOL 28: an owner may prune past a sink; the sink finds out when it reads on."""
        store = busy.store
        cursor = store.open_cursor(busy.group_id, "hook", Owner("owner-anna"), position=1)
        store.prune(busy.lease, ["w/1/1"])
        assert store.cursors() == [cursor]
        with pytest.raises(LogPruned):
            store.read_log(busy.group_id, after=cursor.position)
        assert store.move_cursor(cursor, store.pruned_through(busy.group_id)).position == 3

    def test_the_watermark_never_goes_back(self, busy: Node) -> None:
        """PROTOCOL 28."""
        store = busy.store
        store.prune(busy.lease, ["w/3/1"])
        store.prune(busy.lease, ["w/1/1"])
        assert store.pruned_through(busy.group_id) == 5

    def test_a_position_that_was_pruned_is_never_given_out_again(self, clock: ManualClock, node: Node) -> None:
        """PROTOCOL 7, 10: readers are past it."""
        node.commit(node.write("w/1/1", 1), node.write("w/2/1", 1, status=RunStatus.FAILED))
        node.store.prune(node.lease, ["w/2/1"])
        assert node.store.last_position(node.group_id) == 2
        with pytest.raises(StorageError, match="position 2"):
            node.commit(node.write("w/1/1", 2, position=2))
        with pytest.raises(StorageError, match="position 2"):
            node.commit(node.write("w/1/1", 2, position=2, sends=(message_to(node.group_id),)))
        assert node.commit(node.write("w/1/1", 2, position=3)) == [Outcome.DONE]
        clock.advance(LEASE_S)
        heir = Node(node.store, "boris")
        heir.claim(node.store.group_count)
        assert heir.last[node.group_id] == 3

    def test_messages_stay(self, busy: Node) -> None:
        """PROTOCOL 16, 28: a tombstone outlives the run that it was for."""
        busy.store.send(message_to(busy.group_id, flow_id="w/1/1"))
        busy.commit(busy.settle("m1"))
        busy.store.prune(busy.lease, ["w/1/1"])
        assert busy.store.message(busy.group_id, "m1") == message_to(busy.group_id, flow_id="w/1/1")

    def test_a_flow_that_no_start_has_made_does_not_wait_for_the_runs_after_it(self, node: Node) -> None:
        """PROTOCOL 28: those of the engine itself follow each other for ever."""
        node.commit(node.write("e/1/1", 1, status=RunStatus.SUCCEEDED), node.write("e/1/2", 1))
        assert node.store.prune(node.lease, ["e/1/1", "e/1/2"]) == {"e/1/1"}

    def test_many_flows_are_pruned_at_once(self, node: Node) -> None:
        """PROTOCOL 28: more than a store removes in one step."""
        flows = [f"w/{number}/1" for number in range(1, 251)]
        node.commit(*(node.write(flow_id, 1, status=RunStatus.SUCCEEDED) for flow_id in flows))
        assert node.store.prune(node.lease, flows) == set(flows)
        assert node.store.read_log(node.group_id, after=250) == []
        assert node.store.list_runs(RunQuery()) == []

    def test_nothing_of_a_new_store_was_pruned(self, store: Storage) -> None:
        """PROTOCOL 28."""
        assert store.pruned_through(3) == 0
        assert store.read_log(3) == []
        with pytest.raises(StorageError, match="no group"):
            store.pruned_through(store.group_count)
        with pytest.raises(StorageError, match="no group"):
            store.prune(Lease(store.group_count, 1, "nobody"), [])
