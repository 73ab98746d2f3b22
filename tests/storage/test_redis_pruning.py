"""Pruning on Redis takes two scripts of two tags: what a call leaves that is cut off, and what others do meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from maestro_flow_redis.opening import open_redis

from maestro_flow.clock import SystemClock
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.protocol import RunQuery
from tests.servers.redis import Server


@pytest.fixture
def node(redis_server: Server, namespace: str) -> Iterator[Node]:
    """The owner of the group of w/1/1, a run that a start has made and that has ended."""
    node = Node(open_redis(redis_server.url(namespace), SystemClock()))
    node.claim()
    node.store.push("w", b"{}")
    node.store.start([StartRequest("w", "r1", node.group_id)])
    node.commit(node.write("w/1/1", 1), node.write("w/1/1", 2, status=RunStatus.SUCCEEDED))
    node.store.acknowledge_starts(["w/1/1"])
    yield node
    node.store.close()


def cut_off(node: Node, patch: pytest.MonkeyPatch) -> None:
    """Prune w/1/1, and lose the connection when the catalog has forgotten it."""
    server: Any = node.store._server  # type: ignore[attr-defined]
    call = server.call

    def dying(script: str, *args: Any) -> Any:
        if script == "prune":
            raise StorageUnavailable("the connection died")
        return call(script, *args)

    patch.setattr(server, "call", dying)
    with pytest.raises(StorageUnavailable):
        node.store.prune(node.lease, ["w/1/1"])
    patch.undo()


def test_a_call_that_is_cut_off_leaves_an_ended_run_that_is_whole(
    redis_server: Server, namespace: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, records = node.store.run("w/1/1"), node.store.read_flow("w/1/1")
    cut_off(node, monkeypatch)
    reader = open_redis(redis_server.url(namespace), SystemClock())
    assert (reader.run("w/1/1"), reader.read_flow("w/1/1")) == (entry, records)
    assert reader.list_runs(RunQuery()) == reader.list_runs(RunQuery(workflow_id="w")) == [entry]
    assert reader.pending_starts(node.group_id) == []
    assert reader.read_log(node.group_id) == records
    assert reader.pruned_through(node.group_id) == 0
    reader.close()


def test_the_same_call_again_removes_the_rest(
    redis_server: Server, namespace: str, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(node, monkeypatch)
    assert node.store.prune(node.lease, ["w/1/1"]) == {"w/1/1"}
    assert node.store.run("w/1/1") is None
    assert node.store.pruned_through(node.group_id) == 2
    with redis_server.client() as client:
        left = [key for key in client.scan_iter(match=f"{{{namespace}:*", count=1000) if b"w/1/1" in key]
    assert left == []


def test_the_request_of_a_run_that_is_half_pruned_makes_the_next_instance(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_off(node, monkeypatch)
    (run,) = node.store.start([StartRequest("w", "r1", node.group_id)])
    assert run.flow_id == "w/2/1"
    assert node.store.prune(node.lease, ["w/1/1", "w/2/1"]) == {"w/1/1"}


def test_a_restart_that_comes_in_between_keeps_the_run(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is decided in the catalog, by one script: either the restart finds the run, or the run has no successor."""
    server: Any = node.store._server  # type: ignore[attr-defined]
    call = server.call

    def overtaken(script: str, *args: Any) -> Any:
        if script == "forget_starts":
            monkeypatch.undo()
            node.store.start([StartRequest("w", "again", node.group_id, after=(1, 1))])
        return call(script, *args)

    monkeypatch.setattr(server, "call", overtaken)
    assert node.store.prune(node.lease, ["w/1/1"]) == frozenset()
    assert [run.flow_id for run in node.store.pending_starts(node.group_id)] == ["w/1/2"]
    assert len(node.store.read_flow("w/1/1")) == 2
