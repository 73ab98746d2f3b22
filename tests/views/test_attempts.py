"""All attempts of a step, derived from the log of its run."""

from __future__ import annotations

import pytest
from msgspec import Raw

from maestro_flow import NotFound, RunStatus, StepContext, Workflow
from maestro_flow.core.evolve import evolve
from maestro_flow.core.graph import Graph
from maestro_flow.core.state import FlowState
from maestro_flow.model import events
from maestro_flow.model.events import Event, StepError
from maestro_flow.model.params import Param, ParamType
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import StepStatus
from maestro_flow.views.attempts import AttemptView, attempts
from maestro_flow.views.documents import attempt_document
from maestro_flow.views.history import RecordedEvent
from tests.engine.world import World

BEGUN = events.RunStarted("etl", 1, 1, 1, 10.0)


def initial(previous: FlowState | None = None) -> FlowState:
    wf = Workflow("etl")
    wf.add("a", type="Db", params={"table": "t"})
    wf.add("b", type="Db", after=["a"])
    return FlowState.new("etl/1/1", Graph.of(wf.definition, 1), previous=previous)


def attempts_of(step_id: str, *happened: Event, begin: FlowState | None = None) -> list[AttemptView]:
    """The attempts after events at the times 11, 12, ..."""
    recorded = [RecordedEvent(1, float(at), "owner", event) for at, event in enumerate(happened, start=11)]
    return attempts(begin or initial(), recorded, step_id)


def test_each_attempt_has_what_it_was_given_and_what_it_left() -> None:
    first, second = attempts_of(
        "a",
        BEGUN,
        events.StepStarting("a", 1, {"day": Param(ParamType.STRING, "monday")}),
        events.StepProgressed("a", 1, {"job": 7}, ("job 7 sent",)),
        events.StepEnded(
            "a", 1, StepStatus.USER_FAILED, 12.5, timeline=("job 7 failed",), error=StepError("E", "no"), retry_at=90.0
        ),
        events.StepStarting("a", 2, {"day": Param(ParamType.STRING, "tuesday")}),
        events.StepEnded("a", 2, StepStatus.SUCCEEDED, 15.5, result=Raw(b"5")),
    )
    assert (first.attempt, first.status, first.executions) == (1, StepStatus.USER_FAILED, 1)
    assert (first.started_at, first.ended_at, first.retry_at) == (12.5, 14.0, 90.0)
    assert first.params == {"table": "t", "day": "monday"}
    assert (first.artifacts, first.error, first.result) == ({"job": 7}, StepError("E", "no"), None)
    assert [(entry.at, entry.what) for entry in first.timeline] == [
        (12.0, "STARTING"),
        (12.5, "RUNNING"),
        (13.0, "job 7 sent"),
        (14.0, "job 7 failed"),
        (14.0, "USER_FAILED"),
    ]
    assert (second.attempt, second.status, second.result, second.error) == (2, StepStatus.SUCCEEDED, 5, None)
    assert second.params == {"table": "t", "day": "tuesday"}
    assert (second.artifacts, second.retry_at) == ({}, None)
    assert [entry.what for entry in second.timeline] == ["STARTING", "RUNNING", "SUCCEEDED"]


def test_an_attempt_that_was_interrupted_is_one_with_two_executions() -> None:
    (attempt,) = attempts_of(
        "a",
        BEGUN,
        events.StepStarting("a"),
        events.StepRunning("a", 1, 12.1),
        events.StepInterrupted("a", 1, 2, 1),
        events.StepRunning("a", 1, 12.1, 2),
    )
    assert (attempt.attempt, attempt.executions, attempt.status) == (1, 2, StepStatus.RUNNING)
    assert (attempt.started_at, attempt.ended_at) == (12.1, None)
    assert [(entry.execution, entry.what) for entry in attempt.timeline] == [
        (1, "STARTING"),
        (1, "RUNNING"),
        (1, "interrupted"),
        (2, "RUNNING"),
    ], "whatever the attempt's own beginning, its second execution begins after the interruption"


def test_an_attempt_that_waits_before_it_begins_is_there() -> None:
    (attempt,) = attempts_of("a", BEGUN, events.StepPaused("a", 1))
    assert (attempt.attempt, attempt.status, attempt.started_at) == (1, StepStatus.PAUSED, None)


def test_a_step_that_was_not_ready_has_none() -> None:
    assert attempts_of("b", BEGUN, events.BreakpointSet("b"), events.StepStarting("a")) == []


def test_a_step_that_a_restart_has_taken_over_has_none_in_the_new_run() -> None:
    ended = initial()
    log: list[Event] = [
        BEGUN,
        events.StepStarting("a"),
        events.StepEnded("a", 1, StepStatus.SUCCEEDED),
        events.StepStarting("b"),
        events.StepEnded("b", 1, StepStatus.FATALLY_FAILED),
        events.RunEnded(RunStatus.FAILED),
    ]
    for event in log:
        ended = evolve(ended, event, 5.0)
    request = RunRequest(policy=RunPolicy.RESTART_FROM_INCOMPLETE, previous="etl/1/1")
    happened: list[Event] = [
        events.RunStarted("etl", 1, 1, 2, 20.0, request=request),
        events.BreakpointSet("a"),
        events.StepStarting("b"),
    ]
    assert attempts_of("a", *happened, begin=initial(previous=ended)) == []
    assert [attempt.attempt for attempt in attempts_of("b", *happened, begin=initial(previous=ended))] == [1]


def test_a_run_has_the_attempts_of_its_steps() -> None:
    wf = Workflow("flaky")

    @wf.step(retries=2, retry_wait_s=60)
    def fetch(context: StepContext) -> int:
        if context.attempt < 3:
            raise ConnectionError(f"try {context.attempt}")
        return 7

    run = World().process().engine.run(wf, timeout_s=600)
    found = run.attempts("fetch")
    assert [attempt.status for attempt in found] == ["USER_FAILED", "USER_FAILED", "SUCCEEDED"]
    assert [attempt.error.message for attempt in found if attempt.error] == ["try 1", "try 2"]
    step = run.steps["fetch"]
    assert (found[-1].started_at, found[-1].ended_at, found[-1].result) == (step.started_at, step.ended_at, 7)
    entries = [(entry.at, entry.what) for attempt in found for entry in attempt.timeline]
    assert entries == [(entry.at, entry.what) for entry in run.timeline("fetch")]
    with pytest.raises(NotFound, match="no step 'nop'"):
        run.attempts("nop")


def test_an_attempt_as_json_has_times_as_text() -> None:
    (attempt,) = attempts_of("a", BEGUN, events.StepStarting("a"), events.StepRunning("a", 1, 12.25))
    document = attempt_document(attempt)
    assert (document["attempt"], document["executions"], document["status"]) == (1, 1, "RUNNING")
    assert (document["start_time"], document["end_time"]) == ("1970-01-01T00:00:12.250Z", None)
    assert [entry["what"] for entry in document["timeline"]] == ["STARTING", "RUNNING"]
