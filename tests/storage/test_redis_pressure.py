"""A Redis server that refuses for a while, or for good: full, busy, crowded, restarted, flushed, or not for us."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
import redis
from maestro_flow_redis import open_redis
from maestro_flow_redis.storage import RedisStorage

from maestro_flow.clock import SystemClock
from maestro_flow.errors import SettingsError, StorageReset, StorageUnavailable, StorageUnusable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.conformance.threads import at_once
from tests.servers.redis import Server, find_cluster
from tests.storage.test_redis_lost import dump


@pytest.fixture
def store(own_redis: Server, namespace: str) -> Iterator[RedisStorage]:
    store = open_redis(own_redis.url(namespace), SystemClock())
    yield store
    store.close()


@pytest.fixture
def node(store: RedisStorage) -> Node:
    """A node that holds one group, with a flow and a message in it."""
    node = Node(store)
    node.claim()
    node.store.send(message_to(node.group_id))
    node.commit(node.write("w/1/1", 1))
    return node


def all_kinds(node: Node) -> list[Commit]:
    """Commits that write something of every kind."""
    settles, sends = node.settle("m1").settles, (message_to(node.group_id, "m2"),)
    return [node.write("w/1/1", 2, status=RunStatus.SUCCEEDED, settles=settles, sends=sends), node.write("w/2/1", 1)]


def test_a_full_server_writes_nothing_partially_and_continues_when_there_is_memory(
    own_redis: Server, namespace: str, node: Node
) -> None:
    node.store.push("w", b"{}")
    batch, before = all_kinds(node), dump(own_redis, f"{{{namespace}:")
    with own_redis.client() as client:
        client.config_set("maxmemory", 1)
        for verb in (
            lambda: node.commit(*batch),
            lambda: node.commit(node.settle("m1")),
            lambda: node.store.send(message_to(node.group_id, "m3")),
            lambda: node.store.start([StartRequest("w", "r1", 0)]),
            lambda: node.store.push("w", b"{1}"),
            node.claim,
        ):
            with pytest.raises(StorageUnavailable, match="memory"):
                verb()
        assert dump(own_redis, f"{{{namespace}:") == before
        assert len(node.store.read_flow("w/1/1")) == 1, "reads continue"
        client.config_set("maxmemory", 0)
    assert node.commit(*batch) == [Outcome.DONE] * 2


def test_a_script_of_somebody_else_that_runs_long_is_waited_for(own_redis: Server, node: Node) -> None:
    """BUSY is said before anything of ours has run."""
    batch = all_kinds(node)
    with own_redis.client() as client, own_redis.client() as other:
        client.config_set("busy-reply-threshold", 1)
        endless = threading.Thread(target=lambda: run_until_killed(other))
        endless.start()
        while not is_busy(client):
            pass
        with pytest.raises(StorageUnavailable, match="busy"):
            node.commit(*batch)
        client.execute_command("SCRIPT KILL")
        endless.join(60)
        client.config_set("busy-reply-threshold", 5000)
    assert node.commit(*batch) == [Outcome.DONE] * 2


def run_until_killed(client: redis.Redis) -> None:
    with pytest.raises(redis.ResponseError, match="killed"):
        client.eval("while true do end", 0)


def is_busy(client: redis.Redis) -> bool:
    try:
        client.ping()
    except redis.ResponseError:
        return True
    return False


def test_a_crowded_server_is_waited_for(own_redis: Server, namespace: str, node: Node) -> None:
    """maxclients: connected clients continue, others may try again."""
    with own_redis.client() as client:
        allowed = client.config_get("maxclients")["maxclients"]
        client.config_set("maxclients", len(client.client_list()))
        with pytest.raises(StorageUnavailable, match="max number of clients"):
            open_redis(own_redis.url(namespace), SystemClock())
        assert node.commit(node.write("w/1/1", 2)) == [Outcome.DONE]
        client.config_set("maxclients", allowed)
    open_redis(own_redis.url(namespace), SystemClock()).close()


def test_a_server_that_was_restarted_has_forgotten_the_scripts_and_nothing_else(own_redis: Server, node: Node) -> None:
    """The handle is told by the connection that has died, and needs no second try."""
    own_redis.kill()
    own_redis.start()
    assert node.commit(node.write("w/1/1", 2)) == [Outcome.DONE]
    assert node.renew().lost == frozenset()
    assert [record.revision for record in node.store.read_flow("w/1/1")] == [1, 2]


def test_a_guest_with_the_keys_of_one_namespace_uses_this_one_and_no_other(own_redis: Server, namespace: str) -> None:
    with own_redis.client() as client:
        client.acl_setuser(
            "guest", enabled=True, passwords=["+pw:/?"], categories=["+@all"], keys=[f"{{{namespace}:*"], reset=True
        )
    url = re.sub("//:[^@]*@", "//guest:pw%3A%2F%3F@", own_redis.url(namespace))
    store = open_redis(url, SystemClock())
    node = Node(store)
    node.claim(store.group_count)
    assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]
    store.close()
    with pytest.raises(StorageUnusable, match="grant all commands on the keys") as refusal:
        open_redis(url.replace(namespace, "t_of_others"), SystemClock())
    assert "pw" not in str(refusal.value)
    with own_redis.client() as client:
        client.acl_deluser("guest")


@pytest.mark.parametrize("flush", ["flushall", "flushdb"])
def test_a_flush_amid_the_work_of_many_is_noticed_by_all_and_nothing_is_written_after_it(
    own_redis: Server, namespace: str, flush: str
) -> None:
    nodes = [Node(open_redis(own_redis.url(namespace), SystemClock()), f"n{number}") for number in range(4)]
    working = threading.Barrier(len(nodes) + 1, timeout=60)

    def work(node: Node) -> None:
        node.claim(4)
        for revision in range(1, 1_000_000):
            node.commit(*(node.write(f"{node.name}/{n}/1", revision, lease=x) for n, x in enumerate(node.leases, 1)))
            node.store.send(message_to(node.group_id, f"{node.name}{revision}"))
            if revision == 5:
                working.wait()

    def work_until_reset(node: Node) -> None:
        with pytest.raises(StorageReset):
            work(node)
        node.store.close()

    def flush_it() -> None:
        working.wait()
        with own_redis.client() as client:
            getattr(client, flush)()

    at_once(flush_it, *(lambda node=node: work_until_reset(node) for node in nodes))
    with own_redis.client() as client:
        assert client.dbsize() == 0


def test_a_cluster_of_two_nodes_is_refused() -> None:
    servers = find_cluster(2)
    for server in servers:
        with pytest.raises(SettingsError, match="cluster of several nodes"):
            open_redis(server.url("t_two"), SystemClock())
    for server in servers:
        server.stop()
