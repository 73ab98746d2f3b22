"""What was returned is still there after the store was closed and opened again."""

from __future__ import annotations

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.inbox import MessageState
from maestro_flow.model.leases import Lease
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.base import NAMESPACE, Concern, Opener
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.protocol import RunQuery

__all__ = ["Durability"]


class Durability(Concern):
    """Persist, then act: what a verb has returned is durable."""

    needs = "durable"

    def test_a_commit_is_there_after_reopening(self, opener: Opener) -> None:
        """PROTOCOL 1: no answer ever depends on something that is not durable."""
        node = Node(opener(NAMESPACE))
        node.claim()
        batch = [node.write("w/1/1", 1), node.write("w/1/1", 2)]
        node.commit(*batch)
        written = node.store.load_flows(node.group_id)
        node.store.close()
        store = opener(NAMESPACE)
        assert store.load_flows(node.group_id) == written
        assert store.last_position(node.group_id) == 2
        assert store.commit(batch) == [Outcome.ALREADY_APPLIED] * 2
        store.close()

    def test_leases_and_generations_are_there_after_reopening(self, clock: ManualClock, opener: Opener) -> None:
        """PROTOCOL 3: closing releases nothing, and no generation is issued twice."""
        node = Node(opener(NAMESPACE))
        node.claim()
        node.store.close()
        rival = Node(opener(NAMESPACE), "boris")
        assert node.lease not in rival.claim(rival.store.group_count)
        assert rival.store.renew(node.owner, [node.lease], lease_s=LEASE_S).lost == frozenset()
        clock.advance(LEASE_S)
        assert Lease(node.group_id, 2, rival.owner.id) in rival.claim(rival.store.group_count)
        rival.store.close()

    def test_messages_deliveries_and_outcomes_are_there_after_reopening(self, opener: Opener) -> None:
        """PROTOCOL 16, 17."""
        node = Node(opener(NAMESPACE))
        node.claim()
        for message_id in ("m1", "m2"):
            node.store.send(message_to(node.group_id, message_id))
        node.store.receive(node.lease)
        node.commit(node.settle("m2", "refused"))
        node.store.close()
        store = opener(NAMESPACE)
        waiting, settled = store.message(node.group_id, "m1"), store.message(node.group_id, "m2")
        assert waiting is not None
        assert settled is not None
        assert (waiting.state, waiting.deliveries) == (MessageState.WAITING, 1)
        assert (settled.state, settled.outcome) == (MessageState.SETTLED, "refused")
        store.close()

    def test_starts_are_there_after_reopening(self, opener: Opener) -> None:
        """PROTOCOL 18: a crash after (a) leaves no orphan."""
        store = opener(NAMESPACE)
        store.push("w", b"{}")
        store.start([StartRequest("w", "r1", 3, body=b"1"), StartRequest("w", "r2", 3)])
        store.acknowledge_starts(["w/2/1"])
        given, runs = store.pending_starts(3), store.list_runs(RunQuery())
        store.close()
        store = opener(NAMESPACE)
        assert (store.pending_starts(3), store.list_runs(RunQuery())) == (given, runs)
        assert [run.flow_id for run in store.start([StartRequest("w", "r3", 3)])] == ["w/3/1"]
        store.close()

    def test_the_version_of_the_schema_is_there_after_reopening(self, opener: Opener) -> None:
        """PROTOCOL 27."""
        store = opener(NAMESPACE)
        version = store.schema_version
        store.close()
        store = opener(NAMESPACE)
        assert store.schema_version == version
        store.close()
