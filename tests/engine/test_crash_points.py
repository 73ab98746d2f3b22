"""A crash before and after every single commit, then recovery by another process: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from maestro_flow import Run, RunStatus, StepContext, StepStatus, Workflow, open_storage
from maestro_flow.model.events import StepEnded, decode_events
from tests.engine.world import Crash, World, crash_at, unavailable_at

Scenario = Callable[[World], Workflow]


def note(world: World, context: StepContext) -> None:
    world.calls.append(f"{context.step_id}#{context.attempt}.{context.execution}")


def diamond(world: World) -> Workflow:
    wf = Workflow("diamond", params={"n": 2})

    @wf.step
    def a(n: int, context: StepContext) -> int:
        note(world, context)
        return n

    @wf.step(after=[a])
    def b(a: int, context: StepContext) -> int:
        note(world, context)
        return a + 1

    @wf.step(after=[a])
    def c(a: int, context: StepContext) -> int:
        note(world, context)
        return a * 10

    @wf.step(after=[b, c])
    def d(b: int, c: int, context: StepContext) -> int:
        note(world, context)
        return b + c

    return wf


def flaky(world: World) -> Workflow:
    """A retry, a step that fails permanently, and a branch that continues beside it."""
    wf = Workflow("flaky")

    @wf.step(retries=1, retry_wait_s=5)
    def shaky(context: StepContext) -> str:
        note(world, context)
        if context.attempt == 1:
            raise ValueError("not yet")
        return "done"

    @wf.step
    def broken(context: StepContext) -> None:
        note(world, context)
        raise ValueError("never")

    @wf.step(after=[broken])
    def unreached(context: StepContext) -> None:
        note(world, context)

    return wf


def waiting(world: World) -> Workflow:
    """The engine's own steps between the user's."""
    wf = Workflow("waiting")

    @wf.step
    def first(context: StepContext) -> int:
        note(world, context)
        return 1

    wf.add("pause", type="Sleep", params={"sleep_seconds": 30}, after=[first])

    @wf.step(after=["pause"])
    def last(context: StepContext) -> int:
        note(world, context)
        return 2

    return wf


ENDS = {
    "diamond": (RunStatus.SUCCEEDED, {"a": 2, "b": 3, "c": 20, "d": 23}),
    "flaky": (RunStatus.FAILED, {"shaky": "done"}),
    "waiting": (RunStatus.SUCCEEDED, {"first": 1, "last": 2}),
}
SCENARIOS: dict[str, Scenario] = {"diamond": diamond, "flaky": flaky, "waiting": waiting}


def commits_of(scenario: str) -> int:
    """How many commits an undisturbed run makes."""
    world = World()
    process = world.process()
    process.engine.run(SCENARIOS[scenario](world))
    return process.storage.commits


def ends_of(world: World, run: Run) -> Counter[str]:
    """How often each attempt has ended, in the log."""
    return Counter(
        f"{event.step}#{event.attempt}"
        for record in world.storage.read_flow(run.flow_id)
        for event in decode_events(record.events)
        if isinstance(event, StepEnded)
    )


def check(world: World, run: Run, scenario: str, done_before: set[str], calls_before: int) -> None:
    status, outputs = ENDS[scenario]
    assert run.status is status
    assert run.outputs == outputs
    assert set(ends_of(world, run).values()) == {1}, "an attempt ends once (I3)"
    repeated = {call.split("#")[0] for call in world.calls[calls_before:]} & done_before
    assert not repeated, "a step whose success was recorded is not repeated"
    records = world.storage.read_log(run.group_id)
    generations = [record.generation for record in records if record.flow_id == run.flow_id]
    assert generations == sorted(generations), "the generation of a flow never goes back (I1)"
    assert len({record.position for record in records}) == len(records)


CRASHES = [
    (scenario, number, when)
    for scenario in SCENARIOS
    for number in range(1, commits_of(scenario) + 1)
    for when in ("before", "after")
]


@pytest.mark.parametrize(("scenario", "number", "when"), CRASHES)
@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_a_crash_at_any_commit_loses_nothing_and_repeats_nothing_recorded(
    scenario: str, number: int, when: str, store: str, tmp_path: Path
) -> None:
    world = World()
    if store == "sqlite":
        world.storage = open_storage(f"sqlite:///{tmp_path}/runs.db", world.clock)
    workflow = SCENARIOS[scenario](world)
    doomed = world.process(fault=crash_at(number, when))
    doomed.engine.push(workflow)
    run = doomed.engine.start(workflow.id)
    with pytest.raises(Crash):
        run.wait()

    after = world.process(seed=number + 1000)
    run = after.engine.find(workflow.id, run.instance_id)
    done_before = {step_id for step_id, step in run.steps.items() if step.status is StepStatus.SUCCEEDED}
    calls_before = len(world.calls)
    after.engine.push(workflow)
    run.wait(timeout_s=600)
    check(world, run, scenario, done_before, calls_before)
    world.storage.close()


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_sent_again_until_it_is_known(scenario: str, when: str) -> None:
    """PROTOCOL 6: nothing is lost and nothing is applied twice, whether the cut commit ran or not."""
    world = World()
    process = world.process(fault=unavailable_at(set(range(1, 200, 2)), when))
    workflow = SCENARIOS[scenario](world)
    process.engine.push(workflow)
    run = process.engine.start(workflow.id)
    run.wait(timeout_s=600)
    assert process.storage.commits > commits_of(scenario)
    check(world, run, scenario, set(), 0)
    assert Counter(world.calls).most_common(1)[0][1] == 1, "no step ran twice: its start was committed once"
