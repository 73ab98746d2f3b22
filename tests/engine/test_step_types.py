"""Step types of plugins: the whole contract, what is durable between calls, and what their mistakes lead to."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow import RunStatus, StepContext, StepResult, StepStatus, StepType, Verdict, Workflow
from maestro_flow.errors import PluginError
from maestro_flow.model.definition_codec import encode_definition
from maestro_flow.model.events import StepError
from tests.engine.world import Crash, World, crash_at


class Poller(StepType):
    """Begins external work in ``start``, remembers its handle, and is done at the third look."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.looks = 0

    def start(self, context: StepContext) -> StepResult:
        self.calls.append(f"start {dict(context.artifacts)}")
        return StepResult(Verdict.DONE, artifacts={"handle": "job-7"}, timeline=("submitted",))

    def execute(self, context: StepContext) -> StepResult:
        self.looks += 1
        self.calls.append(f"execute {context.artifacts['handle']}")
        if self.looks < 3:
            return StepResult(Verdict.CONTINUE, next_poll_s=5)
        return StepResult(outputs={"rows": 12, "names": ["a", "b"]}, timeline=("submitted", "fetched"))

    def terminate(self, context: StepContext) -> StepResult:
        self.calls.append(f"terminate {context.artifacts['handle']} cancelled={context.is_cancelled()}")
        return StepResult(Verdict.STOPPED)


class Returns(StepType):
    """Returns whatever it was made with, or raises it."""

    def __init__(self, result: Any) -> None:
        self.result = result

    def execute(self, context: StepContext) -> StepResult:
        result = self.result() if callable(self.result) else self.result
        assert not isinstance(result, AssertionError), "raised on purpose"
        return result  # type: ignore[no-any-return]


def workflow(**options: Any) -> Workflow:
    wf = Workflow("plugins")
    wf.add("work", type="Plugin", params={"rows": 0, "names": []}, **options)
    return wf


def test_artifacts_are_there_for_the_next_call_and_outputs_are_typed() -> None:
    process = World().process()
    plugin = process.engine._step_types._loaded["Plugin"] = Poller()
    run = process.engine.run(workflow())
    assert run.status is RunStatus.SUCCEEDED
    assert plugin.calls == ["start {}"] + ["execute job-7"] * 3
    step = run.steps["work"]
    assert step.outputs == {"rows": 12, "names": ["a", "b"]}
    assert step.timeline == ("submitted", "fetched"), "consecutive equal lines are one"
    assert step.artifacts == {"handle": "job-7"}


def test_after_a_crash_another_process_finds_the_external_work_again() -> None:
    world = World()
    doomed = world.process(fault=crash_at(3, "before"))
    doomed.engine._step_types._loaded["Plugin"] = lost = Poller()
    doomed.engine.push(workflow())
    run = doomed.engine.start("plugins")
    with pytest.raises(Crash):
        run.wait()
    assert lost.calls[0] == "start {}"
    other = world.process(seed=2)
    plugin = other.engine._step_types._loaded["Plugin"] = Poller()
    assert other.engine.find("plugins").wait(timeout_s=120) is RunStatus.SUCCEEDED
    assert plugin.calls[0] == "start {'handle': 'job-7'}", "the artifacts were durable before the next call"


@pytest.mark.parametrize("ending", ["stop", "timeout"])
def test_an_early_end_calls_terminate(ending: str) -> None:
    process = World().process()
    plugin = process.engine._step_types._loaded["Plugin"] = Poller()
    plugin.looks = -1000
    process.engine.push(workflow(**({"timeout_s": 12.0} if ending == "timeout" else {})))
    run = process.engine.start("plugins")
    if ending == "stop":
        process.runtime.run(lambda: len(plugin.calls) > 2)
        run.stop()
    status = run.wait(timeout_s=60)
    assert status is (RunStatus.STOPPED if ending == "stop" else RunStatus.TIMED_OUT)
    assert plugin.calls[-1] == "terminate job-7 cancelled=True"


def raises() -> None:
    raise RuntimeError("a defect of the plugin")


