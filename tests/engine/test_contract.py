"""Version 2 of the contract of step types in an engine: params, settings, progress, heartbeats, a logger."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from maestro_flow import (
    DefinitionError,
    Engine,
    ParamSpec,
    ParamType,
    RunStatus,
    StepContext,
    StepResult,
    StepStatus,
    StepType,
    Workflow,
    load_definition,
)
from maestro_flow.errors import PluginError
from maestro_flow.model.params import Param
from tests.engine.world import Process, World
from tests.steps.conftest import Install, install

__all__ = ["install"]  # a fixture, by its import

PATIENCE_S = 20.0
FROZEN = Path(__file__).parents[1] / "steps" / "frozen"


class Greet(StepType):
    """Greets; notes what it was opened with, and when it was closed."""

    contract = 2
    params = (
        ParamSpec("name", ParamType.STRING, required=True, description="the person to greet"),
        ParamSpec("times", ParamType.LONG, default=2),
    )

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.problem: Exception | None = None

    def open(self, settings: Mapping[str, Any]) -> None:
        if self.problem is not None:
            raise self.problem
        self.seen.append(dict(settings))

    def close(self) -> None:
        self.seen.append("closed")

    def execute(self, context: StepContext) -> StepResult:
        self.seen.append("called")
        return StepResult(value=f"Hello, {context.params['name']}!" * context.params["times"])


def greeting(**params: Any) -> Workflow:
    wf = Workflow("greeting", params={"who": "Ada", "often": "many"})
    wf.add("greet", type="Greet", params=params)
    return wf


def knowing(process: Process) -> Greet:
    made = process.engine._step_types._loaded["Greet"] = Greet()
    return made


# -- params -------------------------------------------------------------------------------------------------------


def test_params_have_their_types_and_defaults() -> None:
    process = World().process()
    knowing(process)
    assert process.engine.run(greeting(name="${who}"), timeout_s=60).outputs == {"greet": "Hello, Ada!" * 2}
    assert process.engine.run(greeting(name="Bob", times="1"), timeout_s=60).outputs == {"greet": "Hello, Bob!"}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "workflow.steps[0].step.params: step 'greet' needs the param 'name' of type STRING: the person to greet"),
        (
            {"name": "Ada", "times": "many"},
            "workflow.steps[0].step.params.times: param 'times' of step 'greet' must be of type LONG, not \"many\"",
        ),
    ],
)
def test_literals_that_do_not_fit_are_refused_by_push(params: dict[str, Any], problem: str) -> None:
    process = World().process()
    knowing(process)
    with pytest.raises(DefinitionError) as refused:
        process.engine.push(greeting(**params))
    assert str(refused.value) == problem
    assert process.engine.storage.definition("greeting", 1) is None, "and nothing was stored"


def test_a_value_that_does_not_fit_when_it_is_known_is_the_users_error() -> None:
    process = World().process()
    plugin = knowing(process)
    step = process.engine.run(greeting(name="Ada", times="${often}"), timeout_s=60).steps["greet"]
    assert (step.status, step.attempt) == (StepStatus.FATALLY_FAILED, 1)
    assert step.error is not None
    assert (step.error.type, step.error.message) == (
        "ParamError",
        "param 'times' of step 'greet' must be of type LONG, not \"many\"",
    )
    assert "called" not in plugin.seen


def test_a_sleep_that_is_not_a_number_is_the_users_error_at_push_and_in_a_run(tmp_path: Path) -> None:
    engine = World().process().engine
    file = tmp_path / "sleepy.yaml"
    file.write_text("workflow: {id: w, steps: [{step: {id: nap, type: Sleep, params: {sleep_seconds: many}}}]}")
    with pytest.raises(DefinitionError, match=r"^workflow\.steps\[0\]\.step\.params\.sleep_seconds: param 'sleep_se"):
        engine.push(load_definition(file).definition)
    wf = Workflow("sleepy")
    wf.add("nap", type="Sleep", params={"sleep_seconds": Param(ParamType.STRING, expression="'m' + 'any'")})
    step = engine.run(wf, timeout_s=60).steps["nap"]
    assert step.status is StepStatus.FATALLY_FAILED
    assert step.error is not None
    assert step.error.message == "param 'sleep_seconds' of step 'nap' must be of type DOUBLE, not \"many\""


# -- open and close -----------------------------------------------------------------------------------------------


def test_a_type_is_opened_once_with_its_settings_and_closed_with_the_node() -> None:
    process = World().process(step_types={"Greet": {"url": "here"}})
    plugin = knowing(process)
    for name in ("Ada", "Bob"):
        process.engine.run(greeting(name=name), timeout_s=60)
    process.engine.close()
    assert plugin.seen == [{"url": "here"}, "called", "called", "closed"]


def test_push_says_that_a_type_cannot_be_opened_and_tries_again_when_asked_again() -> None:
    process = World().process()
    plugin = knowing(process)
    plugin.problem = OSError("no such host")
    with pytest.raises(PluginError, match=r"^step type 'Greet' cannot be opened: OSError\('no such host'\)$"):
        process.engine.push(greeting(name="Ada"))
    plugin.problem = None
    assert process.engine.run(greeting(name="Ada"), timeout_s=60).status is RunStatus.SUCCEEDED
    process.engine.close()
    assert plugin.seen == [{}, "called", "closed"]


def test_where_a_type_cannot_be_opened_its_steps_wait_and_say_why_until_it_can(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The definition came from another node, and so did the run."""
    world = World()
    process = world.process()
    plugin = knowing(process)
    plugin.problem = OSError("no such host")
    world.storage.push("greeting", encoded(greeting(name="Ada")))
    run = process.engine.start("greeting")
    process.runtime.run(lambda: False, timeout_s=30)
    waiting = run.steps["greet"].waiting_for
    assert waiting == "step type 'Greet', which cannot be used here: it cannot be opened: OSError('no such host')"
    assert "'Greet'" in run.explain("greet").sentence
    assert "Greet" not in process.engine._step_types.offered(), "another node may have it"
    assert [record.getMessage() for record in caplog.records] == [
        "steps of type Greet wait: it cannot be opened here, and is tried again"
    ]
    plugin.problem = None
    assert run.wait(timeout_s=120) is RunStatus.SUCCEEDED
    assert plugin.seen == [{}, "called"]


