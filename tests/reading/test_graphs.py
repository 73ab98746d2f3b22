"""Graphs by run: each is read and built once, however many iterations follow it."""

from __future__ import annotations

import pytest

from maestro_flow.clock import SystemClock
from maestro_flow.errors import DefinitionError, NotFound
from maestro_flow.model.definition_codec import encode_definition
from maestro_flow.model.flow_id import FlowId
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.storage.memory import MemoryStorage
from tests.model.test_definition_codec import composite

ROOT = FlowId("w", 7, 2)


class CountingStorage(MemoryStorage):
    """A store that counts how often definitions are read."""

    reads = 0

    def definition(self, workflow_id: str, version: int | None = None):  # type: ignore[no-untyped-def]
        self.reads += 1
        return super().definition(workflow_id, version)


@pytest.fixture
def storage() -> CountingStorage:
    storage = CountingStorage(SystemClock())
    storage.push("w", encode_definition(composite()))
    return storage


def test_a_root_follows_its_version(storage: CountingStorage) -> None:
    graphs = GraphCache(storage)
    assert graphs.of_run(str(ROOT), 1) is graphs.of_version("w", 1)


def test_all_iterations_share_the_graph_of_their_loop(storage: CountingStorage) -> None:
    graphs = GraphCache(storage)
    bodies = [graphs.of_run(str(ROOT.child("loop", iteration)), 1) for iteration in range(1, 100)]
    assert list(bodies[0].steps) == ["a", "inner"]
    assert all(body is bodies[0] for body in bodies)
    deep = graphs.of_run(str(ROOT.child("loop", 5).child("inner", 2)), 1)
    assert list(deep.steps) == ["deep"]
    assert graphs.of_run(str(FlowId("w", 8, 1).child("loop", 6, 2).child("inner", 1)), 1) is deep
    assert storage.reads == 1


@pytest.mark.parametrize(
    ("flow_id", "version", "problem"),
    [
        (ROOT.child("a", 1), 1, "version 1 of workflow 'w' has no loop 'a'"),
        (ROOT.child("first", 1), 1, "version 1 of workflow 'w' has no loop 'first'"),
        (ROOT.child("loop", 1), 2, "workflow 'w' has no version 2 in the store"),
        (FlowId("other", 1, 1), 1, "workflow 'other' has no version 1"),
    ],
)
def test_what_is_not_there_is_said(storage: CountingStorage, flow_id: FlowId, version: int, problem: str) -> None:
    with pytest.raises(NotFound, match=problem):
        GraphCache(storage).of_run(str(flow_id), version)


def test_a_kind_of_step_that_is_not_known_cannot_be_read(storage: CountingStorage) -> None:
    storage.push("new", b'{"id":"new","steps":[{"kind":"parallel","id":"a"}]}')
    with pytest.raises(DefinitionError, match="cannot be read by this maestro-flow: Invalid enum value 'parallel'"):
        GraphCache(storage).of_version("new", 1)
