"""What is large, long or strange: a script and its reply are bounded, and no id or time is taken for another."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import attrs
import pytest
from maestro_flow_redis import open_redis
from maestro_flow_redis.locations import entries
from maestro_flow_redis.storage import RedisStorage

from maestro_flow.clock import SystemClock
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Owner
from maestro_flow.model.log import FlowLog
from maestro_flow.model.runs import RunEntry, StartRequest
from maestro_flow.storage.conformance.node import LEASE_S, Node, entry_of, message_to
from maestro_flow.storage.protocol import RunQuery
from tests.servers.redis import Server

MEGABYTE = 1024 * 1024
STRANGE = ["}{", "{x}:y", "a\nb", "5 five", "ü 名", "[x]", "%s", "a", "a:b"]


@pytest.fixture
def store(own_redis: Server, namespace: str) -> Iterator[RedisStorage]:
    store = open_redis(own_redis.url(namespace), SystemClock())
    yield store
    store.close()
    own_redis.drop(namespace)


@pytest.fixture
def node(store: RedisStorage) -> Node:
    node = Node(store)
    node.claim()
    return node


def long(commit: Commit, size: int) -> Commit:
    """The same with events of so many bytes."""
    assert commit.flow is not None
    return attrs.evolve(commit, flow=attrs.evolve(commit.flow, events=b'["%b"]' % (b"x" * size)))


def scripts(server: Server, verb: Callable[[], object]) -> int:
    """How many scripts a verb runs."""
    with server.client() as client:
        client.config_resetstat()
        verb()
        return int(client.info("commandstats")["cmdstat_evalsha"]["calls"])


def test_a_large_batch_is_sent_in_pieces_and_judged_as_one(own_redis: Server, node: Node) -> None:
    """PROTOCOL 4: also when what was refused is in one piece, and what was decided on top of it in another."""
    node.commit(node.write("w/1/1", 1), node.write("w/2/1", 1))
    refused = node.write("w/1/1", 2, settles=node.settle("no such message").settles)
    fillers = [node.write(f"v/{number}/1", 1) for number in range(2500)]
    late = [node.write("w/1/1", 2), node.write("w/2/1", 2)]
    outcomes: list[Outcome] = []
    ran = scripts(own_redis, lambda: outcomes.extend(node.commit(refused, *fillers, *late)))
    assert ran == 3
    assert outcomes == [Outcome.INVALID, *[Outcome.DONE] * 2500, Outcome.CONFLICT, Outcome.DONE]


def test_a_batch_of_many_bytes_is_sent_in_pieces(own_redis: Server, node: Node) -> None:
    batch = [long(node.write(f"w/{number}/1", 1), MEGABYTE // 2) for number in range(20)]
    assert scripts(own_redis, lambda: node.commit(*batch)) == 3
    assert node.commit(*batch) == [Outcome.ALREADY_APPLIED] * 20


def test_a_page_ends_where_it_is_long_enough_and_each_flow_is_whole(own_redis: Server, node: Node) -> None:
    for revision in range(1, 4):
        sizes = {"a/1/1": MEGABYTE, "b/1/1": 5 * MEGABYTE, "c/1/1": 0, "d/1/1": 0}
        node.commit(*(long(node.write(flow_id, revision), size) for flow_id, size in sizes.items()))
    assert [log.entry.flow_id for log in node.store.load_flows(node.group_id)] == ["a/1/1", "b/1/1"]
    logs: list[FlowLog] = []
    while page := node.store.load_flows(node.group_id, after=logs[-1].entry.flow_id if logs else ""):
        logs += page
    assert [(log.entry.flow_id, len(log.records)) for log in logs] == [(flow_id, 3) for flow_id in sizes]
    assert [len(record.events) // MEGABYTE for record in logs[1].records] == [5] * 3
    assert len(node.store.read_flow("b/1/1")) == 3
    positions = [0]
    while records := node.store.read_log(node.group_id, after=positions[-1]):
        positions += [record.position for record in records]
    assert positions == list(range(13))


def test_a_long_flow_is_read_in_several_scripts_and_loaded_whole(own_redis: Server, node: Node) -> None:
    node.commit(*(long(node.write("w/1/1", revision), 300_000) for revision in range(1, 31)))
    whole = node.store.read_flow("w/1/1")
    assert [record.revision for record in whole] == list(range(1, 31))
    assert scripts(own_redis, lambda: node.store.read_flow("w/1/1")) == 2
    assert scripts(own_redis, lambda: node.store.read_flow("w/1/1", after_revision=20)) == 1
    assert node.store.load_flows(node.group_id)[0].records == tuple(whole)


def test_long_messages_and_bodies_of_starts_come_in_several_pages(node: Node) -> None:
    body = b'"%b"' % (b"x" * MEGABYTE)
    node.store.push("w", b"{}")
    node.store.start([StartRequest("w", f"r{number}", 0, body=body) for number in range(9)])
    for number in range(9):
        node.store.send(message_to(0, f"m{number}", body=body))
    assert [run.body for run in node.store.pending_starts(0)] == [body] * 4
    messages: list[Message] = []
    while page := node.store.receive(node.lease, after=messages[-1].sequence if messages else 0):
        assert len(page) <= 4
        messages += page
    assert [(message.message_id, message.deliveries) for message in messages] == [(f"m{n}", 1) for n in range(9)]


def test_nine_thousand_values_pass_through_a_script(store: RedisStorage) -> None:
    """Lua itself passes on about 8,000."""
    assert entries(store._server, [(0, f"w/{number}/1") for number in range(9000)]) == [None] * 9000


def test_five_thousand_starts_are_one_write(own_redis: Server, store: RedisStorage) -> None:
    store.push("w", b"{}")
    requests = [StartRequest("w", f"r{number}", number % 64) for number in range(5000)]
    assert scripts(own_redis, lambda: store.start(requests)) == 1
    assert [run.instance_id for run in store.start(requests)] == list(range(1, 5001))


@pytest.mark.parametrize("word", STRANGE)
def test_no_id_is_taken_for_another(node: Node, word: str) -> None:
    """The ids of a workflow, a flow, a commit, a message, an owner, a request. None of them can have a NUL."""
    owner = Owner(word)
    (lease,) = node.store.claim(owner, lease_s=LEASE_S, limit=1)
    position = node.store.last_position(lease.group_id)
    for other in STRANGE:
        position += 1
        commit = renamed(node.write("w/1/1", 1, lease=lease, position=position), f"w/1/{other}", word)
        assert node.commit(commit) == [Outcome.DONE]
        assert node.commit(commit) == [Outcome.ALREADY_APPLIED]
        assert node.commit(renamed(commit, f"w/1/{other}", f"{word}\n")) == [Outcome.CONFLICT]
        (record,) = node.store.read_flow(f"w/1/{other}")
        assert (record.commit_id, record.owner_id) == (word, word)
        node.store.send(message_to(lease.group_id, other, flow_id=word, body=other.encode()))
    assert {m.message_id: m.body.decode() for m in node.store.receive(lease)} == {other: other for other in STRANGE}
    assert [record.flow_id for record in node.store.read_log(lease.group_id)] == [f"w/1/{other}" for other in STRANGE]
    flows = [log.entry.flow_id for log in node.store.load_flows(lease.group_id)]
    assert flows == sorted(f"w/1/{other}" for other in STRANGE)
    node.store.push(word, word.encode())
    node.store.start([StartRequest(word, word, 5)])
    (run,) = node.store.pending_starts(5)
    assert (run.flow_id, run.request_id) == (f"{word}/1/1", word)
    (entry,) = node.store.list_runs(RunQuery(workflow_id=word))
    assert entry.flow_id == run.flow_id


def renamed(commit: Commit, flow_id: str, commit_id: str) -> Commit:
    assert commit.flow is not None
    entry = attrs.evolve(entry_of("w/1/1", commit.lease.group_id), flow_id=flow_id)
    return attrs.evolve(commit, flow=attrs.evolve(commit.flow, flow_id=flow_id, commit_id=commit_id, entry=entry))


def test_runs_are_listed_in_order_of_time_whatever_its_sign(node: Node) -> None:
    """And of two that were made at the same time, the one with the greater id comes first."""
    times = [-1.0e9, -2.5, -0.0, 0.0, 1e-300, 0.1, 0.1, 1.7e9]
    made = []
    for number, created_at in enumerate(times):
        commit = node.write(f"w/{number}/1", 1)
        assert commit.flow is not None
        assert commit.flow.entry is not None
        entry: RunEntry = attrs.evolve(commit.flow.entry, created_at=created_at)
        made.append(entry)
        node.commit(attrs.evolve(commit, flow=attrs.evolve(commit.flow, entry=entry)))
    newest_first = sorted(made, key=lambda entry: (entry.created_at, entry.flow_id), reverse=True)
    listed: list[RunEntry] = []
    while page := node.store.list_runs(RunQuery(limit=2, before=place(listed))):
        listed += page
    assert listed == newest_first


def place(listed: list[RunEntry]) -> tuple[float, str] | None:
    return (listed[-1].created_at, listed[-1].flow_id) if listed else None
