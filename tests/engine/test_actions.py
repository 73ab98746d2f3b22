"""Actions of users on runs and steps, from any process, through the store (maestro.md 3.5)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from maestro_flow import (
    Client,
    Conflict,
    DefinitionError,
    Engine,
    NotFound,
    Run,
    RunStatus,
    StepStatus,
    WaitTimeout,
    Workflow,
)
from maestro_flow.clock import Environment
from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.testing import InlineRuntime, ManualClock
from tests.engine.actions_world import PATIENCE_S, ended, seen, sleepers, statuses, when


@pytest.fixture(params=["pooled", "inline"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "inline":
        environment = Environment(ManualClock())
        runtime = InlineRuntime(seed=3, clock=environment.clock)  # type: ignore[arg-type]
        made = Engine("memory://", environment=environment, runtime=runtime)
    else:
        made = Engine("memory://")
    with made:
        yield made


@pytest.fixture
def napping(engine: Engine) -> Run:
    """A run whose first step sleeps for an hour."""
    engine.push(sleepers())
    run = engine.start("long")
    when(run, "nap", StepStatus.STARTING)
    return run


@pytest.fixture
def paused(engine: Engine) -> Run:
    """A run whose first step is paused at a breakpoint."""
    engine.push(sleepers())
    run = engine.start("long", breakpoints=["nap"])
    when(run, "nap", StepStatus.PAUSED)
    return run


# -- the run ----------------------------------------------------------------------------------------------------


def test_a_run_is_stopped_and_cannot_be_stopped_again(napping: Run) -> None:
    napping.stop()
    assert ended(napping) == (RunStatus.STOPPED, {"nap": "STOPPED", "after": "NOT_CREATED"})
    with pytest.raises(Conflict, match=r"run long/1/1 cannot be stopped: it is STOPPED; restart the run"):
        napping.stop()


def test_a_run_is_killed(napping: Run) -> None:
    napping.kill()
    assert ended(napping) == (RunStatus.FAILED, {"nap": "FATALLY_FAILED", "after": "NOT_CREATED"})
    assert napping.view().reason == "killed by a user"
    with pytest.raises(Conflict, match=r"run long/1/1 cannot be killed: it is FAILED"):
        napping.kill()


def test_only_a_run_that_has_failed_is_unblocked(napping: Run) -> None:
    with pytest.raises(
        Conflict, match=r"run long/1/1 cannot be unblocked: the run is IN_PROGRESS; allowed: KILL, STOP"
    ):
        napping.unblock()
    napping.kill()
    napping.wait(PATIENCE_S)
    napping.unblock()
    assert not napping.view().is_blocking


def test_a_strictly_sequential_run_that_has_failed_blocks_until_it_is_unblocked(engine: Engine) -> None:
    strict = RunStrategy(RunRule.STRICT_SEQUENTIAL, 1)
    engine.push(evolve(sleepers().definition, run_strategy=strict))
    run = engine.start("long", breakpoints=["nap"])
    when(run, "nap", StepStatus.PAUSED)
    run.kill()
    run.wait(PATIENCE_S)
    assert run.view().is_blocking
    run.unblock()
    assert not run.view().is_blocking


# -- its steps --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "step", "run"),
    [
        ("stop", "STOPPED", RunStatus.STOPPED),
        ("kill", "FATALLY_FAILED", RunStatus.FAILED),
        ("skip", "SKIPPED", RunStatus.SUCCEEDED),
    ],
)
@pytest.mark.parametrize("breakpoints", [[], ["nap"]], ids=["it runs", "it is paused"])
def test_a_step_that_has_not_ended_is_ended_whether_it_runs_or_waits(
    engine: Engine, breakpoints: list[str], action: str, step: str, run: RunStatus
) -> None:
    engine.push(sleepers())
    acted = engine.start("long", breakpoints=breakpoints)
    when(acted, "nap", StepStatus.PAUSED if breakpoints else StepStatus.STARTING)
    getattr(acted, action)("nap")
    after = "SUCCEEDED" if step == "SKIPPED" else "NOT_CREATED"
    assert ended(acted) == (run, {"nap": step, "after": after})


def test_a_step_is_paused_at_a_breakpoint_and_resumed(paused: Run) -> None:
    assert paused.view().steps["nap"].breakpoint
    paused.clear_breakpoint("nap")
    assert not paused.view().steps["nap"].breakpoint
    assert statuses(paused)["nap"] == "PAUSED", "a step that is paused already stays so"
    paused.resume("nap")
    when(paused, "nap", StepStatus.STARTING)


def test_a_breakpoint_is_set_in_an_active_run(napping: Run) -> None:
    napping.set_breakpoint("after")
    napping.set_breakpoint("after")
    napping.skip("nap")
    when(napping, "after", StepStatus.PAUSED)
    napping.resume("after")
    assert ended(napping)[0] is RunStatus.SUCCEEDED


def test_a_step_whose_turn_has_come_is_paused(engine: Engine) -> None:
    definition = sleepers()
    engine.push(definition)
    lacking = Workflow("waits")

    @lacking.step
    def work() -> None: ...

    engine.storage.push("orphan", _renamed(engine, lacking))
    run = engine.start("orphan")
    seen(run, lambda view: bool(view.steps["work"].waiting_for))
    run.pause("work")
    assert statuses(run) == {"work": "PAUSED"}
    run.stop("work")
    assert ended(run) == (RunStatus.STOPPED, {"work": "STOPPED"})


def _renamed(engine: Engine, workflow: Workflow) -> bytes:
    """A definition whose functions nobody has, because nobody has pushed it under this name."""
    engine.push(workflow)
    stored = engine.storage.definition(workflow.id)
    assert stored is not None
    return stored.body.replace(b'"id":"waits"', b'"id":"orphan"')


@pytest.mark.parametrize(
    ("action", "step", "message"),
    [
        ("pause", "nap", r"step nap of run long/1/1 cannot be paused: step nap is STARTING; allowed: KILL, SKIP, STOP"),
        ("resume", "nap", r"cannot be resumed: step nap is STARTING"),
        ("stop", "after", r"cannot be stopped: step after is NOT_CREATED; nothing is allowed now"),
        ("skip", "after", r"cannot be skipped: step after is NOT_CREATED"),
    ],
)
def test_what_a_step_cannot_have_done_to_it_now_is_a_conflict(
    napping: Run, action: str, step: str, message: str
) -> None:
    with pytest.raises(Conflict, match=message):
        getattr(napping, action)(step)
    assert statuses(napping)["nap"] == "STARTING"


@pytest.mark.parametrize("action", ["stop", "kill", "skip", "pause", "resume", "set_breakpoint", "clear_breakpoint"])
def test_a_step_that_is_not_there_is_said_so(napping: Run, action: str) -> None:
    with pytest.raises(NotFound, match="version 1 of workflow 'long' has no step 'nop'"):
        getattr(napping, action)("nop")


@pytest.mark.parametrize("action", ["stop", "kill", "pause", "resume", "set_breakpoint", "clear_breakpoint"])
def test_steps_of_a_run_that_has_ended_are_left_alone(napping: Run, action: str) -> None:
    napping.stop()
    napping.wait(PATIENCE_S)
    with pytest.raises(Conflict, match=r"step nap of run long/1/1 cannot be .*: the run is STOPPED; restart"):
        getattr(napping, action)("nap")


def test_breakpoints_and_step_params_of_a_start_name_steps_that_exist(engine: Engine) -> None:
    engine.push(sleepers())
    with pytest.raises(NotFound, match="has no step 'nop'"):
        engine.start("long", breakpoints=["nop"])
    with pytest.raises(DefinitionError, match='there is no step "nop"'):
        engine.start("long", step_params={"nop": {"sleep_seconds": 1}})
    assert engine.runs("long") == []


# -- races and distances ----------------------------------------------------------------------------------------


def test_of_two_that_race_one_wins_and_the_other_is_told(tmp_path: Path) -> None:
    """Two clients that know nothing of each other, as two processes are; the engine is a third."""
    store = f"sqlite:///{tmp_path}/runs.db"
    with Engine(store) as engine, Client(store) as one, Client(store) as other:
        engine.push(sleepers())
        run = engine.start("long", breakpoints=["nap"])
        when(run, "nap", StepStatus.PAUSED)
        told: list[str] = []
        begin = threading.Barrier(2)

        def act(client: Client, action: str) -> None:
            found = client.find("long")
            begin.wait(PATIENCE_S)
            try:
                getattr(found, action)("nap", timeout_s=PATIENCE_S)
                told.append("accepted")
            except Conflict as conflict:
                told.append(str(conflict))

        racers = [threading.Thread(target=act, args=given) for given in ((one, "stop"), (other, "kill"))]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert sorted(text == "accepted" for text in told) == [False, True]
        assert run.wait(PATIENCE_S) in (RunStatus.STOPPED, RunStatus.FAILED)


def test_without_an_owner_the_request_stands_and_the_next_one_answers_it(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    with Client(store) as client:
        client.push(sleepers())
        run = client.start("long")
        with pytest.raises(WaitTimeout, match=r"no owner of run long/1/1 has answered the stop after 0.05 s; the req"):
            run.stop(timeout_s=0.05)
        with Engine(store):
            assert run.wait(PATIENCE_S) is RunStatus.STOPPED
