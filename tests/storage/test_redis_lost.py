"""Single keys that a Redis server has lost: what is missing is never taken for what never was."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from maestro_flow_redis import open_redis

from maestro_flow.clock import SystemClock
from maestro_flow.errors import StorageReset
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from maestro_flow.storage.protocol import RunQuery
from tests.servers.redis import Server, find_server

Use = Callable[[Node], object]

GROUP_VERBS: dict[str, Use] = {
    "claim": lambda node: node.store.claim(Owner("o"), lease_s=LEASE_S, limit=1),
    "renew": lambda node: node.renew(),
    "release": lambda node: node.store.release(node.leases),
    "commit": lambda node: node.commit(node.write("w/1/1", 3)),
    "first commit": lambda node: node.commit(node.write("w/9/1", 1)),
    "last position": lambda node: node.store.last_position(0),
    "load": lambda node: node.store.load_flows(0),
    "read": lambda node: node.store.read_flow("w/1/1"),
    "read log": lambda node: node.store.read_log(0),
    "send": lambda node: node.store.send(message_to(0, "m9")),
    "receive": lambda node: node.store.receive(node.lease),
    "message": lambda node: node.store.message(0, "m9"),
    "purge": lambda node: node.store.purge_messages(settled_before=1.0),
    "run": lambda node: node.store.run("w/1/1"),
    "prune": lambda node: node.store.prune(node.lease, ["w/1/1"]),
    "pruned through": lambda node: node.store.pruned_through(0),
    "open cursor": lambda node: node.store.open_cursor(0, "sink", Owner("o")),
    "cursors": lambda node: node.store.cursors(),
    "drop cursor": lambda node: node.store.drop_cursor(0, "sink"),
}
"""All verbs about a group."""

CATALOG_VERBS: dict[str, Use] = {
    "push": lambda node: node.store.push("w", b"{1}"),
    "definition": lambda node: node.store.definition("w"),
    "start": lambda node: node.store.start([StartRequest("w", "r9", 0)]),
    "pending_starts": lambda node: node.store.pending_starts(0),
    "acknowledge_starts": lambda node: node.store.acknowledge_starts(["w/1/1"]),
    "list": lambda node: node.store.list_runs(RunQuery()),
    "scan": lambda node: node.renew(),
}

MISSED_BY: dict[str, dict[str, Use]] = {
    "g0:flow:w/1/1": {
        "its next commit": lambda node: node.commit(node.write("w/1/1", 3)),
        "a second beginning": lambda node: node.commit(node.write("w/1/1", 1)),
        "takeover": lambda node: node.store.load_flows(0),
        "its reader": lambda node: node.store.read_flow("w/1/1"),
        "the log's reader": lambda node: node.store.read_log(0),
    },
    "g0:message:m1": {
        "receive": lambda node: node.store.receive(node.lease),
        "a second send": lambda node: node.store.send(message_to(0, "m1")),
        "its settlement": lambda node: node.commit(node.settle("m1")),
        "a reader of it": lambda node: node.store.message(0, "m1"),
    },
    "g0:message:m2": {  # a tombstone: sent again, it would be applied twice
        "a second send": lambda node: node.store.send(message_to(0, "m2")),
        "a second send of the owner": lambda node: node.commit(node.write("w/1/1", 3, sends=(message_to(0, "m2"),))),
        "a second settlement": lambda node: node.commit(node.settle("m2")),
    },
    "catalog:workflow:w": {
        "push": lambda node: node.store.push("w", b"{1}"),
        "definition": lambda node: node.store.definition("w"),
        "start": lambda node: node.store.start([StartRequest("w", "r9", 0)]),
    },
    "catalog:definition:1:w": {
        "push": lambda node: node.store.push("w", b"{}"),
        "definition": lambda node: node.store.definition("w"),
        "an old definition": lambda node: node.store.definition("w", 1),
    },
    "catalog:requests:w": {
        "a second start": lambda node: node.store.start([StartRequest("w", "r1", 0)]),
        "another start": lambda node: node.store.start([StartRequest("w", "r9", 0)]),
    },
    "catalog:run:w/1/1": {
        "a second start": lambda node: node.store.start([StartRequest("w", "r1", 0)]),
        "its owner": lambda node: node.store.pending_starts(0),
        "a restart": lambda node: node.store.start([StartRequest("w", "r9", 0, after=(1, 1))]),
    },
}
"""A key, and all verbs that would go wrong without it."""

PARTS = ("", ":log", ":entries", ":live", ":index", ":waiting", ":settled")
LOSSES = [
    *((f"g0{part}", verb, use) for part in PARTS for verb, use in GROUP_VERBS.items()),
    *((f"catalog{part}", verb, use) for part in ("", ":index", ":given") for verb, use in CATALOG_VERBS.items()),
    *((key, verb, use) for key, verbs in MISSED_BY.items() for verb, use in verbs.items()),
]


@pytest.fixture(scope="module")
def used(own_redis: Server) -> Iterator[tuple[str, dict[bytes, bytes]]]:
    """A namespace, and a dump of a store in it where something of every kind is."""
    namespace = "t_lost"
    own_redis.drop(namespace)
    store = open_redis(own_redis.url(namespace), SystemClock())
    node = Node(store)
    node.claim()
    store.push("w", b"{}")
    store.start([StartRequest("w", "r1", 0)])
    for message_id in ("m1", "m2"):
        store.send(message_to(0, message_id))
    batch = (node.write("w/1/1", 1), node.write("w/1/1", 2), node.settle("m2"))
    assert node.commit(*batch) == [Outcome.DONE] * 3
    store.close()
    yield namespace, dump(own_redis, f"{{{namespace}:")
    own_redis.drop(namespace)


def dump(server: Server, prefix: str) -> dict[bytes, bytes]:
    """The keys that begin so, with what they hold."""
    with server.client() as client:
        keys = sorted(client.scan_iter(match=f"{prefix}*", count=10_000))
        with client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.dump(key)
            return dict(zip(keys, pipeline.execute(), strict=True))


@pytest.fixture
def node(own_redis: Server, used: tuple[str, dict[bytes, bytes]]) -> Iterator[Node]:
    """The owner of group 0 in that store, which is whole, with a handle that has seen nothing yet."""
    namespace, keys = used
    own_redis.drop(namespace)
    with own_redis.client() as client, client.pipeline(transaction=False) as pipeline:
        for key, value in keys.items():
            pipeline.restore(key, 0, value)
        pipeline.execute()
    node = Node(open_redis(own_redis.url(namespace), SystemClock()))
    node.leases, node.last = [Lease(0, 1, node.owner.id)], {0: 2}
    yield node
    node.store.close()


@pytest.mark.parametrize(("key", "verb", "use"), LOSSES, ids=[f"{key}-{verb}" for key, verb, _ in LOSSES])
def test_a_key_that_is_missing_is_noticed_before_anything_is_written(
    own_redis: Server, used: tuple[str, dict[bytes, bytes]], node: Node, key: str, verb: str, use: Use
) -> None:
    tag, _, part = key.partition(":")
    head = f"{{{used[0]}:{tag}}}"
    name = f"{head}:{part}" if part else head
    with own_redis.client() as client:
        assert client.delete(name) == 1
    left = dump(own_redis, head)
    with pytest.raises(StorageReset, match="is not what it was"):
        use(node)
    assert dump(own_redis, head) == left
    with pytest.raises(StorageReset):
        node.store.last_position(1)  # and nothing else is done through this handle


@pytest.mark.parametrize("verb", [verb for verb in GROUP_VERBS if verb != "purge"])
def test_nothing_is_missed_in_a_store_that_is_whole(node: Node, verb: str) -> None:
    GROUP_VERBS[verb](node)


@pytest.mark.parametrize("key", [f"g3{part}" for part in PARTS] + [f"catalog{part}" for part in ("", ":index")])
def test_a_store_that_has_lost_a_part_is_not_opened(
    own_redis: Server, used: tuple[str, dict[bytes, bytes]], node: Node, key: str
) -> None:
    tag, _, part = key.partition(":")
    with own_redis.client() as client:
        assert client.delete(f"{{{used[0]}:{tag}}}" + (f":{part}" if part else "")) == 1
    before = dump(own_redis, "{t_lost:")
    with pytest.raises(StorageReset):
        open_redis(own_redis.url(used[0]), SystemClock())
    assert dump(own_redis, "{t_lost:") == before


@pytest.fixture
def full() -> Iterator[Server]:
    """A server that makes room by dropping what was used least."""
    server = find_server(own=True, **{"maxmemory-policy": "allkeys-lru", "maxmemory-samples": "10"})
    yield server
    server.stop()


def test_what_a_full_server_has_dropped_is_never_taken_for_what_never_was(full: Server) -> None:
    """Each flow that was acknowledged is there as a whole, or missed; none begins a second time."""
    url = full.url("t_full", allow_volatile="true")
    node = Node(open_redis(url, SystemClock()))
    node.claim()
    acknowledged: dict[str, Commit] = {}
    with full.client() as client:
        client.config_set("maxmemory", client.info("memory")["used_memory"] + 2 * 1024 * 1024)
        while client.info("stats")["evicted_keys"] < 100:
            number = len(acknowledged) + 1
            flow_id = f"w/{number}/1"
            commit = node.write(flow_id, 1, sends=(message_to(node.group_id, f"m{number}", body=b"x" * 2000),))
            try:
                assert node.commit(commit) == [Outcome.DONE]
            except StorageReset:
                break
            acknowledged[flow_id] = commit
        client.config_set("maxmemory", 0)
        assert client.info("stats")["evicted_keys"] > 0
    node.store.close()
    again = {flow_id: begin_again(url, commit) for flow_id, commit in acknowledged.items()}
    assert set(again.values()) <= {Outcome.ALREADY_APPLIED, None}
    assert None in again.values(), "something was evicted"


def begin_again(url: str, commit: Commit) -> Outcome | None:
    """What the store says to a commit that it has acknowledged before, and to its message; None: it has lost them."""
    try:
        store = open_redis(url, SystemClock())
    except StorageReset:
        return None
    try:
        store.send(commit.sends[0])
        return store.commit([commit])[0]
    except StorageReset:
        return None
    finally:
        store.close()
