"""Several processes on one store, on the virtual clock: takeover, fencing, hand-over, starts and stops across them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
import pytest

from maestro_flow import Conflict, RunStatus, StepContext, StepStatus, WaitTimeout, Workflow
from maestro_flow.actors.inline import InlineRuntime
from maestro_flow.model.commit import Commit, FlowWrite, Outcome
from maestro_flow.model.events import StepInterrupted, decode_events
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import RunEntry
from maestro_flow.storage.memory import MemoryStorage
from tests.engine.workflows import sleeper
from tests.engine.world import Process, World, drop_calls, let_pass, unavailable_at


def events_of(world: World, flow_id: str) -> list[object]:
    return [event for record in world.storage.read_flow(flow_id) for event in decode_events(record.events)]


def test_a_dead_owners_runs_are_taken_over_after_its_lease() -> None:
    world = World()
    dead = world.process(seed=1)
    dead.engine.push(sleeper(60.0))
    run = dead.engine.start("sleeper")
    let_pass(dead, 5.0)
    other = world.process(seed=2)
    began = world.clock.monotonic()
    taken = other.engine.find("sleeper")
    assert taken.wait(timeout_s=120) is RunStatus.SUCCEEDED
    step = taken.steps["pause"]
    assert step.started_at is not None
    assert step.ended_at is not None
    assert 60 <= step.ended_at - step.started_at < 62, "it sleeps the rest, not the whole again"
    assert world.clock.monotonic() - began < 60
    assert {record.generation for record in world.storage.read_flow(run.flow_id)} == {1, 2}


def test_a_frozen_owner_that_wakes_up_writes_nothing_and_competes_again() -> None:
    world = World()
    frozen = world.process(seed=1)
    frozen.engine.push(sleeper(1.0))
    run = frozen.engine.start("sleeper")
    let_pass(frozen, 0.5)
    other = world.process(seed=2)  # nothing of ``frozen`` runs from here on
    assert other.engine.find("sleeper").wait(timeout_s=60) is RunStatus.SUCCEEDED
    records = world.storage.read_flow(run.flow_id)
    let_pass(frozen, 3.0)
    assert world.storage.read_flow(run.flow_id) == records
    assert frozen.engine._node.serving_groups() == []
    again = frozen.engine.start("sleeper")
    let_pass(other, 5.0)
    assert again.status is RunStatus.SUCCEEDED, "a node without groups may still start runs: their owner takes them up"


def test_a_stale_owner_that_ignores_its_own_deadline_is_refused_by_the_store() -> None:
    """The fence, not the clock, is what protects (law 2): the journal's own check is taken away here."""
    world = World()
    stale = world.process(seed=1)
    stale.engine.push(sleeper(30.0))
    run = stale.engine.start("sleeper")
    let_pass(stale, 0.5)
    for owned in stale.engine._node._keeper.groups.values():
        owned.held.deadline = float("inf")
    other = world.process(seed=2)
    let_pass(other, 15.0)
    assert len(other.engine._node.serving_groups()) == 64
    outcomes: list[Outcome] = []
    commit = stale.storage.commit
    stale.storage.commit = lambda batch: outcomes.extend(done := commit(batch)) or done  # type: ignore[method-assign, func-returns-value]
    before = world.storage.read_flow(run.flow_id)
    # Only the timers of the stale process run: its scan, which would tell it, is put off.
    stale.engine._node._keeper.tick = lambda: None  # type: ignore[method-assign]
    let_pass(stale, 20.0)
    assert Outcome.OWNERSHIP_LOST in outcomes
    assert not any(outcome.is_durable for outcome in outcomes)
    assert world.storage.read_flow(run.flow_id) == before
    assert other.engine.find("sleeper").wait(timeout_s=120) is RunStatus.SUCCEEDED


