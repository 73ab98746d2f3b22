"""Restarts: a new run of an instance that has ended, or one more attempt in an active run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from maestro_flow import Client, Conflict, DefinitionError, Engine, NotFound, Run, RunStatus, StepStatus, Workflow
from maestro_flow.clock import Environment
from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.params import Param, ParamMode, ParamType
from maestro_flow.storage.protocol import RunQuery
from maestro_flow.testing import InlineRuntime, ManualClock
from tests.engine.actions_world import PATIENCE_S, ended, sleepers, statuses, when

OK = ("SUCCEEDED", 1)


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


class Etl:
    """``extract`` -> ``load`` -> ``report``, and ``audit`` beside them; ``load`` fails as long as it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.is_broken = True
        self.workflow = wf = Workflow("etl", params={"day": 1})

        @wf.step
        def extract(day: int) -> int:
            self.calls.append("extract")
            return day * 10

        @wf.step(after=[extract])
        def load(extract: int, day: int) -> int:
            self.calls.append("load")
            if self.is_broken:
                raise ValueError("the disk is full")
            return extract + day

        @wf.step(after=[load])
        def report(load: int) -> str:
            self.calls.append("report")
            return f"{load} rows"

        @wf.step
        def audit() -> None:
            self.calls.append("audit")


@pytest.fixture
def etl() -> Etl:
    return Etl()


@pytest.fixture
def failed(engine: Engine, etl: Etl) -> Run:
    """The first run: ``load`` has failed. Whatever runs next succeeds."""
    engine.push(etl.workflow)
    run = engine.start("etl", params={"day": 2})
    assert run.wait(PATIENCE_S) is RunStatus.FAILED
    etl.is_broken = False
    etl.calls.clear()
    return run


def by_run(run: Run) -> dict[str, tuple[str, int]]:
    return {step_id: (str(step.status), step.run_id) for step_id, step in run.steps.items()}


def test_what_is_incomplete_runs_again_and_the_rest_stands(failed: Run, etl: Etl) -> None:
    again = failed.restart()
    assert (again.instance_id, again.run_id, again.version) == (failed.instance_id, 2, failed.version)
    assert again.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert etl.calls == ["load", "report"]
    assert by_run(again) == {
        "extract": ("SUCCEEDED", 1),
        "load": ("SUCCEEDED", 2),
        "report": ("SUCCEEDED", 2),
        "audit": ("SUCCEEDED", 1),
    }
    assert again.outputs["extract"] == 20, "the results of the run before are those of this one"
    assert (again.view().instance_status, failed.view().instance_status) == (RunStatus.SUCCEEDED, RunStatus.FAILED)


def test_a_restart_of_a_restart_continues_all_runs_before_it(failed: Run, etl: Etl) -> None:
    etl.is_broken = True
    second = failed.restart()
    assert second.wait(PATIENCE_S) is RunStatus.FAILED
    etl.is_broken = False
    third = second.restart()
    assert third.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert {step: run for step, (_, run) in by_run(third).items()} == {
        "extract": 1, "load": 3, "report": 3, "audit": 1,
    }  # fmt: skip


def test_everything_runs_again_from_the_beginning(failed: Run, etl: Etl) -> None:
    again = failed.restart(from_beginning=True)
    assert again.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert sorted(etl.calls) == ["audit", "extract", "load", "report"]
    assert {run for _, run in by_run(again).values()} == {2}


def test_a_step_and_what_follows_it_runs_again(failed: Run, etl: Etl) -> None:
    done = failed.restart()
    done.wait(PATIENCE_S)
    etl.calls.clear()
    again = done.restart(step="load")
    assert again.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert etl.calls == ["load", "report"]
    assert by_run(again)["extract"] == ("SUCCEEDED", 1)


def test_what_stands_and_has_failed_makes_the_instance_fail(failed: Run) -> None:
    """Only ``audit`` runs again: the run succeeds, the instance still has a step that has not."""
    again = failed.restart(step="audit")
    assert again.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert by_run(again)["load"] == ("FATALLY_FAILED", 1)
    assert again.view().instance_status is RunStatus.FAILED


def test_a_step_is_skipped_by_a_restart(failed: Run, etl: Etl) -> None:
    etl.is_broken = True
    again = failed.restart(skip_steps=["load"], breakpoints=["report"])
    when(again, "report", StepStatus.PAUSED)
    assert statuses(again)["load"] == "SKIPPED"
    assert etl.calls == []
    again.stop()


def test_skipping_a_step_of_a_run_that_has_ended_is_a_restart_without_it(failed: Run, etl: Etl) -> None:
    again = failed.skip("audit")
    assert (again.run_id, again.wait(PATIENCE_S)) == (2, RunStatus.SUCCEEDED)
    assert by_run(again)["audit"] == ("SKIPPED", 2)
    assert etl.calls == []


def test_the_same_request_is_the_same_run(failed: Run) -> None:
    again = failed.restart(request_id="monday")
    again.wait(PATIENCE_S)
    assert failed.restart(request_id="monday").flow_id == again.flow_id
    with pytest.raises(Conflict, match="monday"):
        failed.restart(request_id="monday", from_beginning=True)


