"""Promises that hold only as long as one line is where it is: each test fails without it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from maestro_flow import Engine, RunStatus, StepContext, StepResult, StepStatus, StepType, Verdict, Workflow
from maestro_flow.clock import Environment
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.events import StepEnded, decode_events
from maestro_flow.model.inbox import Message
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.testing import InlineRuntime, ManualClock
from tests.engine.workflows import sleeper
from tests.engine.world import Process, World, drop_calls, let_pass, unavailable_at

PATIENCE_S = 20.0


def before_each(process: Process, verb: str, act: Callable[[], None]) -> None:
    """Do something before each call of a verb of this process's store."""
    call = getattr(process.storage, verb)

    def acted(*args: Any, **options: Any) -> Any:
        act()
        return call(*args, **options)

    setattr(process.storage, verb, acted)


# -- ownership ----------------------------------------------------------------------------------------------------


def test_a_lease_counts_from_before_the_renewal_was_sent() -> None:
    world = World()
    process = world.process()
    owned = process.engine._node._keeper.groups[7]
    sent: list[float] = []

    def slow() -> None:
        sent.append(world.clock.monotonic())
        world.clock.advance(0.2)

    before_each(process, "renew", slow)
    let_pass(process, 7.0)
    deadlines = {at + 10.0 for at in sent}
    assert len(sent) > 3
    assert owned.held.deadline in deadlines


def test_a_group_that_was_lost_is_marked_before_its_actors_hear_of_it() -> None:
    world = World()
    first = world.process(seed=1)
    held = [owned.held for owned in first.engine._node._keeper.groups.values()]
    world.clock.advance(11)
    world.process(seed=2)
    first.engine._node._keeper.tick()  # and not one step of the runtime: no actor has heard of it
    assert len(held) == 64
    assert all(one.lost for one in held)


def test_a_group_that_was_not_renewed_in_time_is_released_though_it_is_unclaimed() -> None:
    world = World()
    process = world.process()
    before = process.engine._node._keeper.groups[7].held
    world.clock.advance(11)
    let_pass(process, 3.0)
    after = process.engine._node._keeper.groups[7].held
    assert before.lost
    assert after.lease.generation == before.lease.generation + 1


def test_now_is_the_clock_of_the_store() -> None:
    here, there = ManualClock(1_700_000_000.0), ManualClock(1_900_000_000.0)
    with Engine(MemoryStorage(there), environment=Environment(here), runtime=InlineRuntime(1, here)) as engine:
        wf = Workflow("now")
        wf.add("step", type="NoOp")
        view = engine.run(wf, timeout_s=60).view()
    assert view.ended_at == pytest.approx(there.time(), abs=1.0)


# -- loading ------------------------------------------------------------------------------------------------------


def test_every_page_of_a_group_is_loaded() -> None:
    clock = ManualClock()
    world = World(MemoryStorage(clock, groups=1))
    world.clock = clock
    first = world.process(seed=1)
    first.engine.push(sleeper(60.0))
    first.engine.start_many("sleeper", [{}] * 450)
    let_pass(first, 5.0)
    clock.advance(11)
    heir = world.process(seed=2)
    runs = heir.engine.unfinished()
    assert len(runs) == 450
    assert {run.wait(timeout_s=120) for run in runs} == {RunStatus.SUCCEEDED}


def test_mail_is_received_only_after_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    dead = world.process(seed=1)
    dead.engine.push(sleeper())
    run = dead.engine.start("sleeper")
    let_pass(dead, 1.0)
    world.storage.send(Message(run.group_id, "m", run.flow_id, "stop"))
    world.clock.advance(11)
    load_flows, tries = world.storage.load_flows, list[int]()

    def late(group_id: int, *, after: str = "", limit: int = 100) -> Any:
        if group_id == run.group_id and len(tries) < 8:
            tries.append(1)
            raise StorageUnavailable("not yet")
        return load_flows(group_id, after=after, limit=limit)

    monkeypatch.setattr(world.storage, "load_flows", late)
    heir = world.process(seed=2)
    assert heir.engine.find("sleeper").wait(timeout_s=60) is RunStatus.STOPPED
    assert len(tries) == 8
    message = world.storage.message(run.group_id, "m")
    assert message is not None
    assert message.outcome == "accepted"


def test_a_given_run_is_taken_up_with_the_load_and_not_by_a_scan_after_it() -> None:
    world = World()
    dead = world.process(seed=1)
    dead.engine.push(sleeper())
    run = dead.engine.start("sleeper")  # and not a single commit
    world.clock.advance(11)
    heir = world.process(seed=2, scan_s=60.0, lease_s=300.0)
    let_pass(heir, 1.0)
    assert heir.engine.find("sleeper").status is RunStatus.IN_PROGRESS
    assert world.storage.read_flow(run.flow_id)