def test_a_closed_node_hands_its_groups_over_at_once() -> None:
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper(60.0))
    first.engine.start("sleeper")
    let_pass(first, 1.0)
    second = world.process(seed=2)
    assert second.engine._node.serving_groups() == []
    first.engine.close()
    let_pass(second, 1.5)
    assert len(second.engine._node.serving_groups()) == 64


def test_a_start_on_a_node_without_groups_is_taken_up_by_their_owner() -> None:
    world = World()
    owner, guest = world.process(seed=1), world.process(seed=2)
    guest.engine.push(sleeper(0.1))
    run = guest.engine.start("sleeper", request_id="r")
    assert run.view().status is RunStatus.CREATED
    let_pass(owner, 3.0)
    assert run.view().status is RunStatus.SUCCEEDED
    assert guest.engine.start("sleeper", request_id="r").flow_id == run.flow_id
    assert world.storage.pending_starts(run.group_id) == []


def test_a_crash_right_after_a_start_was_accepted_leaves_no_orphan() -> None:
    world = World()
    dead = world.process(seed=1)
    dead.engine.push(sleeper(0.1))
    run = dead.engine.start("sleeper")  # accepted, and not a single commit
    assert world.storage.read_flow(run.flow_id) == []
    assert world.process(seed=2).engine.find("sleeper").wait(timeout_s=30) is RunStatus.SUCCEEDED


def test_a_stop_from_another_node_is_answered_by_the_owner() -> None:
    world = World()
    owner, guest = world.process(seed=1), world.process(seed=2)
    owner.engine.push(sleeper(60.0))
    owner.engine.start("sleeper")
    let_pass(owner, 1.0)
    world.storage.send(message := Message(guest.engine.find("sleeper").group_id, "m1", "sleeper/1/1", "stop"))
    let_pass(owner, 3.0)
    assert guest.engine.find("sleeper").status is RunStatus.STOPPED
    settled = world.storage.message(message.group_id, "m1")
    assert settled is not None
    assert settled.outcome == "accepted"
    assert world.storage.send(message).outcome == "accepted", "a resend finds the answer (PROTOCOL 16)"


@pytest.mark.parametrize(
    ("message", "outcome"),
    [
        (Message(0, "m", "gone/1/1", "stop"), "conflict: there is no run gone/1/1"),
        (
            Message(0, "m", "gone/1/1", "dance"),
            "conflict: in this version, gone/1/1 does not accept messages of kind 'dance'",
        ),
    ],
)
def test_mail_that_no_flow_will_take_is_settled_all_the_same(message: Message, outcome: str) -> None:
    world = World()
    owner = world.process()
    world.storage.send(message)
    let_pass(owner, 3.0)
    settled = world.storage.message(0, "m")
    assert settled is not None
    assert settled.outcome == outcome


def test_a_message_over_which_owners_fail_becomes_a_dead_letter() -> None:
    world = World()
    world.storage.send(Message(0, "m", "any/1/1", "stop"))
    for number in range(6):
        (lease,) = [
            lease
            for lease in world.storage.claim(Owner(f"failing-{number}"), lease_s=1, limit=64)
            if lease.group_id == 0
        ]
        world.storage.receive(lease)
        world.clock.advance(2)
    let_pass(world.process(), 5.0)
    dead = world.storage.message(0, "m")
    assert dead is not None
    assert dead.state == "dead"
    assert "6 owners" in dead.outcome


def test_the_crash_of_a_process_is_counted_only_after_a_recorded_running() -> None:
    world = World()

    def workflow() -> Workflow:
        wf = Workflow("killer")

        @wf.step
        def innocent(context: StepContext) -> int:
            return context.execution

        return wf

    def hang(process: Process) -> None:
        """Commits reach the store, but the executor never gets to a job: the process dies with it queued."""
        drop_calls(process)

    first = world.process(seed=1)
    hang(first)
    first.engine.push(workflow())
    run = first.engine.start("killer")
    let_pass(first, 1.0)
    assert run.steps["innocent"].status is StepStatus.STARTING
    for seed in (2, 3):
        process = world.process(seed=seed)
        hang(process)
        process.engine.push(workflow())
        let_pass(process, 15.0)
    interrupted = [event for event in events_of(world, run.flow_id) if isinstance(event, StepInterrupted)]
    assert [event.crashes for event in interrupted] == [0, 1]
    last = world.process(seed=4)
    last.engine.push(workflow())
    run = last.engine.find("killer")
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    assert run.outputs == {"innocent": 4}