def test_params_of_the_run_and_of_a_step_are_changed_by_a_restart(engine: Engine) -> None:
    wf = Workflow("params", params={"day": 1})
    wf.add("nap", type="Sleep", params={"sleep_seconds": 0.0})
    wf.add("quick", type="NoOp")
    engine.push(wf)
    first = engine.start("params", params={"day": 2}, step_params={"nap": {"sleep_seconds": 0.01}})
    assert first.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert (first.view().params, first.steps["nap"].params) == ({"day": 2}, {"sleep_seconds": 0.01})
    again = first.restart(from_beginning=True, params={"day": 3}, step_params={"nap": {"sleep_seconds": 0.02}})
    assert again.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert (again.view().params, again.steps["nap"].params) == ({"day": 3}, {"sleep_seconds": 0.02})
    third = again.restart(step="quick")
    assert third.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert third.steps["nap"].params == {"sleep_seconds": 0.02}, "it stands as the run before has left it"


def test_a_param_that_only_a_start_may_change_is_not_changed_by_a_restart(engine: Engine) -> None:
    wf = Workflow("modes")
    wf.add("only", type="NoOp")
    day = Param(ParamType.LONG, 1, ParamMode.MUTABLE_ON_START)
    engine.push(evolve(wf.definition, params={"day": day}))
    first = engine.start("modes", params={"day": 2})
    first.wait(PATIENCE_S)
    with pytest.raises(DefinitionError, match=r"params\.day: .*MUTABLE_ON_START"):
        first.restart(from_beginning=True, params={"day": 3})


# -- what cannot be ---------------------------------------------------------------------------------------------


def test_an_active_run_is_not_restarted(engine: Engine) -> None:
    engine.push(sleepers())
    run = engine.start("long")
    when(run, "nap", StepStatus.STARTING)
    with pytest.raises(Conflict, match=r"run long/1/1 cannot be restarted: it is IN_PROGRESS; stop it first"):
        run.restart()
    with pytest.raises(Conflict, match=r"step nap of run long/1/1 cannot be restarted: step nap is STARTING"):
        run.restart(step="nap")


def test_what_is_complete_is_not_restarted_by_default(failed: Run) -> None:
    again = failed.restart()
    again.wait(PATIENCE_S)
    with pytest.raises(Conflict, match=r"run etl/1/2 cannot be restarted: every step of it is complete; restart it fr"):
        again.restart()


def test_only_the_latest_run_is_restarted(failed: Run) -> None:
    failed.restart().wait(PATIENCE_S)
    with pytest.raises(Conflict, match="etl"):
        failed.restart()


@pytest.mark.parametrize(
    ("wishes", "error", "message"),
    [
        ({"step": "nop"}, NotFound, "version 1 of workflow 'etl' has no step 'nop'"),
        ({"skip_steps": ["nop"]}, NotFound, "has no step 'nop'"),
        ({"breakpoints": ["nop"]}, NotFound, "has no step 'nop'"),
        ({"step_params": {"nop": {}}}, DefinitionError, 'there is no step "nop"'),
        ({"step": "report"}, Conflict, "cannot be restarted from step report, which is NOT_CREATED: restart what is i"),
        ({"step": "load", "from_beginning": True}, Conflict, "both from the beginning and from step load"),
        ({"skip_steps": ["audit"]}, Conflict, "without step audit, which is SUCCEEDED and is not run again"),
        ({"params": {"day": "many"}}, DefinitionError, "day"),
    ],
)
def test_what_a_restart_cannot_be_is_said_so(
    failed: Run, wishes: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        failed.restart(**wishes)
    assert failed._session.storage.list_runs(RunQuery(workflow_id="etl", limit=1))[0].run_id == 1


# -- in an active run -------------------------------------------------------------------------------------------


def test_a_step_that_has_failed_is_restarted_in_its_run(engine: Engine, etl: Etl) -> None:
    etl.workflow.add("nap", type="Sleep", params={"sleep_seconds": 3600})
    engine.push(etl.workflow)
    run = engine.start("etl")
    when(run, "load", StepStatus.FATALLY_FAILED)
    etl.is_broken = False
    forbidden = (
        r"restarted inside the run, which is IN_PROGRESS: params, request_id can only be given when the run has ended"
    )
    with pytest.raises(Conflict, match=forbidden):
        run.restart(step="load", params={"day": 3}, request_id="r")
    assert run.restart(step="load") is run
    when(run, "report", StepStatus.SUCCEEDED)
    assert run.steps["load"].attempt == 2
    with pytest.raises(Conflict, match="step load is SUCCEEDED, and what follows it may run: restart the run from it"):
        run.restart(step="load")
    run.skip("nap")
    assert ended(run)[0] is RunStatus.SUCCEEDED


def test_a_restart_unblocks_what_waits_behind_the_run(engine: Engine, etl: Etl) -> None:
    strict = RunStrategy(RunRule.STRICT_SEQUENTIAL, 1)
    engine.push(etl.workflow)  # for its functions
    engine.push(evolve(etl.workflow.definition, run_strategy=strict))
    first = engine.start("etl")
    assert first.wait(PATIENCE_S) is RunStatus.FAILED
    etl.is_broken = False
    assert first.restart().wait(PATIENCE_S) is RunStatus.SUCCEEDED


def test_a_run_is_restarted_by_a_client_and_run_by_whoever_owns_it(tmp_path: Path, etl: Etl) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    with Engine(store) as engine:
        engine.push(etl.workflow)
        first = engine.start("etl")
        first.wait(PATIENCE_S)
    etl.is_broken = False
    with Client(store) as client:
        again = client.find("etl").restart()
        assert (again.group_id, again.status) == (first.group_id, RunStatus.CREATED)
    with Engine(store) as engine:
        engine.push(etl.workflow)
        assert engine.find("etl").wait(PATIENCE_S) is RunStatus.SUCCEEDED
        assert engine.find("etl").outputs["report"] == "11 rows"