@pytest.mark.parametrize(
    ("result", "status", "message"),
    [
        (raises, StepStatus.INTERNALLY_FAILED, "a defect of the plugin"),
        (None, StepStatus.INTERNALLY_FAILED, "returned NoneType, not a StepResult"),
        (lambda: StepResult("DONE"), StepStatus.INTERNALLY_FAILED, "StepResult.state"),  # type: ignore[arg-type]
        (lambda: StepResult(timeline="text"), StepStatus.INTERNALLY_FAILED, "StepResult.timeline"),
        (lambda: StepResult(next_poll_s=float("nan")), StepStatus.INTERNALLY_FAILED, "StepResult.next_poll_s must be"),
        (lambda: StepResult(next_poll_s=float("inf")), StepStatus.INTERNALLY_FAILED, "StepResult.next_poll_s must be"),
        (lambda: StepResult(next_poll_s=-0.1), StepStatus.INTERNALLY_FAILED, "not -0.1"),
        (StepResult(outputs={"x": None}), StepStatus.FATALLY_FAILED, "'x'"),
        (StepResult(outputs={"x": float("nan")}), StepStatus.FATALLY_FAILED, "outputs of step 'work'"),
        (StepResult(outputs={"x": "\ud800"}), StepStatus.FATALLY_FAILED, "outputs of step 'work'"),
        (StepResult(artifacts={"x": object()}), StepStatus.FATALLY_FAILED, "artifacts of step 'work'"),
        (StepResult(Verdict.FATAL_ERROR, error=StepError("No", "no way")), StepStatus.FATALLY_FAILED, "no way"),
        (StepResult.failed(Verdict.FATAL_ERROR, "bad \ud800 text"), StepStatus.FATALLY_FAILED, "bad ? text"),
        (StepResult(Verdict.FATAL_ERROR, error=StepError(1, ["x"])), StepStatus.FATALLY_FAILED, "x"),  # type: ignore[arg-type]
        (StepResult(Verdict.TIMED_OUT), StepStatus.TIMED_OUT, ""),
        (StepResult(Verdict.STOPPED), StepStatus.STOPPED, ""),
    ],
)
def test_what_a_plugin_gets_wrong_ends_its_step_with_the_reason(result: Any, status: StepStatus, message: str) -> None:
    world = World()
    process = world.process()
    process.engine._step_types._loaded["Plugin"] = Returns(result)
    run = process.engine.run(workflow(), timeout_s=3600)
    step = run.steps["work"]
    assert step.status is status
    assert message in (step.error.message if step.error else "")
    assert world.state(run).status.is_terminal, "and what was written can be read again"


def test_platform_errors_have_a_budget_of_their_own() -> None:
    process = World().process()
    results = [StepResult.failed(Verdict.PLATFORM_ERROR, f"try {number}") for number in range(3)] + [StepResult()]
    process.engine._step_types._loaded["Plugin"] = Returns(lambda: results.pop(0))
    run = process.engine.run(workflow(), timeout_s=36_000)
    assert run.status is RunStatus.SUCCEEDED
    assert run.steps["work"].attempt == 4


def test_a_hostile_exception_is_described_all_the_same() -> None:
    class Hostile(Exception):
        def __str__(self) -> str:
            raise ValueError("no text for you")

    wf = Workflow("hostile")

    @wf.step
    def fails() -> None:
        raise Hostile

    @wf.step
    def surrogate() -> None:
        raise ValueError("half a pair: \ud800")

    world = World()
    run = world.process().engine.run(wf)
    errors = {step_id: step.error for step_id, step in run.steps.items()}
    assert errors["fails"] is not None
    assert errors["surrogate"] is not None
    assert errors["fails"].message == "(no text: its str() raised ValueError)"
    assert errors["surrogate"].message == "half a pair: ?"


def test_a_plugin_that_breaks_on_a_node_makes_its_steps_wait_and_say_why(caplog: pytest.LogCaptureFixture) -> None:
    """The definition came from a process where the plugin works; here it cannot even be imported."""
    world = World()
    process = world.process()
    types = process.engine._step_types

    def broken(workflow_id: str, step: Any) -> Any:
        raise PluginError(f"step type {step.type!r} cannot be loaded")

    types.find = broken  # type: ignore[method-assign]
    with pytest.raises(PluginError, match="Plugin"):
        process.engine.push(workflow())
    world.storage.push("plugins", encode_definition(workflow().definition))
    run = process.engine.start("plugins")
    process.runtime.run(lambda: False, timeout_s=30)
    assert run.status is RunStatus.IN_PROGRESS
    assert "'Plugin'" in run.steps["work"].waiting_for
    assert [record.getMessage() for record in caplog.records] == [
        "steps of type Plugin wait: its plugin cannot be used here"
    ]


@pytest.mark.parametrize("seconds", [-1, -0.5])
def test_a_sleep_of_a_negative_time_is_refused(seconds: float) -> None:
    wf = Workflow("sleeper")
    wf.add("pause", type="Sleep", params={"sleep_seconds": seconds})
    step = World().process().engine.run(wf, timeout_s=60).steps["pause"]
    assert step.status is StepStatus.FATALLY_FAILED
    assert step.error is not None
    assert step.error.message == f"param 'sleep_seconds' of step 'pause' must be 0 or more, not {seconds:g}"
