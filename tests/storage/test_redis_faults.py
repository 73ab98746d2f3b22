"""What a Redis server can do to a store: be flushed, killed, or cut off in the middle of an answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest
from maestro_flow_redis import open_redis
from maestro_flow_redis.storage import RedisStorage

from maestro_flow.clock import SystemClock
from maestro_flow.errors import StorageReset, StorageUnavailable, StorageUnusable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.protocol import RunQuery
from tests.servers.proxy import Proxy
from tests.servers.redis import Server


@pytest.fixture
def store(own_redis: Server, namespace: str) -> Iterator[RedisStorage]:
    store = open_redis(own_redis.url(namespace), SystemClock())
    yield store
    store.close()


@pytest.fixture
def node(store: RedisStorage) -> Node:
    """A node that holds one group."""
    node = Node(store)
    node.claim()
    return node


def test_a_flushed_server_is_noticed_by_every_verb_and_refused_until_the_store_is_opened_again(
    own_redis: Server, namespace: str, node: Node
) -> None:
    node.commit(node.write("w/1/1", 1))
    with own_redis.client() as client:
        client.flushall()
    with pytest.raises(StorageReset, match="the epoch in"):
        node.commit(node.write("w/1/1", 2))
    reopened = Node(open_redis(own_redis.url(namespace), SystemClock()), "boris")
    assert reopened.claim()[0] == Lease(0, 1, "owner-boris")
    verbs: list[Callable[[], object]] = [
        node.claim,
        node.renew,
        lambda: node.store.release(node.leases),
        lambda: node.store.last_position(0),
        lambda: node.store.load_flows(0),
        lambda: node.store.read_flow("w/1/1"),
        lambda: node.store.receive(node.lease),
        lambda: node.store.send(message_to(0)),
        lambda: node.store.push("w", b"{}"),
        lambda: node.store.start([StartRequest("w", "r1", 0)]),
        lambda: node.store.run("w/1/1"),
        lambda: node.store.list_runs(RunQuery()),
    ]
    for verb in verbs:
        with pytest.raises(StorageReset):
            verb()
    assert reopened.store.last_position(0) == 0, "nothing was written into the new store"
    reopened.store.close()


def test_a_handle_that_did_nothing_yet_notices_that_a_store_is_another(own_redis: Server, namespace: str) -> None:
    stale = Node(open_redis(own_redis.url(namespace), SystemClock()))
    with own_redis.client() as client:
        client.flushall()
    open_redis(own_redis.url(namespace), SystemClock()).close()
    for verb in (stale.claim, lambda: stale.store.read_log(0), lambda: stale.store.pending_starts(0)):
        with pytest.raises(StorageReset):
            verb()
    stale.store.close()


def test_a_store_that_has_lost_a_group_is_not_opened(own_redis: Server, namespace: str, store: RedisStorage) -> None:
    with own_redis.client() as client:
        client.delete(f"{{{namespace}:g7}}")
    with pytest.raises(StorageReset):
        store.last_position(7)
    with pytest.raises(StorageReset, match="its groups 7 "):
        open_redis(own_redis.url(namespace), SystemClock())


def test_scripts_are_loaded_again_where_the_server_has_forgotten_them(own_redis: Server, node: Node) -> None:
    node.claim()
    node.commit(node.write("w/1/1", 1))
    with own_redis.client() as client:
        client.script_flush()
    assert node.commit(node.write("w/1/1", 2)) == [Outcome.DONE]
    with own_redis.client() as client:
        client.script_flush()
    first, second = node.leases
    assert node.commit(node.write("w/1/1", 3, lease=first), node.write("w/2/1", 1, lease=second)) == [Outcome.DONE] * 2


def test_a_reply_that_was_cut_a_hundred_times_loses_and_doubles_nothing(own_redis: Server, namespace: str) -> None:
    """PROTOCOL 6: unknown is resolved by the identical batch."""
    with Proxy(own_redis.port) as proxy:
        url = own_redis.url(namespace).replace(f":{own_redis.port}/", f":{proxy.port}/")
        node = Node(open_redis(url, SystemClock()))
        node.claim()
        for revision in range(1, 101):
            node.store.send(message_to(node.group_id, f"m{revision}"))
            commit = node.write("w/1/1", revision, settles=node.settle(f"m{revision}").settles)
            proxy.cut_next()
            with pytest.raises(StorageUnavailable):
                node.commit(commit)
            assert node.commit(commit) == [Outcome.ALREADY_APPLIED]
        assert proxy.cuts == 100
        assert [record.revision for record in node.store.read_log(node.group_id)] == list(range(1, 101))
        assert node.store.receive(node.lease) == []
        node.store.close()


def test_a_claim_whose_reply_was_cut_is_held(own_redis: Server, namespace: str, store: RedisStorage) -> None:
    with Proxy(own_redis.port) as proxy:
        url = own_redis.url(namespace).replace(f":{own_redis.port}/", f":{proxy.port}/")
        node = Node(open_redis(url, SystemClock()))
        node.renew()
        proxy.cut_next()
        with pytest.raises(StorageUnavailable):
            node.renew()
        assert len(node.claim(store.group_count)) == store.group_count
        node.store.close()


def test_nothing_that_was_acknowledged_is_lost_when_the_server_is_killed(own_redis: Server, namespace: str) -> None:
    """With appendfsync always; the handle recovers by itself, and the generations are unchanged."""
    node = Node(open_redis(own_redis.url(namespace), SystemClock()))
    node.claim()
    acknowledged: list[str] = []
    enough = threading.Event()
    unknown: list[Commit] = []

    def load() -> None:
        revision = 0
        while not unknown:
            revision += 1
            commit = node.write("w/1/1", revision)
            try:
                outcomes = node.commit(commit)
            except StorageUnavailable:
                unknown.append(commit)
                return
            assert outcomes == [Outcome.DONE]
            assert commit.flow is not None
            acknowledged.append(commit.flow.commit_id)
            if revision == 50:
                enough.set()

    writer = threading.Thread(target=load)
    writer.start()
    assert enough.wait(60)
    own_redis.kill()
    writer.join(60)
    with pytest.raises(StorageUnavailable):
        node.commit(unknown[0])
    own_redis.start()
    (outcome,) = node.commit(unknown[0])
    assert outcome in (Outcome.DONE, Outcome.ALREADY_APPLIED)
    written = [record.commit_id for record in node.store.read_flow("w/1/1")]
    assert written[:-1] == acknowledged
    assert node.renew().lost == frozenset()
    node.store.close()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_uses_its_own_connections(node: Node) -> None:
    """A child that wrote into its parent's socket would get, or steal, the replies of another."""
    node.commit(node.write("w/1/1", 1))
    commits = [node.write("w/1/1", 2), node.write("w/1/1", 3)]
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int(node.commit(commits[0]) != [Outcome.DONE])
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert node.commit(*commits) == [Outcome.ALREADY_APPLIED, Outcome.DONE]


def test_an_empty_id_is_that_of_nothing(node: Node) -> None:
    """The sentinel in a group's keys has an empty name: it is neither a run nor a message, nor a sign of loss."""
    store = node.store
    assert store.message(0, "") is None
    assert store.run("") is None
    assert store.read_flow("") == []
    store.acknowledge_starts([""])
    with pytest.raises(ValueError, match="message_id"):
        message_to(0, "")
    assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]


def test_a_closed_store_stays_closed_when_the_lease_becomes_shorter(store: RedisStorage) -> None:
    store.close()
    with pytest.raises(StorageUnusable, match="is closed"):
        store.claim(Owner("o"), lease_s=1.0, limit=1)


def test_a_shorter_lease_disturbs_no_call_under_way(store: RedisStorage) -> None:
    """A connection in use continues, and is replaced by one with a shorter timeout afterwards."""
    server = store._server
    before = server._connections
    assert server.ask("PING") == b"PONG"
    server.shorten(1.0)
    assert before.exchange([("PING",)]) == [b"PONG"]
    assert [connection.socket_timeout for connection in server._connections._idle] == [0.5]
