"""Limits on tags, end to end: never more steps under way than the limit, and nobody waits for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from maestro_flow import Run, RunStatus, Workflow
from maestro_flow.core.permits.state import PermitState
from maestro_flow.core.placement import place
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.definition import Tag
from maestro_flow.model.events import StepEnded, StepStarting, decode_events
from maestro_flow.model.flow_id import FlowId, system_name
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.permits import PERMITS
from maestro_flow.model.status import StepStatus
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import RunQuery, Storage
from maestro_flow.system.permits import PERMIT_FLOW
from tests.engine.world import Crash, Process, World, crash_at, let_pass

HOME = place(PERMITS, range(64))


DB = Tag("db", permit=2)


def sleepers(workflow_id: str, count: int, *, seconds: float = 5.0, step_concurrency: int | None = None) -> Workflow:
    """Steps that need nothing of each other but the tag, and sleep."""
    wf = Workflow(workflow_id, step_concurrency=step_concurrency)
    for number in range(count):
        wf.add(f"s{number}", type="Sleep", params={"sleep_seconds": seconds}, tags=[DB])
    return wf


class Watched(World):
    """A world that knows after each commit how many steps of each tag are under way, by the logs alone."""

    def __init__(self, storage: Storage | None = None) -> None:
        super().__init__(storage)
        self.tags: dict[str, tuple[str, ...]] = {}
        self.active: set[tuple[str, str]] = set()
        self.most: Counter[str] = Counter()
        self.watch(self.storage)

    def watch(self, storage: Storage) -> None:
        self.storage, write = storage, storage.commit

        def commit(batch: Sequence[Commit]) -> list[Outcome]:
            outcomes = write(batch)
            for one, outcome in zip(batch, outcomes, strict=True):
                if outcome is Outcome.DONE and one.flow is not None and not system_name(one.flow.flow_id):
                    self.count(one.flow.flow_id, one.flow.events)
            return outcomes

        storage.commit = commit  # type: ignore[method-assign]

    def count(self, flow_id: str, events: bytes) -> None:
        for event in decode_events(events):
            if isinstance(event, StepStarting):
                self.active.add((flow_id, event.step))
            elif isinstance(event, StepEnded):
                self.active.discard((flow_id, event.step))
            self.most |= Counter(tag for flow, _ in self.active for tag in self.tags[FlowId.parse(flow).workflow_id])

    def push(self, process: Process, workflow: Workflow, *tags: str) -> None:
        process.engine.push(workflow)
        self.tags[workflow.definition.id] = tags

    def permits(self) -> PermitState:
        latest = max(self.storage.list_runs(RunQuery(workflow_id=PERMITS)), key=lambda entry: entry.run_id)
        return PERMIT_FLOW.fold(latest.flow_id, self.storage.read_flow(latest.flow_id))

    def is_at_rest(self) -> bool:
        return not self.permits().requesters and not self.active


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Watched]:
    made = Watched()
    if request.param == "sqlite":
        made.watch(open_storage(f"sqlite:///{tmp_path}/runs.db", made.clock))
    yield made
    made.storage.close()


def statuses(runs: Sequence[Run]) -> set[RunStatus]:
    return {run.status for run in runs}


def test_two_workflows_share_a_tag_and_one_limits_itself(world: Watched) -> None:
    process = world.process()
    world.push(process, sleepers("a", 4), "db")
    world.push(process, sleepers("b", 5, step_concurrency=1), "db", "b")
    runs = [*process.engine.start_many("a", [{}] * 2), *process.engine.start_many("b", [{}] * 2)]
    for run in runs:
        assert run.wait(timeout_s=600) is RunStatus.SUCCEEDED
    assert world.most == {"db": 2, "b": 1}
    let_pass(process, 5.0)
    assert world.is_at_rest()


def test_a_step_that_waits_says_so_and_a_limit_that_is_set_lets_it_go(world: Watched) -> None:
    process = world.process()
    process.engine.set_tag_permit("db", 0)
    world.push(process, sleepers("a", 2), "db")
    run = process.engine.start("a")
    let_pass(process, 5.0)
    assert {step.status for step in run.steps.values()} == {StepStatus.WAITING_FOR_PERMITS}
    process.engine.set_tag_permit("db", 1)
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    assert world.most == {"db": 1}


def test_what_waits_or_holds_when_a_run_is_stopped_is_given_back(world: Watched) -> None:
    process = world.process()
    world.push(process, sleepers("a", 4, seconds=600.0), "db")
    world.push(process, sleepers("b", 2), "db")
    first, second = process.engine.start("a"), process.engine.start("b")
    let_pass(process, 2.0)
    first.stop()
    assert second.wait(timeout_s=60) is RunStatus.SUCCEEDED
    let_pass(process, 5.0)
    assert world.is_at_rest()


def test_attempts_each_ask_for_their_own_permits() -> None:
    world = Watched()
    process = world.process()
    wf = Workflow("flaky")
    calls: list[int] = []

    @wf.step(retries=2, retry_wait_s=1, tags=[Tag("db", permit=1)])
    def work() -> None:
        calls.append(len(calls))
        if len(calls) < 3:
            raise ValueError("not yet")

    world.push(process, wf, "db")
    runs = process.engine.start_many("flaky", [{}] * 3)
    for run in runs:
        assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    let_pass(process, 5.0)
    assert world.is_at_rest()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 46, 2))
def test_whenever_the_process_dies_the_next_one_keeps_the_limit_and_ends_all(
    monkeypatch: pytest.MonkeyPatch, number: int, when: str
) -> None:
    monkeypatch.setattr("maestro_flow.system.permits._EVENTS_MAX", 10)
    world = Watched()
    dying = world.process(seed=number, fault=crash_at(number, when), batch_max=1)
    world.push(dying, sleepers("a", 3), "db")
    world.push(dying, sleepers("b", 3), "db")
    runs = [dying.engine.start("a"), dying.engine.start("b")]
    with pytest.raises(Crash):
        let_pass(dying, 100.0)
    world.clock.advance(60.0)
    heir = world.process(seed=number + 1)
    for run in runs:
        assert heir.engine.find(run.workflow_id).wait(timeout_s=600) is RunStatus.SUCCEEDED
    assert world.most["db"] <= 2
    let_pass(heir, 5.0)
    assert world.is_at_rest()


# -- two owners -------------------------------------------------------------------------------------------------


def hold(world: World, *, home: bool) -> list[Lease]:
    """Somebody else has the group of the permit flow, or all the others, for now."""
    leases = world.storage.claim(Owner("somebody"), lease_s=20.0, limit=64)
    world.storage.release([lease for lease in leases if (lease.group_id == HOME) is not home])
    return [lease for lease in leases if (lease.group_id == HOME) is home]


def together(processes: Sequence[Process], seconds: int) -> None:
    for _ in range(seconds * 4):
        for process in processes:
            let_pass(process, 0.25 / len(processes))


def apart(world: World) -> tuple[Process, Process]:
    """Two processes: one owns the permit flow, the other one the runs that it starts."""
    others = hold(world, home=False)
    permits = world.process(seed=1)
    world.storage.release(others)
    runs = world.process(seed=2)
    assert permits.engine._node.serving_groups() == [HOME]
    assert runs.engine._node.serving_groups()
    return permits, runs


def test_runs_wait_until_the_permit_flow_has_an_owner(world: Watched) -> None:
    hold(world, home=True)
    process = world.process()
    world.push(process, sleepers("a", 3), "db")
    run = process.engine.start("a")
    let_pass(process, 10.0)
    assert {step.status for step in run.steps.values()} == {StepStatus.WAITING_FOR_PERMITS}
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED, "its lease ends after 20 s"
    assert world.most == {"db": 2}


@pytest.mark.parametrize("seconds", [1, 4, 7, 11])
@pytest.mark.parametrize("dies", ["permits", "runs"])
def test_an_owner_that_dies_is_followed_by_the_other_one(world: Watched, dies: str, seconds: int) -> None:
    permits, owner = apart(world)
    world.push(owner, sleepers("a", 4), "db")
    world.push(owner, sleepers("b", 4), "db")
    runs = [owner.engine.start("a"), owner.engine.start("b")]
    together([permits, owner], seconds)
    assert statuses(runs) == {RunStatus.IN_PROGRESS}
    survivor = owner if dies == "permits" else permits
    for run in runs:
        assert survivor.engine.find(run.workflow_id).wait(timeout_s=600) is RunStatus.SUCCEEDED
    assert world.most == {"db": 2}
    let_pass(survivor, 5.0)
    assert world.is_at_rest()


def test_an_owner_that_closes_hands_the_permit_flow_over(world: Watched) -> None:
    permits, owner = apart(world)
    world.push(owner, sleepers("a", 6), "db")
    run = owner.engine.start("a")
    together([permits, owner], 7)
    permits.engine.close()
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    assert world.most == {"db": 2}
    assert HOME in owner.engine._node.serving_groups()
    let_pass(owner, 5.0)
    assert world.is_at_rest()
