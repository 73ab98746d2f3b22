"""What a user sees of the engine, on the pooled runtime with real threads and on the inline one."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from maestro_flow import (
    Conflict,
    DefinitionError,
    Engine,
    NotFound,
    RunFailed,
    RunStatus,
    StepContext,
    StepStatus,
    WaitTimeout,
    Workflow,
)
from maestro_flow.clock import Environment
from maestro_flow.errors import SettingsError
from maestro_flow.testing import InlineRuntime, ManualClock

PATIENCE_S = 20.0


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


def etl() -> Workflow:
    wf = Workflow("etl", params={"day": "2026-11-22", "factor": 2})

    @wf.step
    def extract(day: str) -> list[int]:
        return [len(day), 2, 3]

    @wf.step(after=[extract])
    def transform(extract: list[int], factor: int) -> list[int]:
        return [factor * number for number in extract]

    @wf.step(after=[transform])
    def load(transform: list[int], extract: list[int], note: str = "none") -> dict[str, Any]:
        return {"sum": sum(transform), "rows": len(extract), "note": note}

    return wf


def failing(error: BaseException, **options: Any) -> Workflow:
    wf = Workflow("failing")

    @wf.step(**options)
    def fails() -> None:
        raise error

    return wf


def test_results_flow_from_step_to_step(engine: Engine) -> None:
    run = engine.run(etl(), timeout_s=PATIENCE_S)
    assert run.status is RunStatus.SUCCEEDED
    assert run.outputs == {
        "extract": [10, 2, 3],
        "transform": [20, 4, 6],
        "load": {"sum": 30, "rows": 3, "note": "none"},
    }
    assert [step.status for step in run.steps.values()] == [StepStatus.SUCCEEDED] * 3


def test_params_given_at_the_start_replace_those_of_the_definition(engine: Engine) -> None:
    run = engine.run(etl(), params={"factor": 3}, timeout_s=PATIENCE_S)
    assert run.view().params == {"day": "2026-11-22", "factor": 3}
    assert run.outputs["load"]["sum"] == 45
    with pytest.raises(DefinitionError, match="factor"):
        engine.start("etl", params={"factor": "many"})


def test_the_same_request_is_one_run(engine: Engine) -> None:
    engine.push(etl())
    first = engine.start("etl", request_id="monday")
    again = engine.start("etl", request_id="monday")
    assert first.flow_id == again.flow_id
    with pytest.raises(Conflict):
        engine.start("etl", request_id="monday", params={"factor": 7})
    assert engine.start("etl").instance_id == first.instance_id + 1


def test_pushing_the_same_workflow_again_is_the_same_version(engine: Engine) -> None:
    assert engine.push(etl()) == engine.push(etl()) == 1
    other = etl()
    other.add("pause", type="NoOp", after=["load"])
    assert engine.push(other) == 2
    assert engine.start("etl", version=1).version == 1


def test_what_is_not_there_is_said_so(engine: Engine) -> None:
    with pytest.raises(NotFound, match="etl"):
        engine.start("etl")
    with pytest.raises(NotFound, match="etl/3"):
        engine.find("etl", 3)
    with pytest.raises(SettingsError, match="leese_s"):
        Engine("memory://", leese_s=1)


@pytest.mark.parametrize(
    "error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt(), MemoryError(), RecursionError()]
)
def test_whatever_a_function_raises_fails_its_step_and_nothing_else(engine: Engine, error: BaseException) -> None:
    run = engine.run(failing(error), timeout_s=PATIENCE_S)
    step = run.steps["fails"]
    assert (run.status, step.status) == (RunStatus.FAILED, StepStatus.FATALLY_FAILED)
    assert step.error is not None
    assert step.error.type == type(error).__name__
    assert "fails" in step.error.traceback
    with pytest.raises(RunFailed, match="fails FATALLY_FAILED"):
        run.raise_for_status()
    assert engine.run(etl(), timeout_s=PATIENCE_S).status is RunStatus.SUCCEEDED


def test_a_flaky_step_is_retried_within_its_budget(engine: Engine) -> None:
    wf = Workflow("flaky")

    @wf.step(retries=2, retry_wait_s=0.01)
    def third_time_lucky(context: StepContext) -> int:
        if context.attempt < 3:
            raise ConnectionError("try again")
        return context.attempt

    run = engine.run(wf, timeout_s=PATIENCE_S)
    assert run.outputs == {"third_time_lucky": 3}
    assert run.steps["third_time_lucky"].attempt == 3


@pytest.mark.parametrize(
    ("value", "message"),
    [({1, 2}, "set"), (float("nan"), "NaN|nan"), (object(), "object"), ("x" * 2_000_000, "bytes|size|large|limit")],
)
def test_a_result_that_cannot_be_stored_fails_the_step_with_the_reason(
    engine: Engine, value: object, message: str
) -> None:
    wf = Workflow("results")

    @wf.step(retries=5)
    def odd() -> object:
        return value

    step = engine.run(wf, timeout_s=PATIENCE_S).steps["odd"]
    assert (step.status, step.attempt) == (StepStatus.FATALLY_FAILED, 1), "a retry would be the same again"
    assert step.error is not None
    import re

    assert re.search(message, step.error.message)
    assert "odd" in step.error.message


def test_typed_values_survive(engine: Engine) -> None:
    from datetime import UTC, datetime
    from decimal import Decimal
    from uuid import UUID

    values = {"at": datetime(2026, 11, 22, tzinfo=UTC), "raw": b"\x00\xff", "sum": Decimal("1.10"), "id": UUID(int=7)}
    wf = Workflow("typed")

    @wf.step
    def make() -> dict[str, Any]:
        return values

    @wf.step(after=[make])
    def same(make: dict[str, Any]) -> bool:
        return make == values

    run = engine.run(wf, timeout_s=PATIENCE_S)
    assert run.outputs["same"] is True
    assert run.outputs["make"] == values


def test_a_failed_step_ends_the_run_after_the_other_branches(engine: Engine) -> None:
    wf = Workflow("branches")

    @wf.step
    def bad() -> None:
        raise ValueError("no")

    @wf.step(after=[bad])
    def unreached() -> None: ...

    @wf.step
    def good() -> int:
        return 1

    @wf.step(after=[good])
    def better(good: int) -> int:
        return good + 1

    run = engine.run(wf, timeout_s=PATIENCE_S)
    assert run.status is RunStatus.FAILED
    assert {step_id: str(step.status) for step_id, step in run.steps.items()} == {
        "bad": "FATALLY_FAILED",
        "unreached": "NOT_CREATED",
        "good": "SUCCEEDED",
        "better": "SUCCEEDED",
    }


def test_sleep_holds_no_thread_and_many_of_them_run_at_once(engine: Engine) -> None:
    wf = Workflow("sleepers")
    for number in range(300):
        wf.add(f"s{number}", type="Sleep", params={"sleep_seconds": 0.2})
    threads = threading.active_count()
    run = engine.start_many("sleepers", [{}], version=engine.push(wf))[0]
    views = run.follow(timeout_s=PATIENCE_S)
    assert next(views).status in (RunStatus.CREATED, RunStatus.IN_PROGRESS)
    assert run.wait(PATIENCE_S) is RunStatus.SUCCEEDED
    assert threading.active_count() <= threads + 1
    view = run.view()
    assert view.started_at is not None
    assert all((step.ended_at or 0.0) - view.started_at >= 0.2 for step in view.steps.values())


def test_waiting_has_a_limit_and_the_run_continues(engine: Engine) -> None:
    wf = Workflow("slow")
    wf.add("pause", type="Sleep", params={"sleep_seconds": 0.3})
    engine.push(wf)
    run = engine.start("slow")
    with pytest.raises(WaitTimeout, match="slow/1/1"):
        run.wait(0.05)
    assert run.wait(PATIENCE_S) is RunStatus.SUCCEEDED


def test_a_run_can_be_stopped_once(engine: Engine) -> None:
    wf = Workflow("long")
    wf.add("pause", type="Sleep", params={"sleep_seconds": 3600})
    wf.add("never", type="NoOp", after=["pause"])
    engine.push(wf)
    run = engine.start("long")
    run.stop(timeout_s=PATIENCE_S)
    assert run.wait(PATIENCE_S) is RunStatus.STOPPED
    assert [str(step.status) for step in run.steps.values()] == ["STOPPED", "NOT_CREATED"]
    with pytest.raises(Conflict, match="STOPPED"):
        run.stop()


def test_a_timeout_ends_the_attempt_and_tells_the_code(engine: Engine) -> None:
    wf = Workflow("timeouts")
    wf.add("pause", type="Sleep", params={"sleep_seconds": 3600}, timeout_s=0.1)
    run = engine.run(wf, timeout_s=PATIENCE_S)
    step = run.steps["pause"]
    assert (run.status, step.status) == (RunStatus.TIMED_OUT, StepStatus.TIMED_OUT)
    assert step.error is not None
    assert "0.1 s" in step.error.message


def test_many_runs_at_once_all_end(engine: Engine) -> None:
    engine.push(etl())
    runs = engine.start_many("etl", [{"factor": number} for number in range(100)])
    assert {run.wait(PATIENCE_S) for run in runs} == {RunStatus.SUCCEEDED}
    assert sorted(run.instance_id for run in runs) == list(range(1, 101))
    assert [run.outputs["load"]["sum"] for run in runs] == [15 * number for number in range(100)]
    assert len(engine.runs("etl", limit=30)) == 30
    assert engine.unfinished() == []


def test_follow_shows_every_stage_in_order(engine: Engine) -> None:
    engine.push(etl())
    run = engine.start("etl")
    views = list(run.follow(timeout_s=PATIENCE_S))
    done = [sum(step.status is StepStatus.SUCCEEDED for step in view.steps.values()) for view in views]
    assert done == sorted(done)
    assert views[-1].status is RunStatus.SUCCEEDED


def test_a_step_whose_code_is_not_here_waits_until_it_is(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    with Engine(store) as engine:
        engine.push(etl())
        run = engine.start("etl", request_id="r")
        run.wait(PATIENCE_S)
        assert run.status is RunStatus.SUCCEEDED
    with Engine(store) as engine:
        engine.storage.push("etl2", engine.storage.definition("etl").body.replace(b'"id":"etl"', b'"id":"etl2"'))  # type: ignore[union-attr]
        orphan = engine.start("etl2")
        next(view for view in orphan.follow(PATIENCE_S) if view.status is RunStatus.IN_PROGRESS)
        assert "Python" in orphan.steps["extract"].waiting_for
        late = etl()
        late.id = "etl2"
        engine.push(late)
        assert orphan.wait(PATIENCE_S) is RunStatus.SUCCEEDED


def test_a_hanging_step_is_given_up_and_its_thread_replaced() -> None:
    release = threading.Event()
    wf = Workflow("hangs")

    @wf.step(timeout_s=0.1)
    def hangs() -> str:
        release.wait(PATIENCE_S)
        return "too late"

    @wf.step
    def innocent() -> int:
        return 1

    with Engine("memory://", executor_threads=1) as engine:
        run = engine.run(wf, timeout_s=PATIENCE_S)
        assert run.steps["hangs"].status is StepStatus.TIMED_OUT
        assert run.steps["innocent"].status is StepStatus.SUCCEEDED
        release.set()
        assert engine.run(etl(), timeout_s=PATIENCE_S).status is RunStatus.SUCCEEDED
        assert run.steps["hangs"].result is None


def test_closing_hands_over_what_runs_and_counts_no_crash(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/runs.db"
    started, release = threading.Event(), threading.Event()
    wf = Workflow("handover")

    @wf.step
    def work(context: StepContext) -> int:
        started.set()
        if context.execution == 1:
            release.wait(PATIENCE_S)
        return context.execution

    with Engine(store) as engine:
        engine.push(wf)
        engine.start("handover")
        assert started.wait(PATIENCE_S)
    with Engine(store) as engine:
        engine.push(wf)
        run = engine.find("handover")
        assert run.wait(PATIENCE_S) is RunStatus.SUCCEEDED
        assert run.outputs == {"work": 2}
        assert b'"handed_over":true' in b"".join(record.events for record in engine.storage.read_flow(run.flow_id))
    release.set()


def test_the_threaded_runtime_runs_the_same_program() -> None:
    with Engine("memory://", runtime="threaded") as engine:
        assert engine.run(etl(), timeout_s=PATIENCE_S).status is RunStatus.SUCCEEDED


def test_nothing_of_a_closed_engine_keeps_the_interpreter_alive() -> None:
    import subprocess

    program = "from maestro_flow import Engine, Workflow\nengine = Engine('memory://')\nprint('end')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout == "end\n"
