"""Why something does not run, as it is found out in the store: what holds it up is another run, a limit, or a node."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from maestro_flow import Client, Engine, RunStatus, StepStatus, Workflow
from maestro_flow.model.definition import RunRule, RunStrategy
from tests.engine.actions_world import PATIENCE_S, seen, sleepers, when


def test_a_run_waits_behind_others_and_for_a_node(tmp_path: Path) -> None:
    with Client(f"sqlite:///{tmp_path}/runs.db") as client:
        client.push(evolve(sleepers().definition, run_strategy=RunStrategy(RunRule.SEQUENTIAL, 1)))
        first, second, third = (client.start("long") for _ in range(3))
        nobody = "and no node holds its group {}: start one (maestro-flow node)"
        assert first.explain().sentence == (
            f"run long/1/1 was started, and waits to be taken up; {nobody.format(first.group_id)}"
        )
        why = third.explain()
        assert why.sentence == (
            "run long/3/1 waits for its turn under SEQUENTIAL, behind runs long/2/1, long/1/1; "
            + nobody.format(third.group_id)
        )
        assert why.since == third.view().created_at
        assert second.explain("nap").sentence.startswith(
            "step nap of run long/2/1 has not begun, because its run waits"
        )


def test_a_run_is_blocked_by_one_that_failed_until_that_is_unblocked(tmp_path: Path) -> None:
    strict = evolve(sleepers().definition, run_strategy=RunStrategy(RunRule.STRICT_SEQUENTIAL, 1))
    with Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        engine.push(strict)
        first, second = engine.start("long"), engine.start("long")
        when(first, "nap", StepStatus.STARTING)
        seen(second, lambda view: bool(second._refresh().revision))
        assert second.explain().sentence.endswith("waits for its turn under STRICT_SEQUENTIAL, behind run long/1/1")
        first.kill()
        first.wait(PATIENCE_S)
        assert second.explain().sentence.endswith(
            "run long/1/1 failed, and blocks it until it is unblocked or restarted"
        )
        assert "the runs after it wait until it is unblocked or restarted" in first.explain().sentence
        first.unblock()
        when(second, "nap", StepStatus.STARTING)
        second.kill()


def test_a_step_waits_for_a_permit_that_another_one_holds() -> None:
    wf = Workflow("naps")
    wf.add("one", type="Sleep", params={"sleep_seconds": 3600})
    wf.add("two", type="Sleep", params={"sleep_seconds": 3600})
    with Engine("memory://") as engine:
        engine.push(evolve(wf.definition, step_concurrency=1))
        run = engine.start("naps")
        view = seen(run, lambda view: StepStatus.RUNNING in {step.status for step in view.steps.values()})
        (waiting,) = (step.id for step in view.steps.values() if step.status is StepStatus.WAITING_FOR_PERMITS)
        assert "waits for permits of" in run.explain(waiting).sentence
        assert "(1 of 1 taken)" in run.explain(waiting).sentence
        run.kill()


def test_a_retry_names_its_time_and_the_last_error() -> None:
    wf = Workflow("flaky")

    @wf.step(retries=3, retry_wait_s=3600)
    def fails() -> None:
        raise ConnectionError("no answer")

    with Engine("memory://") as engine:
        engine.push(wf)
        run = engine.start("flaky")
        view = when(run, "fails", StepStatus.USER_FAILED)
        why = run.explain("fails")
        assert why.since == view.steps["fails"].ended_at
        assert why.sentence.endswith("after USER_FAILED: ConnectionError: no answer")
        assert "waits for attempt 2 at 20" in why.sentence
        assert run.explain().sentence == "run flaky/1/1 is in progress: waiting for a retry: fails"
        run.stop()
        assert run.wait(PATIENCE_S) is RunStatus.STOPPED
        assert "ended STOPPED" in run.explain("fails").sentence


def test_the_time_of_an_explanation_is_that_of_the_last_change_of_the_step(tmp_path: Path) -> None:
    with Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        engine.push(sleepers())
        run = engine.start("long", breakpoints=["nap"])
        when(run, "nap", StepStatus.PAUSED)
        paused_at = [each.at for each in run.events() if getattr(each.event, "step", "") == "nap"][-1]
        run.set_breakpoint("after")
        run.clear_breakpoint("nap")
        assert run.explain("nap").since == paused_at
        run.kill()