def test_a_flow_of_a_newer_version_is_parked_and_delays_no_other() -> None:
    """PROTOCOL 27: an event kind that this version does not know."""
    world = World()
    process = world.process()
    process.engine.push(sleeper(0.1))
    lease = process.engine._node._keeper.groups[5].held.lease
    entry = RunEntry("sleeper/99/1", "sleeper", 1, 99, 1, 5, RunStatus.IN_PROGRESS, 0.0)
    events = msgspec.json.encode([{"kind": "teleported", "step": "pause"}])
    written = FlowWrite("sleeper/99/1", 1, "c", 10**6, 0.0, events, entry=entry)
    assert world.storage.commit([Commit(lease, written)]) == [Outcome.DONE]
    process.engine.close()
    other = world.process(seed=2)
    runs = other.engine.start_many("sleeper", [{}] * 70)
    assert {run.wait(timeout_s=60) for run in runs} == {RunStatus.SUCCEEDED}
    let_pass(other, 60.0)
    assert len(world.storage.read_flow("sleeper/99/1")) == 1
    with pytest.raises(Exception, match="teleported"):
        other.engine.find("sleeper", 99).status  # noqa: B018


def test_a_revision_that_somebody_else_wrote_makes_the_flow_load_again() -> None:
    """PROTOCOL 4: not done means out of memory and in again; here a foreign hand writes revision 2 first."""
    world = World()
    process = world.process()
    process.engine.push(sleeper(5.0))
    run = process.engine.start("sleeper")
    let_pass(process, 1.0)
    lease = process.engine._node._keeper.groups[run.group_id].held.lease
    last = world.storage.last_position(run.group_id)
    revision = len(world.storage.read_flow(run.flow_id)) + 1
    foreign = FlowWrite(run.flow_id, revision, "foreign", last + 1000, world.clock.time(), b"[]")
    assert world.storage.commit([Commit(lease, foreign)]) == [Outcome.DONE]
    process.engine._node._journal._positions[run.group_id] = last + 1000
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    assert "foreign" in {record.commit_id for record in world.storage.read_flow(run.flow_id)}


def test_two_runs_of_one_seed_are_the_same_history() -> None:
    def history(seed: int) -> list[tuple[str, int, bytes]]:
        world = World()
        process = world.process(seed=seed)
        process.engine.push(sleeper(1.0))
        for run in process.engine.start_many("sleeper", [{}] * 5):
            run.wait(timeout_s=60)
        return [
            (record.flow_id, record.position, record.events)
            for group_id in range(64)
            for record in world.storage.read_log(group_id)
        ]

    assert history(3) == history(3)
    assert isinstance(World().process().runtime, InlineRuntime)


def test_stopping_what_has_ended_is_a_typed_conflict() -> None:
    world = World()
    process = world.process()
    process.engine.run(sleeper(0.1))
    with pytest.raises(Conflict, match="SUCCEEDED"):
        process.engine.find("sleeper").stop()


def test_a_lease_without_an_owner_is_not_a_lease() -> None:
    storage = MemoryStorage(World().clock)
    assert storage.commit([Commit(Lease(0, 1, "nobody"))]) == [Outcome.OWNERSHIP_LOST]


