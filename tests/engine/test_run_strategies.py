"""Run strategies in the engine: the log of the group, in order of position, says who ran beside whom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import frozen

from maestro_flow import Client, Conflict, Run, RunStatus, StepContext, Workflow, open_storage
from maestro_flow.core.placement import place
from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.events import RunEnded, RunQueued, RunStarted, decode_events
from maestro_flow.model.inbox import Message
from tests.engine.world import Crash, Process, World, crash_at, let_pass

SEQUENTIAL = RunStrategy(RunRule.SEQUENTIAL, 1)
STRICT = RunStrategy(RunRule.STRICT_SEQUENTIAL, 1)
FIRST_ONLY = RunStrategy(RunRule.FIRST_ONLY, 1)
LAST_ONLY = RunStrategy(RunRule.LAST_ONLY, 1)
SERIAL_LATEST_ONLY = RunStrategy(RunRule.SERIAL_LATEST_ONLY, 1)


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    world = World()
    if request.param == "sqlite":
        world.storage = open_storage(f"sqlite:///{tmp_path}/runs.db", world.clock)
    yield world
    world.storage.close()


def worker(strategy: RunStrategy, seconds: float = 10.0, workflow_id: str = "job") -> Workflow:
    """A run of it takes as long as this."""
    wf = Workflow(workflow_id, run_strategy=strategy)
    wf.add("pause", type="Sleep", params={"sleep_seconds": seconds})
    return wf


def wait_all(runs: list[Run]) -> list[RunStatus]:
    return [run.wait(timeout_s=100_000) for run in runs]


@frozen
class Story:
    """The runs of a workflow by the log: flow ids in the order in which they began; the most that were active at
    once."""

    began: list[str]
    ended: dict[str, RunEnded]
    at_once_max: int


def story(world: World, workflow_id: str = "job") -> Story:
    group_id = place(workflow_id, range(world.storage.group_count))
    began: list[str] = []
    ended: dict[str, RunEnded] = {}
    going: set[str] = set()
    at_once_max = after = 0
    while page := world.storage.read_log(group_id, after=after):
        after = page[-1].position
        for record in page:
            for event in decode_events(record.events, record.schema_version):
                if isinstance(event, RunStarted) and event.workflow_id == workflow_id:
                    began.append(record.flow_id)
                    going.add(record.flow_id)
                elif isinstance(event, RunEnded) and record.flow_id.startswith(f"{workflow_id}/"):
                    ended[record.flow_id] = event
                    going.discard(record.flow_id)
                at_once_max = max(at_once_max, len(going))
    return Story(began, ended, at_once_max)


def ids(*instance_ids: int) -> list[str]:
    return [f"job/{instance_id}/1" for instance_id in instance_ids]


# -- one by one ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_hundred_sequential_runs_follow_each_other_in_order(world: World, seed: int) -> None:
    process = world.process(seed)
    process.engine.push(worker(SEQUENTIAL))
    runs = process.engine.start_many("job", [{}] * 60)
    runs += [process.engine.start("job") for _ in range(40)]
    assert set(wait_all(runs)) == {RunStatus.SUCCEEDED}
    told = story(world)
    assert told.began == ids(*range(1, 101))
    assert told.at_once_max == 1


def test_a_limit_of_three_is_kept_and_used(world: World) -> None:
    process = world.process()
    process.engine.push(worker(RunStrategy(RunRule.PARALLEL, 3)))
    assert set(wait_all(process.engine.start_many("job", [{}] * 30))) == {RunStatus.SUCCEEDED}
    told = story(world)
    assert told.at_once_max == 3
    assert sorted(told.began) == sorted(ids(*range(1, 31)))


def test_a_run_that_need_not_wait_costs_no_commit_more_than_one_without_a_strategy() -> None:
    commits = {}
    for strategy in (SEQUENTIAL, RunStrategy()):
        world = World()
        process = world.process()
        process.engine.push(worker(strategy, 0.0))
        process.engine.start("job").wait()
        commits[strategy] = process.storage.commits
    assert commits[SEQUENTIAL] == commits[RunStrategy()]


def test_a_run_that_waits_is_queued_with_one_commit_and_begins_with_another(world: World) -> None:
    process = world.process()
    process.engine.push(worker(SEQUENTIAL))
    first, second = process.engine.start("job"), process.engine.start("job")
    let_pass(process, 5.0)
    assert (first.status, second.status) == (RunStatus.IN_PROGRESS, RunStatus.CREATED)
    assert len(world.storage.read_flow(second.flow_id)) == 1
    wait_all([first, second])
    kinds = [
        [type(event) for event in decode_events(record.events)] for record in world.storage.read_flow(second.flow_id)
    ]
    assert kinds[0] == [RunQueued]
    assert kinds[1][0] is RunStarted


def test_a_run_that_another_process_has_started_before_comes_first() -> None:
    """The owner hears of 2 at once, and of 1 by its scan."""
    world = World()
    process = world.process()
    process.engine.push(worker(SEQUENTIAL))
    with Client(world.storage) as client:
        client.start("job")
    runs = [process.engine.find("job", 1), process.engine.start("job")]
    wait_all(runs)
    assert story(world).began == ids(1, 2)


@pytest.mark.parametrize("action", ["stop", "kill"])
def test_a_queued_run_that_is_ended_never_begins(world: World, action: str) -> None:
    process = world.process()
    process.engine.push(worker(SEQUENTIAL))
    runs = process.engine.start_many("job", [{}] * 4)
    let_pass(process, 1.0)
    for run in runs[1:3]:
        process.send(Message(run.group_id, f"end {run.flow_id}", run.flow_id, action))
    status = RunStatus.STOPPED if action == "stop" else RunStatus.FAILED
    assert wait_all(runs) == [RunStatus.SUCCEEDED, status, status, RunStatus.SUCCEEDED]
    assert story(world).began == ids(1, 4)


# -- only one of them ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_last_only_ends_with_the_newest_whatever_the_burst(world: World, seed: int) -> None:
    process = world.process(seed)
    process.engine.push(worker(LAST_ONLY, 100.0))
    runs: list[Run] = []
    for count in (1, 5, 1, 1, 20):
        runs += process.engine.start_many("job", [{}] * count)
        let_pass(process, seed * 0.7)
    statuses = wait_all(runs)
    assert statuses[-1] is RunStatus.SUCCEEDED
    assert set(statuses[:-1]) == {RunStatus.STOPPED}
    told = story(world)
    assert told.at_once_max == 1
    assert told.began[-1] == runs[-1].flow_id
    assert {end.reason.startswith("run strategy LAST_ONLY: instance ") for end in told.ended.values() if end.reason}


def test_last_only_tells_the_running_one_for_whom_it_is_stopped(world: World) -> None:
    process = world.process()
    process.engine.push(worker(LAST_ONLY))
    first = process.engine.start("job")
    let_pass(process, 1.0)
    second = process.engine.start("job")
    assert wait_all([first, second]) == [RunStatus.STOPPED, RunStatus.SUCCEEDED]
    assert world.state(first).reason == "run strategy LAST_ONLY: instance 2 is newer"


def test_first_only_stops_runs_that_come_while_the_first_is_active(world: World) -> None:
    process = world.process()
    process.engine.push(worker(FIRST_ONLY))
    runs = process.engine.start_many("job", [{}] * 10)
    runs.append(process.engine.start("job"))
    statuses = wait_all(runs)
    assert statuses == [RunStatus.SUCCEEDED] + [RunStatus.STOPPED] * 10
    assert world.state(runs[5]).reason == "run strategy FIRST_ONLY: instance 1 has not ended"
    assert process.engine.start("job").wait() is RunStatus.SUCCEEDED
    assert story(world).began == ids(1, 12)


def test_serial_latest_only_never_stops_what_runs(world: World) -> None:
    process = world.process()
    process.engine.push(worker(SERIAL_LATEST_ONLY))
    runs = [process.engine.start("job")]
    let_pass(process, 1.0)
    runs += process.engine.start_many("job", [{}] * 5)
    statuses = wait_all(runs)
    assert statuses == [RunStatus.SUCCEEDED, *[RunStatus.STOPPED] * 4, RunStatus.SUCCEEDED]
    assert story(world).began == ids(1, 6)


# -- what has failed blocks ---------------------------------------------------------------------------------------


def failing(strategy: RunStrategy, first_fails: int) -> Workflow:
    """The first instances of it fail, in their first run."""
    wf = Workflow("job", run_strategy=strategy)

    @wf.step(retries=0)
    def work(context: StepContext) -> None:
        if context.instance_id <= first_fails and context.run_id == 1:
            raise ValueError("broken")

    return wf


def blocked(world: World, seed: int = 0) -> tuple[Process, list[Run]]:
    """Instance 1 has failed, 2 and 3 wait."""
    process = world.process(seed)
    process.engine.push(failing(STRICT, 1))
    runs = process.engine.start_many("job", [{}] * 3)
    let_pass(process, 60.0)
    assert [run.status for run in runs] == [RunStatus.FAILED, RunStatus.CREATED, RunStatus.CREATED]
    return process, runs


def test_a_failed_run_blocks_until_it_is_unblocked(world: World) -> None:
    process, runs = blocked(world)
    process.send(Message(runs[0].group_id, "unblock 1", runs[0].flow_id, "unblock"))
    assert wait_all(runs[1:]) == [RunStatus.SUCCEEDED, RunStatus.SUCCEEDED]
    assert runs[0].status is RunStatus.FAILED
    assert story(world).began == ids(1, 2, 3)


def test_a_restart_unblocks_and_comes_first(world: World) -> None:
    _, runs = blocked(world)
    again = runs[0].restart()
    assert set(wait_all([again, *runs[1:]])) == {RunStatus.SUCCEEDED}
    assert story(world).began == ["job/1/1", "job/1/2", "job/2/1", "job/3/1"]


@pytest.mark.parametrize("way", ["unblock", "restart"])
def test_what_blocks_still_blocks_for_the_next_owner(world: World, way: str) -> None:
    process, _ = blocked(world)
    process.engine.close()
    heir = world.process(seed=2)
    heir.engine.push(failing(STRICT, 1))
    let_pass(heir, 60.0)
    runs = [heir.engine.find("job", number) for number in (1, 2, 3)]
    assert [run.status for run in runs] == [RunStatus.FAILED, RunStatus.CREATED, RunStatus.CREATED]
    if way == "unblock":
        heir.send(Message(runs[0].group_id, "unblock 1", runs[0].flow_id, "unblock"))
    else:
        runs.append(runs[0].restart())
    assert set(wait_all(runs[1:])) == {RunStatus.SUCCEEDED}


def test_what_blocks_is_found_even_when_nothing_waits(world: World) -> None:
    process = world.process()
    process.engine.push(failing(STRICT, 1))
    assert process.engine.start("job").wait() is RunStatus.FAILED
    process.engine.close()
    heir = world.process(seed=2)
    heir.engine.push(failing(STRICT, 1))
    run = heir.engine.start("job")
    let_pass(heir, 60.0)
    assert run.status is RunStatus.CREATED


# -- takeovers ----------------------------------------------------------------------------------------------------


def crashed(world: World, strategy: RunStrategy, number: int, when: str) -> list[Run]:
    """Six runs, whose owner dies at this commit; what is left is ended by its heir."""
    doomed = world.process(fault=crash_at(number, when))
    doomed.engine.push(worker(strategy, 2.0))
    try:
        doomed.engine.start_many("job", [{}] * 3)
        let_pass(doomed, 1.0)
        doomed.engine.start_many("job", [{}] * 3)
        let_pass(doomed, 3.0)
        doomed.runtime.run(lambda: False, timeout_s=100.0)
    except Crash:
        pass
    heir = world.process(seed=number + 100)
    runs = [heir.engine.find("job", entry.instance_id) for entry in heir.engine.runs("job")]
    runs.sort(key=lambda run: run.instance_id)
    wait_all(runs)
    return runs


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 13))
def test_a_takeover_at_any_commit_keeps_what_sequential_promises(world: World, number: int, when: str) -> None:
    runs = crashed(world, SEQUENTIAL, number, when)
    assert {run.status for run in runs} == {RunStatus.SUCCEEDED}
    told = story(world)
    assert told.began == [run.flow_id for run in runs]
    assert told.at_once_max == 1


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 13))
@pytest.mark.parametrize("strategy", [LAST_ONLY, FIRST_ONLY, SERIAL_LATEST_ONLY], ids=lambda one: one.rule)
def test_a_takeover_at_any_commit_keeps_what_the_others_promise(strategy: RunStrategy, number: int, when: str) -> None:
    world = World()
    runs = crashed(world, strategy, number, when)
    told = story(world)
    assert told.at_once_max == 1
    assert told.began == sorted(told.began)
    if strategy is FIRST_ONLY:
        assert runs[0].status is RunStatus.SUCCEEDED
    else:
        assert runs[-1].status is RunStatus.SUCCEEDED


def test_a_group_that_is_handed_over_continues_in_order(world: World) -> None:
    first = world.process(seed=1)
    first.engine.push(worker(SEQUENTIAL))
    first.engine.start_many("job", [{}] * 5)
    let_pass(first, 15.0)
    first.engine.close()
    second = world.process(seed=2)
    runs = [second.engine.find("job", number) for number in range(1, 6)]
    assert set(wait_all(runs)) == {RunStatus.SUCCEEDED}
    told = story(world)
    assert (told.began, told.at_once_max) == (ids(1, 2, 3, 4, 5), 1)


# -- others -------------------------------------------------------------------------------------------------------


def neighbour_of(workflow_id: str, groups: int) -> str:
    """Another workflow whose queue is in the same group."""
    group_id = place(workflow_id, range(groups))
    return next(f"near{i}" for i in range(10_000) if place(f"near{i}", range(groups)) == group_id)


def steps_of_neighbour(queued: int) -> int:
    """How many things happen while a run of another workflow goes through the same group."""
    world = World()
    process = world.process()
    near = neighbour_of("job", world.storage.group_count)
    process.engine.push(worker(SEQUENTIAL, 1e6))
    process.engine.push(worker(SEQUENTIAL, 0.0, near))
    for _ in range(queued // 1000):
        process.engine.start_many("job", [{}] * 1000)
    process.engine.start(near).wait()
    let_pass(process, 5.0)
    before = process.runtime.steps
    run = process.engine.start(near)
    assert run.wait() is RunStatus.SUCCEEDED
    return process.runtime.steps - before


def test_thousands_that_wait_do_not_delay_another_workflow_of_their_group() -> None:
    assert steps_of_neighbour(4000) <= steps_of_neighbour(0) + 3, "but for a scan that falls into it"


def test_all_runs_of_a_limited_workflow_are_in_one_group_whoever_starts_them() -> None:
    world = World()
    process = world.process()
    process.engine.push(worker(SEQUENTIAL, 0.0))
    with Client(world.storage) as client:
        groups = {run.group_id for run in client.start_many("job", [{}] * 5)}
    groups |= {run.group_id for run in process.engine.start_many("job", [{}] * 5)}
    assert groups == {place("job", range(world.storage.group_count))}


# -- switching ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [FIRST_ONLY, LAST_ONLY], ids=lambda one: one.rule)
def test_a_switch_that_would_stop_runs_is_refused(world: World, strategy: RunStrategy) -> None:
    process = world.process()
    process.engine.push(worker(SEQUENTIAL))
    runs = process.engine.start_many("job", [{}] * 2)
    with pytest.raises(Conflict) as refusal:
        process.engine.push(worker(strategy))
    assert str(refusal.value) == (
        f"workflow job cannot be switched to {strategy.rule} now: job/2/1, job/1/1 and perhaps more runs have not "
        "ended, and all but one would be stopped. Stop them, or wait for them, and push again"
    )
    runs[0].wait()
    assert process.engine.push(worker(strategy)) == 2, "one may be active"
    process.engine.start_many("job", [{}] * 2)
    assert process.engine.push(worker(strategy, 1.0)) == 3, "it is not a switch"


def test_a_switch_to_strict_is_refused_while_a_failed_run_would_block(world: World) -> None:
    process = world.process()
    process.engine.push(failing(SEQUENTIAL, 2))
    runs = process.engine.start_many("job", [{}] * 2)
    assert wait_all(runs) == [RunStatus.FAILED, RunStatus.FAILED], "under this strategy, they do not block"
    with pytest.raises(Conflict) as refusal:
        process.engine.push(failing(STRICT, 2))
    assert str(refusal.value) == (
        "workflow job cannot be switched to STRICT_SEQUENTIAL now: run job/2/1 has FAILED and would block all others. "
        "Restart or unblock what has failed, and push again"
    )
    process.send(Message(runs[0].group_id, "unblock 1", runs[0].flow_id, "unblock"))
    assert runs[1].restart().wait() is RunStatus.SUCCEEDED
    let_pass(process, 5.0)
    assert process.engine.push(failing(STRICT, 2)) == 2


def test_a_queue_goes_by_the_newest_version_that_has_a_live_run(world: World) -> None:
    process = world.process()
    process.engine.push(worker(SEQUENTIAL))
    runs = process.engine.start_many("job", [{}] * 3)
    let_pass(process, 1.0)
    process.engine.push(worker(RunStrategy(RunRule.PARALLEL, 4)))
    runs.append(process.engine.start("job"))
    let_pass(process, 1.0)
    assert {run.status for run in runs} == {RunStatus.IN_PROGRESS}