def encoded(workflow: Workflow) -> bytes:
    return msgspec.json.encode(workflow.definition)


def test_a_plugin_that_cannot_be_closed_does_not_keep_the_engine_open(caplog: pytest.LogCaptureFixture) -> None:
    process = World().process()
    plugin = knowing(process)
    process.engine.run(greeting(name="Ada"), timeout_s=60)
    plugin.close = lambda: 1 / 0  # type: ignore[assignment, method-assign]
    process.engine.close()
    assert [record.getMessage() for record in caplog.records] == ["step type Greet could not be closed"]


# -- what running code tells --------------------------------------------------------------------------------------


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Engine("memory://", progress_s=0.05) as made:
        yield made


def test_progress_is_seen_while_the_code_runs_and_its_artifacts_are_kept(engine: Engine) -> None:
    goes_on = threading.Event()
    wf = Workflow("long")

    @wf.step
    def long(context: StepContext) -> int:
        context.progress(0.25, "rows 1 of 4", artifacts={"row": 1})
        assert goes_on.wait(PATIENCE_S)
        for row in (2, 3, 4):
            context.progress(row / 4, f"rows {row} of 4", artifacts={"row": row, f"saw{row}": True})
        return 4

    engine.push(wf)
    run = engine.start("long")
    for view in run.follow(timeout_s=PATIENCE_S):
        step = view.steps["long"]
        if step.status is StepStatus.RUNNING and step.timeline:
            assert (step.timeline, step.artifacts) == (("25%: rows 1 of 4",), {"row": 1})
            goes_on.set()
    step = run.steps["long"]
    assert step.status is StepStatus.SUCCEEDED
    assert step.timeline[-1] == "100%: rows 4 of 4"
    assert step.artifacts == {"row": 4, "saw2": True, "saw3": True, "saw4": True}


def test_progress_as_often_as_the_code_likes_is_one_record_at_a_time() -> None:
    world = World()
    wf = Workflow("chatty")

    @wf.step
    def chatty(context: StepContext) -> None:
        for number in range(1000):
            context.progress(message=f"line {number}")

    run = world.process().engine.run(wf, timeout_s=60)
    assert run.steps["chatty"].timeline == ("line 999",)
    assert world.state(run).revision <= 3