def test_a_stop_in_hand_when_its_flow_is_lost_reaches_the_flow_that_is_loaded_again() -> None:
    world = World()
    process = world.process()
    process.engine.push(sleeper())
    run = process.engine.start("sleeper")
    let_pass(process, 2.0)
    commit, refused = process.storage.commit, list[int]()

    def refuse_once(batch: Sequence[Commit]) -> list[Outcome]:
        refused.append(len(batch))
        return [Outcome.CONFLICT] * len(batch) if len(refused) == 1 else commit(batch)

    process.storage.commit = refuse_once  # type: ignore[method-assign]
    run.stop(timeout_s=30)
    assert run.wait(timeout_s=30) is RunStatus.STOPPED
    assert len(refused) > 1


# -- attempts -----------------------------------------------------------------------------------------------------


class Job(StepType):
    """Leaves a handle, then continues until it is terminated."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self, context: StepContext) -> StepResult:
        self.calls.append("start")
        return StepResult(Verdict.CONTINUE, artifacts={"handle": "job-7"}, next_poll_s=0)

    def execute(self, context: StepContext) -> StepResult:
        self.calls.append("execute")
        return StepResult(Verdict.CONTINUE, next_poll_s=5)

    def terminate(self, context: StepContext) -> StepResult:
        self.calls.append("terminate")
        return StepResult(Verdict.STOPPED)


def job(process: Process) -> tuple[Job, Workflow]:
    made = process.engine._step_types._loaded["Job"] = Job()
    wf = Workflow("job")
    wf.add("work", type="Job")
    return made, wf


def test_what_a_call_leaves_is_durable_before_the_next_call() -> None:
    tries: list[list[str]] = []

    def away(_number: int, when: str) -> None:
        if when == "before" and "start" in made.calls and len(tries) < 5:
            tries.append(list(made.calls))
            raise StorageUnavailable("not now")

    process = World().process(fault=away)
    made, wf = job(process)
    process.engine.push(wf)
    process.engine.start("job")
    let_pass(process, 30.0)
    assert tries == [["start"]] * 5
    assert made.calls[:2] == ["start", "execute"]


def test_an_attempt_whose_termination_hangs_ends_after_the_grace() -> None:
    world = World()
    process = world.process(terminate_grace_s=10.0)
    made, wf = job(process)
    process.engine.push(wf)
    run = process.engine.start("job")
    let_pass(process, 3.0)
    drop_calls(process)
    asked = world.clock.monotonic()
    run.stop()
    assert run.wait(timeout_s=60) is RunStatus.STOPPED
    assert "terminate" not in made.calls
    assert world.clock.monotonic() - asked == pytest.approx(10.0, abs=1.0)


def test_an_attempt_that_is_given_up_leaves_its_place_to_others() -> None:
    release = threading.Event()
    wf = Workflow("hangs")

    @wf.step(timeout_s=0.1)
    def hangs() -> None:
        release.wait(PATIENCE_S)

    wf.add("pause", type="Sleep", params={"sleep_seconds": 600})  # the flow stays active, and keeps its slots
    other = Workflow("other")

    @other.step
    def work() -> int:
        return 1

    with Engine("memory://", executor_queue_max=1) as engine:
        engine.push(wf)
        run = engine.start("hangs")
        for view in run.follow(timeout_s=PATIENCE_S):
            if view.steps["hangs"].status is StepStatus.TIMED_OUT:
                break
        assert engine.run(other, timeout_s=PATIENCE_S).outputs == {"work": 1}
        release.set()


def test_large_results_are_written_in_several_commits() -> None:
    world = World()
    # While the store is away, all results come in, and are decided together.
    process = world.process(commit_bytes_max=100, fault=unavailable_at({2, 3, 4}, "before"))
    wf = Workflow("large")
    for number in range(6):
        wf.step(id=f"s{number}")(lambda: "x" * 80)
    run = process.engine.run(wf, timeout_s=60)
    ends = [
        sum(isinstance(event, StepEnded) for event in decode_events(record.events))
        for record in world.storage.read_flow(run.flow_id)
    ]
    assert sum(ends) == 6
    assert max(ends) <= 2


# -- the rest -----------------------------------------------------------------------------------------------------


def test_answers_are_forgotten_after_a_day() -> None:
    world = World()
    process = world.process(tombstones_s=7200.0)
    world.storage.send(Message(0, "m", "gone/1/1", "stop"))
    let_pass(process, 3700.0)
    assert world.storage.message(0, "m") is not None
    let_pass(process, 3 * 3600.0)
    assert world.storage.message(0, "m") is None


def test_who_waits_in_the_same_process_is_woken_and_does_not_only_look_now_and_then() -> None:
    world = World()
    process = world.process()
    process.engine.push(sleeper(0.25))
    run = process.engine.start("sleeper")
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    assert run.view().ended_at == pytest.approx(world.clock.time(), abs=0.001)
