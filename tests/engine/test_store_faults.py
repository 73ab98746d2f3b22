"""A store that is away for a while, or has failed for good: what the node does, and what users see; virtual clock."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from maestro_flow import Engine, RunStatus, StepContext, WaitTimeout, Workflow
from maestro_flow.clock import SystemClock
from maestro_flow.errors import SchemaMismatch, StorageError, StorageReset, StorageUnavailable, StorageUnusable
from maestro_flow.storage.memory import MemoryStorage
from tests.engine.wires import VERBS, Wire
from tests.engine.workflows import sleeper
from tests.engine.world import Process, World, let_pass

PATIENCE_S = 60.0
FAILURES = [StorageReset("flushed"), StorageUnusable("closed"), SchemaMismatch("newer")]
BACKGROUND = [
    "renew",
    "commit",
    "acknowledge_starts",
    "purge_messages",
    "load_flows",
    "receive",
    "pending_starts",
    "claim",
]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def wire(world: World) -> Wire:
    return Wire(world.storage)


@pytest.fixture
def process(world: World, wire: Wire) -> Process:
    process = world.process(storage=wire)
    process.engine.push(sleeper(20.0))
    return process


def test_a_store_that_is_away_for_a_while_costs_nothing_but_the_time(
    process: Process, wire: Wire, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    runs = process.engine.start_many("sleeper", [{}] * 20)
    let_pass(process, 2.0)
    wire.breaks(StorageUnavailable("no connection"))
    let_pass(process, 6.0)
    wire.heals()
    for run in runs:
        assert run.wait(timeout_s=15) is RunStatus.SUCCEEDED
        steps = world.state(run).steps.values()
        assert {(step.attempt, step.execution, step.crashes) for step in steps} == {(1, 1, 0)}
    assert {record.generation for record in world.storage.read_log(runs[0].group_id)} == {1}, "no group was lost"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, "one line when it begins, and one when it ends"
    assert "no connection" in said[0]
    assert "answers again" in said[1]


def test_a_store_that_is_away_for_longer_than_the_lease_costs_an_execution_and_no_crash(
    process: Process, wire: Wire, world: World
) -> None:
    runs = process.engine.start_many("sleeper", [{}] * 20)
    let_pass(process, 2.0)
    wire.breaks(StorageUnavailable("no connection"))
    let_pass(process, 15.0)
    assert process.engine._node.serving_groups() == [], "lost by the deadline, without a word from the store"
    wire.heals()
    for run in runs:
        assert run.wait(timeout_s=15) is RunStatus.SUCCEEDED
        steps = world.state(run).steps.values()
        assert {(step.attempt, step.crashes) for step in steps} == {(1, 0)}


def test_callers_are_told_of_an_outage_and_waiters_keep_waiting(process: Process, wire: Wire) -> None:
    engine = process.engine
    run = engine.start("sleeper")
    wire.breaks(StorageUnavailable("no connection"))
    for call in (lambda: engine.start("sleeper", request_id="r"), engine.runs, engine.unfinished, run.view, run.stop):
        with pytest.raises(StorageUnavailable, match="no connection"):
            call()
    with pytest.raises(WaitTimeout, match="its state is unknown, because no connection"):
        run.wait(timeout_s=3.0)
    process.runtime.call_later(2.0, wire.heals)
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    again = engine.start("sleeper", request_id="r")
    assert engine.start("sleeper", request_id="r").flow_id == again.flow_id


def test_a_start_that_is_durable_does_not_fail_because_its_definition_cannot_be_read(
    process: Process, wire: Wire
) -> None:
    def away_after_the_start(verb: str, _args: tuple[Any, ...], _options: dict[str, Any]) -> None:
        if verb == "start":
            engine._session.graphs._graphs.clear()  # as if a thousand others had been used meanwhile
        elif verb == "definition" and "start" in wire.calls:
            raise StorageUnavailable("no connection")

    engine = process.engine
    wire.before = away_after_the_start
    run = engine.start("sleeper")
    assert wire.calls[-1] == "definition"
    wire.heals()
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED, "a scan has found it"


def test_who_lost_everything_to_an_absence_releases_nothing_at_the_close(
    process: Process, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.breaks(StorageUnavailable("no connection"))
    let_pass(process, 15.0)
    caplog.clear()
    process.engine.close()
    assert caplog.messages == []


def test_a_scan_that_asks_for_nothing_does_not_say_that_the_store_answers_again(
    process: Process, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    wire.breaks(StorageUnavailable("no connection"))
    let_pass(process, 2.0)
    process.engine._node._keeper.close()  # the scans of a node continue until it is closed, too
    let_pass(process, 3.0)
    assert not [said for said in caplog.messages if "answers again" in said]


def test_following_and_stopping_survive_an_outage(process: Process, wire: Wire) -> None:
    run = process.engine.start("sleeper")
    views = run.follow(timeout_s=60)
    assert not next(views).status.is_terminal
    process.runtime.call_later(2.0, lambda: wire.breaks(StorageUnavailable("no connection")))
    process.runtime.call_later(5.0, wire.heals)
    assert [view.status for view in views][-1] is RunStatus.SUCCEEDED

    run = process.engine.start("sleeper")
    let_pass(process, 1.0)
    wire.breaks(StorageUnavailable("no connection"), VERBS - {"read_flow", "send"})
    process.runtime.call_later(3.0, wire.heals)
    run.stop()
    assert run.wait(timeout_s=30) is RunStatus.STOPPED


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
def test_a_store_that_has_failed_ends_the_node_and_everybody_is_told(
    failure: StorageError, process: Process, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    engine = process.engine
    run = engine.start("sleeper")
    let_pass(process, 2.0)
    process.runtime.call_later(1.0, lambda: wire.breaks(failure))
    with pytest.raises(type(failure), match=str(failure)):
        run.wait()
    let_pass(process, 2.0)
    assert engine._node._keeper.groups == {}
    for call in (engine.check, lambda: engine.start("sleeper"), engine.runs, run.view, run.wait, run.stop):
        with pytest.raises(type(failure), match=str(failure)):
            call()
    calls = len(wire.calls)
    let_pass(process, 100.0)
    assert len(wire.calls) == calls, "it is not asked any more"
    errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(errors) == 1
    assert str(failure) in errors[0]
    assert not [record for record in caplog.records if record.exc_info], "no traceback: it is nobody's defect"
    engine.close()
    assert wire.calls[calls:] == [], "what was lost is not released either"


@pytest.mark.parametrize("verb", BACKGROUND)
def test_whichever_call_is_told_first(verb: str, world: World, wire: Wire) -> None:
    first = world.process(seed=1)
    first.engine.push(sleeper(5.0))
    first.engine.start("sleeper")
    let_pass(first, 2.0)
    first.engine.close()
    wire.breaks(StorageReset("flushed"), frozenset({verb}))
    process = world.process(seed=2, storage=wire)
    process.engine._node._purge_at = 0.0
    with pytest.raises(StorageReset, match="flushed"):
        process.engine.start("sleeper").wait(timeout_s=60)
    with pytest.raises(StorageReset, match="flushed"):
        process.engine.start("sleeper")


def test_a_step_that_runs_is_told_to_stop_when_the_store_has_failed() -> None:
    wire = Wire(MemoryStorage(SystemClock()))
    began, was_told = threading.Event(), threading.Event()
    wf = Workflow("long")

    @wf.step
    def long(context: StepContext) -> None:
        began.set()
        while not context.is_cancelled():
            pass
        was_told.set()

    with Engine(wire, lease_s=1.0) as engine:
        engine.push(wf)
        run = engine.start("long")
        assert began.wait(PATIENCE_S)
        wire.breaks(StorageReset("flushed"))
        with pytest.raises(StorageReset):
            run.wait(PATIENCE_S)
        assert was_told.wait(PATIENCE_S)


def test_other_refusals_do_not_end_the_node(process: Process, wire: Wire) -> None:
    """A StorageError that is neither away nor failed is about one call: the scans continue."""
    tries: list[int] = []

    def before(verb: str, _args: tuple[Any, ...], _options: dict[str, Any]) -> None:
        if verb == "pending_starts" and len(tries) < 3:
            tries.append(1)
            raise StorageError("this one not")

    run = process.engine.start("sleeper")
    wire.before = before
    process.engine.start_many("sleeper", [{}] * 5)
    assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