@pytest.mark.parametrize("fraction", [-0.1, 1.5, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction: float) -> None:
    wf = Workflow("wrong")
    wf.step(id="work")(lambda context: context.progress(fraction))
    step = World().process().engine.run(wf, timeout_s=60).steps["work"]
    assert step.status is StepStatus.FATALLY_FAILED
    assert step.error is not None
    assert "must be a number from 0 to 1" in step.error.message


class Patient(StepType):
    """Waits until nobody wants it any more, with or without signs of life, and at most 20 beats."""

    contract = 2
    heartbeat_timeout_s = 0.2

    def __init__(self, *, is_alive: bool) -> None:
        self.is_alive = is_alive

    def execute(self, context: StepContext) -> StepResult:
        never = threading.Event()
        for _ in range(20 if self.is_alive else 2000):
            if context.is_cancelled():
                break
            if self.is_alive:
                context.heartbeat()
            never.wait(0.025)
        return StepResult(value="done")


@pytest.mark.parametrize("is_alive", [True, False])
def test_a_call_without_a_sign_of_life_has_hung(engine: Engine, is_alive: bool) -> None:
    engine._step_types._loaded["Patient"] = Patient(is_alive=is_alive)
    wf = Workflow("patient")
    wf.add("wait", type="Patient")
    step = engine.run(wf, timeout_s=PATIENCE_S).steps["wait"]
    if is_alive:
        assert (step.status, step.result) == (StepStatus.SUCCEEDED, "done")
    else:
        assert step.status is StepStatus.TIMED_OUT
        assert step.error is not None
        assert step.error.message == "the code gave no sign of life for 0.2 s"


def test_the_logger_says_which_step_it_was(caplog: pytest.LogCaptureFixture) -> None:
    wf = Workflow("logs")
    wf.step(id="work", timeout_s=60)(
        lambda context: context.logger.warning("%s eggs", 3) or context.deadline - context.now
    )
    run = World().process().engine.run(wf, timeout_s=60)
    assert run.outputs == {"work": 60.0}
    (record,) = caplog.records
    assert record.getMessage() == "logs/1/1 work#1: 3 eggs"
    assert (record.levelno, record.workflow_id, record.attempt) == (logging.WARNING, "logs", 1)  # type: ignore[attr-defined]


# -- results of others --------------------------------------------------------------------------------------------


class Reads(StepType):
    """Returns the result of the step ``before``, if it may know it."""

    contract = 2

    def __init__(self, takes: bool | tuple[str, ...]) -> None:
        self.takes_results = takes

    def execute(self, context: StepContext) -> StepResult:
        return StepResult(value=context.result_of("before"))


@pytest.mark.parametrize("takes", [True, ("before",), False, ("other",)])
def test_a_type_knows_the_results_that_it_takes_and_no_others(takes: bool | tuple[str, ...]) -> None:
    process = World().process()
    process.engine._step_types._loaded["Reads"] = Reads(takes)
    wf = Workflow("reads")
    wf.step(id="before")(lambda: [1, 2])
    wf.add("after", type="Reads", after="before")
    step = process.engine.run(wf, timeout_s=60).steps["after"]
    if takes in (True, ("before",)):
        assert step.result == [1, 2]
    else:
        assert step.error is not None
        assert "asked for the result of 'before', but its type 'Reads' takes" in step.error.message


def test_a_plugin_of_version_1_works_as_it_did(install: Install) -> None:
    source = (FROZEN / "contract1.txt").read_text()
    install("contract1", source, ClusterJob="contract1:ClusterJob", Stated="contract1:Stated")
    wf = Workflow("old")
    wf.step(id="before")(lambda: ["a", "b"])
    for name in ("ClusterJob", "Stated"):
        wf.add(name, type=name, params={"rows": 0}, after="before")
    run = World().process().engine.run(wf, timeout_s=600)
    for name in ("ClusterJob", "Stated"):
        step = run.steps[name]
        assert (step.status, step.outputs, step.timeline) == (StepStatus.SUCCEEDED, {"rows": 2}, ("submitted",))
        assert step.result == {"of": ["a", "b"], "nothing": None, "job": f"old/1/1/{name}"}
