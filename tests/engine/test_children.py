"""The children of a loop, which nothing starts yet: they are read, shown, verified and run as any other flow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from maestro_flow import Client, Conflict, RunStatus, StepStatus, Workflow
from maestro_flow.core.inputs import Report
from maestro_flow.model.status import Verdict
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.steps.context import StepContext
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import Storage
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.testing import ManualClock
from maestro_flow.verify.checker import check
from maestro_flow.verify.store import read_history, verify
from tests.engine.family import CHILD, GRANDCHILD, INNER, LEASE_S, LOOP, OTHER, ROOT, Family
from tests.engine.world import World


@pytest.fixture(params=["memory", "sqlite"])
def family(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Family]:
    clock = ManualClock()
    in_memory = request.param == "memory"
    storage: Storage = MemoryStorage(clock) if in_memory else open_storage(f"sqlite:///{tmp_path}/family.db", clock)
    family = Family(storage, clock)
    family.found()
    yield family
    storage.close()


def broken(family: Family) -> list[tuple[str, str]]:
    """What the checker finds in the store, by invariant; it is the same for all of the store in memory."""
    graphs = GraphCache(family.storage)
    found = [
        (each.invariant, each.message) for each in verify(family.storage, graphs, SYSTEM_FLOWS, live=False).violations
    ]
    assert [
        (each.invariant, each.message) for each in check(read_history(family.storage, graphs, SYSTEM_FLOWS))
    ] == found
    return found


def succeeded(step: str) -> Report:
    return Report(step, 1, 1, Verdict.DONE)


def failed(step: str) -> Report:
    return Report(step, 1, 1, Verdict.FATAL_ERROR)


# -- reading ----------------------------------------------------------------------------------------------------


def test_a_child_is_read_with_the_graph_of_its_loop(family: Family) -> None:
    family.child(CHILD, x=3)
    entry = family.storage.run(CHILD)
    assert entry is not None
    assert (entry.workflow_id, entry.version, entry.instance_id, entry.parent) == (LOOP, 1, 3, LOOP)
    state = family.reader.state(entry, family.storage.read_flow(CHILD))
    assert list(state.graph.steps) == ["fetch", "transform", "inner"]
    assert state.request.parent == LOOP
    assert state.steps["fetch"].params["twice"].value == 6


def test_a_child_is_listed_under_its_parent_and_found_and_shown(family: Family) -> None:
    family.child(OTHER, x=2)
    family.write(family.write(family.child(CHILD, x=3), succeeded("fetch")), succeeded("transform"))
    family.child(GRANDCHILD)
    with Client(family.storage) as client:
        assert [entry.flow_id for entry in client.runs()] == [ROOT]
        assert {entry.flow_id for entry in client.runs(parent=LOOP)} == {OTHER, CHILD}
        assert {entry.flow_id for entry in client.runs(LOOP)} == {OTHER, CHILD}
        assert [entry.flow_id for entry in client.runs(parent=INNER)] == [GRANDCHILD]
        run = client.find(LOOP, 3)
        assert (run.flow_id, run.version) == (CHILD, 1)
        view = run.view()
        assert (view.workflow_id, view.instance_id, view.run_id) == (LOOP, 3, 1)
        assert {step.id: (step.type, step.status) for step in view.steps.values()} == {
            "fetch": ("NoOp", StepStatus.SUCCEEDED),
            "transform": ("Python", StepStatus.SUCCEEDED),
            "inner": ("foreach", StepStatus.INITIALIZED),
        }
        assert [step.id for step in run.definition.steps] == ["fetch", "transform", "inner"]
        assert "foreach" in run.explain("inner").sentence
        assert "inner" in run.explain().sentence
        assert [moment.what for moment in run.timeline("fetch")] == ["STARTING", "SUCCEEDED"]
        assert list(client.find(INNER, 1).steps) == ["deep"]


def test_a_child_is_not_restarted_by_itself(family: Family) -> None:
    family.write(family.child(OTHER, x=2), failed("fetch"))
    with Client(family.storage) as client, pytest.raises(Conflict, match=f"belongs to step each of run {ROOT}"):
        client.find(LOOP, 2).restart()


def test_a_child_that_follows_another_keeps_what_is_complete(family: Family) -> None:
    state = family.write(family.write(family.child(OTHER, x=2), succeeded("fetch")), failed("transform"))
    assert state.status is RunStatus.FAILED
    again = family.child(f"{LOOP}/2/2", previous=OTHER, x=2)
    assert again.carried == {"fetch"}
    assert again.steps["transform"].status is StepStatus.STARTING
    assert broken(family) == []


# -- verifying --------------------------------------------------------------------------------------------------


def test_nothing_is_wrong_with_a_family(family: Family) -> None:
    for iteration in (1, 2, 3):
        family.child(f"{LOOP}/{iteration}/1", x=iteration)
    family.child(GRANDCHILD)
    assert broken(family) == []
    found = verify(family.storage, GraphCache(family.storage), SYSTEM_FLOWS, live=False)
    assert (found.runs, found.groups) == (5, 1)


def test_an_index_with_another_parent_is_found(family: Family) -> None:
    family.write(family.child(OTHER, x=2), succeeded("fetch"), parent=INNER)
    assert broken(family) == [("I21", f"the index shows parent {INNER}, not {LOOP}")]


def test_a_child_that_says_it_has_another_parent_is_found(family: Family) -> None:
    family.child(OTHER, x=2, parent=INNER)
    assert broken(family) == [("I14", f"the log of {OTHER} says that step {INNER!r} started it, not {LOOP}")]


def test_a_child_of_a_step_that_is_not_a_loop_is_found(family: Family) -> None:
    """Its records are those of an iteration; only its id says that it belongs to another step."""
    family.child(OTHER, x=2, filed_as=f"{ROOT}/first/2/1")
    assert [invariant for invariant, _ in broken(family)] == ["I20"]


# -- running ----------------------------------------------------------------------------------------------------


def workflow(keys: list[str]) -> Workflow:
    """The code of the function in the body, for a node that has it."""
    wf = Workflow("etl")

    @wf.step
    def transform(context: StepContext) -> int:
        keys.append(context.idempotency_key)
        return int(context.run_params["x"]) * 10

    return wf


def test_a_live_child_is_taken_over_and_runs_to_its_end(family: Family) -> None:
    family.child(OTHER, x=2)
    family.child(CHILD, x=3)
    world, keys = World(family.storage, family.clock), list[str]()
    engine = world.process(lease_s=LEASE_S).engine
    engine.push(workflow(keys))
    child = engine.find(LOOP, 2)
    assert child.wait(60) is RunStatus.SUCCEEDED
    assert child.outputs == {"transform": 20}
    assert f"{OTHER}/transform" in keys
    assert child.steps["inner"].status is StepStatus.UNSATISFIED
    entry = family.storage.run(OTHER)
    assert entry is not None
    assert (entry.workflow_id, entry.parent, entry.version) == (LOOP, LOOP, 1)
    waiting = engine.find(LOOP, 3)
    assert waiting.status is RunStatus.IN_PROGRESS
    assert "foreach" in waiting.explain("inner").sentence
    assert engine.find("etl").status is RunStatus.IN_PROGRESS
    assert broken(family) == []


def test_a_user_acts_on_a_child(family: Family) -> None:
    family.child(CHILD, x=3)
    world = World(family.storage, family.clock)
    engine = world.process(lease_s=LEASE_S).engine
    engine.find(LOOP, 3).stop()
    assert engine.find(LOOP, 3).wait(60) is RunStatus.STOPPED
    assert engine.find("etl").status is RunStatus.IN_PROGRESS
    assert broken(family) == []
