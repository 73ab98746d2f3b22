"""A process that lives and loses a lease or a flow's actor for a while has not crashed (PROTOCOL 14, 24)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from maestro_flow import Engine, RunStatus, StepContext, StepResult, StepType, Verdict, Workflow
from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.events import StepInterrupted, decode_events
from maestro_flow.storage.memory import MemoryStorage
from tests.engine.world import Process, World

PATIENCE_S = 20.0


class Poll(StepType):
    """Goes on for ever, or until it has been called so many times."""

    def __init__(self, calls_max: int = 10**9) -> None:
        self.calls, self.calls_max = 0, calls_max

    def execute(self, context: StepContext) -> StepResult:
        self.calls += 1
        return StepResult(Verdict.DONE if self.calls >= self.calls_max else Verdict.CONTINUE, next_poll_s=5)


def poller(process: Process, step_type: StepType | None = None) -> Workflow:
    process.engine._step_types._loaded["Poll"] = step_type or Poll()
    wf = Workflow("poller")
    wf.add("poll", type="Poll")
    return wf


def refuse_once(process: Process, outcome: Outcome) -> None:
    """The next commit of a flow is not done."""
    commit = process.storage.commit

    def refused(batch: Sequence[Commit]) -> list[Outcome]:
        process.storage.commit = commit  # type: ignore[method-assign]
        return [outcome] * len(batch)

    process.storage.commit = refused  # type: ignore[method-assign]


def interruptions(world: World) -> list[StepInterrupted]:
    records = world.storage.read_flow("poller/1/1")
    return [event for record in records for event in decode_events(record.events) if isinstance(event, StepInterrupted)]


def test_a_laptop_that_sleeps_again_and_again_does_not_fail_its_steps() -> None:
    world = World()
    process = world.process()
    process.engine.push(poller(process, Poll(calls_max=60)))
    run = process.engine.start("poller")
    for _ in range(5):
        process.runtime.run(lambda: False, timeout_s=30)
        world.clock.advance(60)  # beyond the lease, and nobody else is there to take the group
    assert run.wait(timeout_s=3600) is RunStatus.SUCCEEDED
    found = interruptions(world)
    assert len(found) == 5
    assert all(event.handed_over and not event.crashes for event in found)
    assert len({record.generation for record in world.storage.read_flow(run.flow_id)}) == 6


def test_a_flow_whose_actor_gave_up_is_not_a_crash_of_its_steps() -> None:
    world = World()
    process = world.process()
    process.engine.push(poller(process, Poll(calls_max=20)))
    run = process.engine.start("poller")
    process.runtime.run(lambda: run.view().steps["poll"].status == "STARTING", timeout_s=5)
    refuse_once(process, Outcome.CONFLICT)  # that it is RUNNING, after a second
    assert run.wait(timeout_s=600) is RunStatus.SUCCEEDED
    assert [(event.handed_over, event.crashes) for event in interruptions(world)] == [(True, 0)]


def test_what_another_process_ran_is_a_suspect_and_its_crash_counts() -> None:
    world = World()
    dead = world.process(seed=1)
    dead.engine.push(poller(dead))
    dead.engine.start("poller")
    dead.runtime.run(lambda: False, timeout_s=5)
    heir = world.process(seed=2)
    poller(heir)
    heir.runtime.run(lambda: False, timeout_s=30)
    assert [(event.handed_over, event.crashes) for event in interruptions(world)] == [(False, 1)]


def test_a_call_that_outlives_its_lease_is_told_and_its_result_does_not_count(tmp_path: Path) -> None:
    """The same step may then be called twice at a time, in one process: the old call knows, and is not believed."""
    entered, gate, left = threading.Event(), threading.Event(), threading.Event()
    seen: list[Any] = []
    wf = Workflow("poller")

    @wf.step
    def work(context: StepContext) -> int:
        if context.execution == 1:
            entered.set()
            gate.wait(PATIENCE_S)
            seen.append(context.is_cancelled())
            left.set()
        return context.execution

    with Engine(f"sqlite:///{tmp_path}/runs.db", lease_s=1.0) as engine:
        engine.push(wf)
        run = engine.start("poller")
        assert entered.wait(PATIENCE_S)
        keeper = engine._node._keeper
        keeper.groups[run.group_id].held.deadline = 0.0  # as after a freeze: the next scan releases the group
        assert run.wait(PATIENCE_S) is RunStatus.SUCCEEDED
        gate.set()
        assert left.wait(PATIENCE_S)
        assert seen == [True]
        assert run.outputs == {"work": 2}


def test_a_flow_that_is_refused_now_and_then_in_a_long_life_is_not_parked() -> None:
    world = World()
    process = world.process(reloads_max=2)
    wf = Workflow("long")
    for number in range(8):
        wf.add(f"s{number}", type="Sleep", params={"sleep_seconds": 100}, after=[f"s{number - 1}"] if number else [])
    process.engine.push(wf)
    run = process.engine.start("long")
    for _ in range(8):
        process.runtime.run(lambda: False, timeout_s=90)
        refuse_once(process, Outcome.CONFLICT)
        process.runtime.run(lambda: False, timeout_s=11)
    assert run.wait(timeout_s=3600) is RunStatus.SUCCEEDED


@pytest.mark.parametrize("reloads_max", [0, 2])
def test_a_flow_that_fails_at_each_load_is_parked_though_each_load_writes(
    reloads_max: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    process = world.process(reloads_max=reloads_max)
    calls: list[int] = []

    def broken(*_args: object) -> None:
        calls.append(1)
        raise LookupError("a defect")

    monkeypatch.setattr("maestro_flow.actors.flow.Execution", broken)
    process.engine.push(poller(process))
    run = process.engine.start("poller")
    process.runtime.run(lambda: False, timeout_s=600)
    assert len(calls) == reloads_max + 1
    assert len(world.storage.read_flow(run.flow_id)) == reloads_max + 1
    assert f"is parked until another owner takes it, after {reloads_max} tries" in caplog.text


def test_a_group_that_the_store_hands_out_again_to_the_same_owner_is_held_once() -> None:
    clock = ManualClock()
    world = World(MemoryStorage(clock))
    process = world.process(lease_s=60)
    process.runtime.run(lambda: False, timeout_s=1.5)
    before = dict(process.engine._node._keeper.groups)
    clock.advance(3600)  # of the store alone: by its clock all leases have expired
    process.runtime.run(lambda: False, timeout_s=3)
    after = process.engine._node._keeper.groups
    assert len(after) == world.storage.group_count
    again = [group_id for group_id in after if after[group_id].held.lease.generation == 2]
    assert again
    assert all(before[group_id].held.lost for group_id in again)


def test_what_was_handed_over_continues_all_at_once_elsewhere(tmp_path: Path) -> None:
    """No suspect is among it, and a deployment must not take longer the more there is to do."""
    store, count = f"sqlite:///{tmp_path}/runs.db", 12
    begun, all_again, never = threading.Barrier(count + 1), threading.Barrier(count), threading.Event()
    wf = Workflow("long")

    @wf.step
    def work(context: StepContext) -> int:
        if context.execution == 1:
            begun.wait(PATIENCE_S)
            while not context.is_cancelled():
                never.wait(0.01)
        else:
            all_again.wait(PATIENCE_S)
        return context.execution

    with Engine(store, executor_threads=count) as leaving:
        leaving.push(wf)
        runs = leaving.start_many("long", [{}] * count)
        begun.wait(PATIENCE_S)
    with Engine(store, executor_threads=count, suspects_max=1, announce_s=3 * PATIENCE_S) as heir:
        heir.push(wf)
        for run in [heir.find("long", run.instance_id) for run in runs]:
            assert run.wait(PATIENCE_S) is RunStatus.SUCCEEDED
            assert run.outputs == {"work": 2}
