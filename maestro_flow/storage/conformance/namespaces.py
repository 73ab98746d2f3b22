"""Several applications on one server or in one database."""

from __future__ import annotations

from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.base import Concern, Opener
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.protocol import RunQuery

__all__ = ["Namespaces"]


class Namespaces(Concern):
    """Two namespaces are two stores (PROTOCOL 3, 4, 16, 18 hold within one)."""

    def test_nothing_of_one_namespace_is_seen_or_changed_through_another(self, opener: Opener) -> None:
        """PROTOCOL 3, 4, 16, 18: the same groups, flows, messages and requests, once in each."""
        node, stranger = Node(opener("ours")), Node(opener("theirs"))
        for each in (node, stranger):
            each.claim(each.store.group_count)
            assert [lease.generation for lease in each.leases] == [1] * each.store.group_count
            assert each.store.push("w", b"{}") == 1
            assert each.store.start([StartRequest("w", "r1", each.group_id)])[0].fresh
            each.store.send(message_to(each.group_id))
            each.commit(each.write("x/1/1", 1))
        stranger.commit(stranger.settle("m1"), stranger.write("x/1/1", 2))
        stranger.store.release(stranger.leases)
        assert stranger.store.purge_messages(settled_before=float("inf")) == 1
        assert [record.revision for record in node.store.read_log(node.group_id)] == [1]
        assert [message.message_id for message in node.store.receive(node.lease)] == ["m1"]
        assert len(node.store.list_runs(RunQuery())) == 2
        assert node.store.claim(Owner("third"), lease_s=LEASE_S, limit=1) == []
        for each in (node, stranger):
            each.store.close()
