"""A replica that takes over: what the primary had acknowledged last may be gone, and nobody is taken for another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import frozen
from maestro_flow_redis import open_redis

from maestro_flow.clock import SystemClock
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease
from maestro_flow.storage.conformance.node import Node, message_to
from tests.servers.proxy import Proxy
from tests.servers.redis import Server, find_replica, find_server


@frozen
class Pair:
    """A primary and its replica, behind one address."""

    primary: Server
    replica: Server
    proxy: Proxy

    def node(self, name: str, namespace: str) -> Node:
        """A node that reaches whichever server the address leads to."""
        url = self.primary.url(namespace).replace(f":{self.primary.port}/", f":{self.proxy.port}/")
        return Node(open_redis(url, SystemClock()), name)

    def replicate(self) -> None:
        """Until the replica has all that the primary has."""
        with self.primary.client() as primary, self.replica.client() as replica:
            sent = primary.info("replication")["master_repl_offset"]
            self.replica.wait_until(lambda: replica.info("replication")["slave_repl_offset"] >= sent)

    def promote(self) -> None:
        """The replica is a primary of its own from now on; the address still leads to the old one."""
        with self.replica.client() as client:
            client.replicaof("NO", "ONE")

    def fail_over(self) -> None:
        """The old primary is gone."""
        self.proxy.switch(self.replica.port)
        self.primary.kill()


@pytest.fixture
def pair() -> Iterator[Pair]:
    primary = find_server(own=True)
    replica = find_replica(primary)
    with Proxy(primary.port) as proxy:
        yield Pair(primary, replica, proxy)
    primary.stop()
    replica.stop()


def resent(node: Node, commit: Commit) -> list[Outcome]:
    """The outcome of a commit, sent again until there is one (PROTOCOL 6)."""
    while True:
        try:
            return node.store.commit([commit])
        except StorageUnavailable:
            continue


def test_an_owner_continues_after_a_failover_that_has_lost_nothing(pair: Pair, namespace: str) -> None:
    anna = pair.node("anna", namespace)
    anna.claim()
    anna.commit(anna.write("w/1/1", 1))
    pair.replicate()
    pair.promote()
    pair.fail_over()
    assert resent(anna, anna.write("w/1/1", 2)) == [Outcome.DONE]
    assert [record.revision for record in anna.store.read_flow("w/1/1")] == [1, 2]
    anna.store.close()


def test_commits_that_a_failover_has_lost_are_a_conflict_and_not_a_gap(pair: Pair, namespace: str) -> None:
    """PROTOCOL 4: the flow is loaded again, and continues from what is there; its messages come again."""
    anna = pair.node("anna", namespace)
    anna.claim()
    anna.store.send(message_to(anna.group_id))
    anna.commit(anna.write("w/1/1", 1))
    pair.replicate()
    pair.promote()
    lost = anna.write("w/1/1", 2, settles=anna.settle("m1").settles)
    assert anna.commit(lost) == [Outcome.DONE]
    pair.fail_over()
    assert resent(anna, anna.write("w/1/1", 3)) == [Outcome.CONFLICT]
    assert [record.revision for record in anna.store.read_flow("w/1/1")] == [1]
    assert [message.message_id for message in anna.store.receive(anna.lease)] == ["m1"]
    assert anna.commit(anna.write("w/1/1", 2)) == [Outcome.DONE]
    anna.store.close()


def test_two_owners_of_one_generation_are_told_apart_by_their_ids(pair: Pair, namespace: str) -> None:
    """PROTOCOL 3: the claim of one is in the tail that was lost, and the other one claims the same generation again."""
    anna, bob = (pair.node(name, namespace) for name in ("anna", "bob"))
    anna.claim()
    anna.commit(anna.write("w/1/1", 1))
    anna.store.release(anna.leases)
    pair.replicate()
    pair.promote()
    assert bob.claim() == [Lease(0, 2, "owner-bob")]
    assert bob.commit(bob.write("w/1/1", 2)) == [Outcome.DONE]
    pair.fail_over()
    cy = pair.node("cy", namespace)
    assert cy.claim() == [Lease(0, 2, "owner-cy")]
    assert resent(bob, bob.write("w/1/1", 3)) == [Outcome.OWNERSHIP_LOST]
    assert resent(bob, bob.write("w/1/1", 2)) == [Outcome.OWNERSHIP_LOST]
    assert cy.commit(cy.write("w/1/1", 2)) == [Outcome.DONE]
    assert bob.renew().lost == {0}
    for node in (anna, bob, cy):
        node.store.close()


def test_a_primary_that_was_demoted_writes_nothing_and_is_waited_for(pair: Pair, namespace: str) -> None:
    anna = pair.node("anna", namespace)
    anna.claim()
    commit = anna.write("w/1/1", 1)
    with pair.primary.client() as client:
        client.replicaof("127.0.0.1", pair.replica.port)
        with pytest.raises(StorageUnavailable, match="read only"):
            anna.commit(commit)
        client.replicaof("NO", "ONE")
    assert anna.commit(commit) == [Outcome.DONE]
    anna.store.close()
