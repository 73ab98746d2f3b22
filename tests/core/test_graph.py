"""Graphs: a workflow's own, and those of the bodies of its loops; what a composite step needs."""

from __future__ import annotations

import pytest
from attrs import evolve

from maestro_flow.core.graph import Graph
from maestro_flow.errors import NotFound
from maestro_flow.model.definition import RunRule, RunStrategy, Tag
from tests.model.test_definition_codec import composite


def test_the_root_has_its_loops_as_steps() -> None:
    graph = Graph.of(composite(), 3)
    assert (graph.roots, graph.predecessors) == (("first",), {"loop": 1, "call": 1})
    assert graph.plans["loop"].dynamic == frozenset()


def test_the_body_of_a_loop_is_a_separate_graph() -> None:
    body = Graph.of(composite(), 3, ("loop",))
    assert (list(body.steps), body.roots, body.version) == (["a", "inner"], ("a",), 3)
    assert body.branching == {"a"}
    assert list(Graph.of(composite(), 3, ("loop", "inner")).steps) == ["deep"]


@pytest.mark.parametrize("path", [("first",), ("call",), ("nowhere",), ("loop", "a"), ("inner",)])
def test_only_loops_have_bodies(path: tuple[str, ...]) -> None:
    with pytest.raises(NotFound, match=f"version 3 of workflow 'w' has no loop '{path[-1]}'"):
        Graph.of(composite(), 3, path)


def test_a_body_keeps_the_limits_of_its_workflow_and_waits_for_no_turn() -> None:
    strategy = RunStrategy(RunRule.SEQUENTIAL, 1)
    definition = evolve(
        composite(), step_concurrency=5, tags=(Tag("all", permit=9),), run_strategy=strategy, timeout_s=60.0
    )
    root, body = Graph.of(definition, 1), Graph.of(definition, 1, ("loop",))
    assert body.permits["a"] == root.permits["first"] == {"all": 9, "maestro_w": 5}
    assert not body.definition.run_strategy.is_limited
    assert body.definition.timeout_s is None


def test_a_loop_takes_no_permit_that_its_own_steps_wait_for() -> None:
    definition = evolve(composite(), step_concurrency=1, tags=(Tag("all", permit=1),))
    assert Graph.of(definition, 1).permits["loop"] == {"scarce": 1}