def test_a_lease_shorter_than_the_scan_is_renewed_in_time_all_the_same() -> None:
    world = World()
    process = world.process(lease_s=1.0, scan_s=5.0)
    process.engine.push(sleeper(20.0))
    run = process.engine.start("sleeper")
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    assert {record.generation for record in world.storage.read_flow(run.flow_id)} == {1}, "never lost, never won again"


def test_asking_again_for_a_run_that_has_ended_starts_nothing(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper(0.1))
    run = first.engine.start("sleeper", request_id="once")
    run.wait(timeout_s=60)
    let_pass(first, 2.0)
    first.engine.close()
    records = world.storage.read_flow(run.flow_id)
    again = world.process(seed=2)
    assert again.engine.start("sleeper", request_id="once").wait(timeout_s=60) is RunStatus.SUCCEEDED
    let_pass(again, 5.0)
    assert world.storage.read_flow(run.flow_id) == records
    assert not caplog.records


def test_a_stop_that_no_owner_answers_says_so_and_stands() -> None:
    world = World()
    gone = world.process(seed=1)
    gone.engine.push(sleeper(60.0))
    gone.engine.start("sleeper")
    let_pass(gone, 1.0)
    guest = world.process(seed=2, lease_s=100.0)
    with pytest.raises(WaitTimeout, match="no owner of run sleeper/1/1 has answered the stop"):
        guest.engine.find("sleeper").stop(timeout_s=1.0)
    assert guest.engine.find("sleeper").wait(timeout_s=60) is RunStatus.STOPPED, "its next owner reads its messages"


@pytest.mark.parametrize("seed", range(20))
def test_a_retry_that_is_due_before_its_own_commit_is_durable_is_made_at_once(seed: int) -> None:
    world = World()
    process = world.process(seed=seed, fault=unavailable_at({2, 3, 4}, "after"))
    wf = Workflow("quick")

    @wf.step(retries=2, retry_wait_s=0.01)
    def fails_once(context: StepContext) -> int:
        if context.attempt == 1:
            raise ValueError("not yet")
        return context.attempt

    assert process.engine.run(wf, timeout_s=60).outputs == {"fails_once": 2}


def test_a_scan_that_fails_in_an_unforeseen_way_is_followed_by_another() -> None:
    world = World()
    process = world.process()
    process.engine.push(sleeper(20.0))
    tick, calls = process.engine._node._keeper.tick, list[int]()

    def broken_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        tick()

    process.engine._node._keeper.tick = broken_once  # type: ignore[method-assign]
    run = process.engine.start("sleeper")
    with pytest.raises(RuntimeError, match="unforeseen"):
        let_pass(process, 5.0)
    assert run.wait(timeout_s=120) is RunStatus.SUCCEEDED
    assert len(calls) > 10


@pytest.mark.parametrize("seed", range(20))
def test_a_stop_beside_the_last_commit_is_answered_either_way(seed: int) -> None:
    world = World()
    process = world.process(seed=seed)
    process.engine.push(sleeper(0.5))
    run = process.engine.start("sleeper")
    let_pass(process, 0.49)
    message = Message(run.group_id, "m", run.flow_id, "stop")
    process.send(message)
    let_pass(process, 3.0)
    settled = world.storage.message(run.group_id, "m")
    assert settled is not None
    assert settled.outcome in ("accepted", "conflict: the run is STOPPED; allowed: RESTART")


def test_an_idle_node_asks_the_store_one_thing_a_scan() -> None:
    world = World()
    asked: Counter[str] = Counter()

    class Counting:
        def __getattr__(self, name: str) -> Any:
            verb = getattr(world.storage, name)

            def call(*args: Any, **kwargs: Any) -> Any:
                asked[name] += 1
                return verb(*args, **kwargs)

            return call if callable(verb) else verb

    process = world.process(storage=Counting())
    process.runtime.run(lambda: False, timeout_s=5)
    asked.clear()
    process.runtime.run(lambda: False, timeout_s=60)
    assert set(asked) == {"renew"}
    assert asked["renew"] <= 61
