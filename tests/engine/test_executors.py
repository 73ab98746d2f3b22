"""Executors: calls are values, each executor has slots of its own, and one that cannot be used makes its steps wait."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from maestro_flow import RunStatus, StepContext, StepResult, StepStatus, StepType, Workflow
from maestro_flow.core.slots import SlotKind
from maestro_flow.errors import PluginError
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.executors import CallHandle, CallListener, Executor, ExecutorHost, open_executor
from maestro_flow.steps.threads import ThreadExecutor
from tests.engine.world import Process, World

ROOT = Path(__file__).parents[2]
FILES = [f"tests/engine/test_{name}.py" for name in ("engine", "step_types", "actions", "reclaim")]


class Narrow(ThreadExecutor):
    """An executor of two slots, which notes what it is given."""

    def __init__(self, host: ExecutorHost) -> None:
        super().__init__(host)
        self.slots = 2
        self.calls: list[StepCall] = []

    def submit(self, call: StepCall, listener: CallListener) -> CallHandle:
        self.calls.append(call)
        return super().submit(call, listener)


class Elsewhere(StepType):
    """A step type that names an executor; it notes how many slots of that are taken while it runs."""

    executor = "narrow"

    def __init__(self, process: Process) -> None:
        self._executors = process.engine._node._services.executors
        self.taken: list[int] = []

    def execute(self, context: StepContext) -> StepResult:
        self.taken.append(2 - self._executors.pools["narrow"]._free[SlotKind.START])
        return StepResult(value=self._executors.pools["threads"]._free[SlotKind.START])


def wide() -> Workflow:
    """Twenty steps of a type of its own, and a Python step, side by side."""
    wf = Workflow("wide")
    wf.step(id="here")(lambda: 1)
    for number in range(20):
        wf.add(f"s{number}", type="Elsewhere")
    return wf


def test_a_step_type_runs_on_the_executor_that_it_names_in_slots_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Narrow] = []

    def opening(name: str, host: ExecutorHost) -> Executor:
        if name != "narrow":
            return open_executor(name, host)
        opened.append(Narrow(host))
        return opened[-1]

    monkeypatch.setattr("maestro_flow.node.node.open_executor", opening)
    process = World().process(seed=4)
    plugin = process.engine._step_types._loaded["Elsewhere"] = Elsewhere(process)
    run = process.engine.run(wide(), timeout_s=600)
    assert run.status is RunStatus.SUCCEEDED
    assert len(opened) == 1
    assert sorted({call.step_id for call in opened[0].calls}) == sorted(f"s{number}" for number in range(20))
    assert max(plugin.taken) == 2
    assert min(run.outputs[f"s{number}"] for number in range(20)) >= 999, "the other steps take no slots of threads"
    pools = process.engine._node._services.executors.pools
    assert (pools["narrow"]._free, pools["threads"]._free) == ([2, 4, 1], [1000, 4, 1]), "all were given back"


def test_an_executor_that_cannot_be_used_makes_its_steps_wait_and_no_others(caplog: pytest.LogCaptureFixture) -> None:
    process = World().process()
    process.engine._step_types._loaded["Elsewhere"] = Elsewhere(process)
    process.engine.push(wide())
    run = process.engine.start("wide")
    process.runtime.run(lambda: False, timeout_s=30)
    steps = run.steps
    assert run.status is RunStatus.IN_PROGRESS
    assert steps["here"].status is StepStatus.SUCCEEDED
    assert "'Elsewhere'" in steps["s0"].waiting_for
    assert [record.getMessage() for record in caplog.records] == [
        "steps that run on executor narrow wait: it cannot be used here"
    ]


def test_an_executor_that_breaks_as_it_is_opened_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_executor: ThreadExecutor, _host: ExecutorHost) -> None:
        raise OSError("no cluster")

    monkeypatch.setattr(ThreadExecutor, "__init__", broken)
    host = ExecutorHost(lambda *_call: pytest.fail("called"), lambda *_pool: pytest.fail("made"), {})
    with pytest.raises(PluginError, match=r"^executor 'threads' \(.*\) cannot be opened: .*no cluster"):
        open_executor("threads", host)
    with pytest.raises(PluginError, match=r"^no executor 'nowhere' is installed here$"):
        open_executor("nowhere", host)


class Lost:
    """A call whose worker dies with it."""

    def __init__(self, listener: CallListener) -> None:
        self.listener = listener

    def cancel(self) -> None: ...


def test_a_call_that_its_executor_loses_is_a_platform_error_which_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[StepCall] = []
    submit = ThreadExecutor.submit

    def losing(executor: ThreadExecutor, call: StepCall, listener: CallListener) -> CallHandle:
        calls.append(call)
        if len(calls) > 1:
            return submit(executor, call, listener)
        began = call.begun(listener.began() or 0.0)
        listener.returned(StepReturn.lost(began, "the worker has died"))
        return Lost(listener)

    monkeypatch.setattr(ThreadExecutor, "submit", losing)
    wf = Workflow("lost")
    wf.step(id="work")(lambda: 7)
    run = World().process().engine.run(wf, timeout_s=3600)
    assert run.outputs == {"work": 7}
    assert [(call.attempt, call.execution) for call in calls] == [(1, 1), (2, 1)]


@pytest.mark.parametrize("mistake", ["refuses the call", "returns no StepReturn"])
def test_a_mistake_of_an_executor_costs_an_attempt_and_is_named(monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    submit = ThreadExecutor.submit
    calls: list[StepCall] = []

    def broken(executor: ThreadExecutor, call: StepCall, listener: CallListener) -> CallHandle:
        calls.append(call)
        if len(calls) > 1:
            return submit(executor, call, listener)
        if mistake == "refuses the call":
            raise RuntimeError("no capacity")
        listener.began()
        listener.returned({"state": "DONE"})  # type: ignore[arg-type]  # the mistake
        return Lost(listener)

    monkeypatch.setattr(ThreadExecutor, "submit", broken)
    wf = Workflow("mistaken")
    wf.step(id="work")(lambda: 7)
    run = World().process().engine.run(wf, timeout_s=3600)
    assert run.outputs == {"work": 7}
    failed = run.attempts("work")[0]
    assert failed.status is StepStatus.PLATFORM_FAILED
    assert failed.error is not None
    assert failed.error.message in (
        "executor 'threads' refused the call: RuntimeError('no capacity')",
        "its executor returned dict, not a StepReturn",
    )


@pytest.mark.parametrize("slots", [0, "many", None])
def test_an_executor_without_usable_slots_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, slots: object) -> None:
    monkeypatch.setattr(ThreadExecutor, "__init__", lambda executor, _host: setattr(executor, "slots", slots))
    monkeypatch.setattr(ThreadExecutor, "close", lambda _executor: None)
    host = ExecutorHost(lambda *_call: pytest.fail("called"), lambda *_pool: pytest.fail("made"), {})
    with pytest.raises(PluginError, match="its slots must be a number from 1, not"):
        open_executor("threads", host)


def test_whatever_the_engine_calls_may_be_called_elsewhere() -> None:
    """The ordinary tests of the engine, with ``strict_executor``: whatever a call holds is in its JSON."""
    plugins = ["-p", "no:cacheprovider", "-p", "tests.engine.strict_executor"]
    command = [sys.executable, "-m", "pytest", "-q", "-x", *plugins, *FILES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=110)
    assert done.returncode == 0, done.stdout[-4000:]
    crossed = re.search(r"^crossed: (\d+) calls, (\d+) returns$", done.stdout, re.MULTILINE)
    assert crossed is not None
    assert min(int(number) for number in crossed.groups()) > 300
