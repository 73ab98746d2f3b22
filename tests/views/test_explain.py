"""Why a run or a step is as it is: one sentence for each thing that may hold it up (views.explain)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from attrs import evolve as changed

from maestro_flow import Workflow
from maestro_flow.core.evolve import evolve
from maestro_flow.core.graph import Graph
from maestro_flow.core.state import FlowState
from maestro_flow.model.definition import RunRule, RunStrategy, WorkflowDefinition
from maestro_flow.model.events import (
    Event,
    RunEnded,
    RunQueued,
    RunStarted,
    RunStopping,
    StepEnded,
    StepError,
    StepInterrupted,
    StepPaused,
    StepRunning,
    StepStarting,
    StepStopping,
    StepUnsupported,
    StepWaiting,
)
from maestro_flow.model.leases import Holder
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.views.explain_run import explain_run
from maestro_flow.views.explain_step import explain_step
from maestro_flow.views.explanation import Explanation, Surroundings

HELD = Holder(7, 1, "owner", "node-1:42", expires_at=1000.0, now=500.0)
AROUND = Surroundings(7, HELD, changed_at=99.0)
S = StepStatus
BEGUN = RunStarted("etl", 1, 1, 1, 10.0)
ERROR = StepError("ValueError", "the disk\nis full")


def definition(**fields: Any) -> WorkflowDefinition:
    """``a`` and ``b`` before ``load``, which is before ``report``."""
    wf = Workflow("etl")
    wf.add("a", type="NoOp")
    wf.add("b", type="NoOp")
    wf.add("load", type="Db", after=["a", "b"])
    wf.add("report", type="NoOp", after=["load"])
    return changed(wf.definition, **fields)


def after(*events: Event, previous: FlowState | None = None, **fields: Any) -> FlowState:
    """The state after events at the times 11, 12, ..."""
    state = FlowState.new("etl/1/1", Graph.of(definition(**fields), 1), revision=1, previous=previous, created_at=10.0)
    for at, event in enumerate(events, start=11):
        state = evolve(state, event, float(at))
    return state


def done(*step_ids: str) -> list[Event]:
    return [event for step_id in step_ids for event in (StepStarting(step_id), StepEnded(step_id, 1, S.SUCCEEDED))]


READY: list[Event] = [BEGUN, *done("a", "b")]
STARTED = [*READY, StepStarting("load")]
FAILED = [*STARTED, StepEnded("load", 1, S.FATALLY_FAILED, error=ERROR)]


@pytest.mark.parametrize(
    ("events", "step", "sentence", "since"),
    [
        ([BEGUN], "load", "waits for step a, which is INITIALIZED, step b, which is INITIALIZED", 11.0),
        ([BEGUN], "report", "waits for step load, which is NOT_CREATED", 11.0),
        ([BEGUN, *done("a")], "load", "waits for step b, which is INITIALIZED", 11.0),
        (READY, "load", "waits for a free slot on the node that owns the run", 15.0),
        ([*READY, StepUnsupported("load")], "load",
         "waits for the code of its type 'Db', which the owner of the run (node-1:42) does not have", 99.0),
        ([*READY, StepPaused("load", 1)], "load", "is paused by a user, until it is resumed", 99.0),
        ([*READY, StepWaiting("load", 1, {"db": 2, "disk": 1})], "load",
         "waits for permits of db (at most 2 at once), disk (at most 1 at once)", 99.0),
        (STARTED, "load", "attempt 1 is under way", 16.0),
        ([*READY, StepStarting("load", 1, {}, 60)], "load", "attempt 1 is under way, for 60 s at most", 16.0),
        ([*STARTED, StepRunning("load", 1, 16.5)], "load", "attempt 1 is under way", 16.5),
        ([*STARTED, StepInterrupted("load", 1, 2, 1)], "load",
         ("attempt 1 (execution 2; the process that ran it died once) was interrupted with the process that ran it, "
         "and waits for a free slot"), 99.0),
        ([*STARTED, StepInterrupted("load", 1, 2, 2), StepUnsupported("load")], "load",
         ("attempt 1 (execution 2; the process that ran it died 2 times) was interrupted with the process that ran it, "
         "and waits for the code of its type, which its owner does not have"), 99.0),
        ([*STARTED, StepStopping("load", 1, S.SKIPPED)], "load",
         "attempt 1 is being terminated, to end as SKIPPED", 99.0),
        ([*STARTED, StepEnded("load", 1, S.USER_FAILED, error=ERROR, retry_at=77.0)], "load",
         "waits for attempt 2 at 1970-01-01T00:01:17Z, after USER_FAILED: ValueError: the disk is full", 17.0),
        (FAILED, "load", "ended FATALLY_FAILED with attempt 1: ValueError: the disk is full", 17.0),
        (FAILED, "report",
         "cannot begin, because step load, which is FATALLY_FAILED; restart or skip that", 99.0),
        ([*FAILED, RunEnded(RunStatus.FAILED)], "report",
         "was not created, because step load, which is FATALLY_FAILED", 18.0),
        ([*STARTED, StepEnded("load", 1, S.SUCCEEDED, began_at=16.5)], "load",
         "succeeded with attempt 1, in 0.500 s", 17.0),
        ([*STARTED, StepEnded("load", 1, S.SKIPPED)], "load", "was skipped by a user", 17.0),
        ([*STARTED, StepEnded("load", 1, S.COMPLETED_WITH_ERROR, error=ERROR)], "load",
         "failed, which its failure mode ignores: ValueError: the disk is full", 17.0),
    ],
)  # fmt: skip
def test_a_step(events: Sequence[Event], step: str, sentence: str, since: float) -> None:
    assert explain_step(after(*events), step, AROUND) == Explanation(f"step {step} of run etl/1/1 {sentence}", since)


def test_a_step_at_its_breakpoint() -> None:
    began = RunStarted("etl", 1, 1, 1, 10.0, request=RunRequest(breakpoints=("a",)))
    why = explain_step(after(began, StepPaused("a", 1)), "a", AROUND)
    assert why.sentence == "step a of run etl/1/1 is paused at its breakpoint, until it is resumed"


def test_a_step_that_waits_for_permits_that_others_hold() -> None:
    state = after(*READY, StepWaiting("load", 1, {"db": 2, "disk": 1}))
    why = explain_step(state, "load", changed(AROUND, tags={"db": (None, 2), "disk": (0, 0)}))
    assert why.sentence.endswith("waits for permits of db (2 of 2 taken), disk (0 of 0 taken)")


def test_a_step_behind_the_limit_of_steps_at_once() -> None:
    state = after(BEGUN, StepStarting("a"), instance_step_concurrency=1)
    assert explain_step(state, "b", AROUND) == Explanation(
        "step b of run etl/1/1 waits for its turn: instance_step_concurrency is 1, and under way are step a", 11.0
    )


def test_a_step_to_which_no_condition_is_true() -> None:
    conditional = definition()
    steps = tuple(
        changed(step, successors={"load": "x > 1"} if step.id == "a" else {"load": False}) if step.id in "ab" else step
        for step in conditional.steps
    )
    ends = [
        StepEnded("a", 1, S.SUCCEEDED, branches={"load": False}),
        StepEnded("b", 1, S.SUCCEEDED),
    ]
    begun: list[Event] = [BEGUN, StepStarting("a"), StepStarting("b"), *ends, StepEnded("load", 1, S.UNSATISFIED)]
    state = after(*begun, StepEnded("report", 1, S.UNSATISFIED), steps=steps)
    assert explain_step(state, "load", AROUND).sentence == (
        "step load of run etl/1/1 is not run, because no condition to it is true: from a, 'x > 1', from b, false"
    )
    assert explain_step(state, "report", AROUND).sentence.endswith("no condition to it is true: load is UNSATISFIED")


def test_a_step_that_ended_with_its_run_and_one_that_never_began() -> None:
    state = after(*STARTED, RunStopping("m", S.STOPPED, "stopped by a user"))
    assert explain_step(state, "load", AROUND).sentence == (
        "step load of run etl/1/1 attempt 1 is being terminated, to end as STOPPED"
    )
    ended = evolve(evolve(state, StepEnded("load", 1, S.STOPPED), 20.0), RunEnded(RunStatus.STOPPED, "by a user"), 20.0)
    assert explain_step(ended, "load", AROUND).sentence.endswith("ended STOPPED with its run: stopped by a user")
    assert explain_step(ended, "report", AROUND).sentence.endswith(
        "was not created, because step load, which is STOPPED"
    )
    early = after(BEGUN, RunStopping("m", S.STOPPED, "stopped"), RunEnded(RunStatus.STOPPED, "stopped"))
    assert explain_step(early, "load", AROUND).sentence.endswith("was not begun before its run ended STOPPED: stopped")


def test_a_step_that_an_earlier_run_has_left_or_a_restart_skipped() -> None:
    first = after(*FAILED, RunEnded(RunStatus.FAILED))
    request = RunRequest(policy=RunPolicy.RESTART_FROM_INCOMPLETE, previous="etl/1/1", skip_steps=("load",))
    state = after(RunStarted("etl", 1, 1, 2, 30.0, request=request), StepEnded("load", 1, S.SKIPPED), previous=first)
    assert explain_step(state, "a", AROUND).sentence.endswith("is not part of this run: run 1 left it SUCCEEDED")
    assert explain_step(state, "load", AROUND).sentence.endswith("was skipped by the restart")


# -- runs -------------------------------------------------------------------------------------------------------

QUEUED = RunQueued("etl", 1, 1, 1, 10.0)
STRICT = RunStrategy(RunRule.STRICT_SEQUENTIAL, 1)


@pytest.mark.parametrize(
    ("events", "sentence", "since"),
    [
        ([BEGUN], "is in progress: waiting for a free slot: a, b", 11.0),
        ([BEGUN, StepStarting("a"), StepPaused("b", 1)], "is in progress: under way: a; paused: b", 11.0),
        ([BEGUN, StepStarting("a"), RunStopping("m", S.STOPPED, "stopped by a user")],
         "is being ended (stopped by a user), and waits for step a", 99.0),
        ([*FAILED, RunEnded(RunStatus.FAILED)],
         "ended FAILED because of step load: ValueError: the disk is full", 18.0),
        ([QUEUED, RunEnded(RunStatus.STOPPED, "displaced")], "ended STOPPED: displaced", 12.0),
        ([BEGUN, *done("a", "b", "load", "report"), RunEnded(RunStatus.SUCCEEDED)], "ended SUCCEEDED", 20.0),
    ],
)  # fmt: skip
def test_a_run(events: Sequence[Event], sentence: str, since: float) -> None:
    assert explain_run(after(*events), AROUND) == Explanation(f"run etl/1/1 {sentence}", since)


@pytest.mark.parametrize(
    ("ahead", "blocking", "sentence"),
    [
        (("etl/2/1",), (), "waits for its turn under STRICT_SEQUENTIAL, behind run etl/2/1"),
        (tuple(f"etl/{n}/1" for n in range(9)), (),
         ("waits for its turn under STRICT_SEQUENTIAL, behind runs etl/0/1, etl/1/1, etl/2/1, etl/3/1, etl/4/1 "
         "and 4 more")),
        (("etl/2/1",), ("etl/1/1",),
         ("waits for its turn under STRICT_SEQUENTIAL: run etl/1/1 failed, and blocks it until it is unblocked or "
         "restarted")),
        ((), (), "waits for its turn, which has come"),
    ],
)  # fmt: skip
def test_a_queued_run(ahead: tuple[str, ...], blocking: tuple[str, ...], sentence: str) -> None:
    state = after(QUEUED, run_strategy=STRICT)
    around = Surroundings(7, HELD, ahead, blocking)
    assert explain_run(state, around) == Explanation(f"run etl/1/1 {sentence}", 10.0)
    assert explain_step(state, "a", around) == Explanation(
        f"step a of run etl/1/1 has not begun, because its run {sentence}", 10.0
    )


def test_a_run_that_blocks() -> None:
    state = after(*FAILED, RunEnded(RunStatus.FAILED), run_strategy=STRICT)
    assert explain_run(state, AROUND).sentence.endswith("; the runs after it wait until it is unblocked or restarted")


def test_a_run_without_an_owner_or_whose_owner_is_gone() -> None:
    state = after(BEGUN)
    nobody = explain_run(state, Surroundings(7, None))
    assert nobody.sentence.endswith("; and no node holds its group 7: start one (maestro-flow node)")
    gone = explain_run(state, Surroundings(7, changed(HELD, now=1001.0)))
    assert gone.since == 1000.0
    assert gone.sentence.endswith(
        "; but the lease of its owner (node-1:42) has expired, and no other node has taken group 7"
    )
    assert explain_step(state, "load", Surroundings(7, None)).sentence.endswith("start one (maestro-flow node)")


def test_a_run_that_is_only_given() -> None:
    state = FlowState.new("etl/1/1", Graph.of(definition(), 1), created_at=10.0)
    assert explain_run(state, AROUND) == Explanation("run etl/1/1 was started, and waits to be taken up", 10.0)


def test_a_long_error_is_cut() -> None:
    error = StepError("ValueError", "x" * 1000)
    state = after(*STARTED, StepEnded("load", 1, S.FATALLY_FAILED, error=error))
    assert len(explain_step(state, "load", AROUND).sentence) < 400
