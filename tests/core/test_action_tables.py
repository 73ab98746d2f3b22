"""The tables of allowed actions, exhaustively: every status of a run and of a step with every action.

The tables here are typed from the reference (maestro.md 3.5), apart from those of the code.
"""

from __future__ import annotations

from itertools import product

import pytest
from msgspec.structs import replace

from maestro_flow.core.decide import Decision, decide
from maestro_flow.core.evolve import IllegalEvent, evolve
from maestro_flow.core.graph import Graph
from maestro_flow.core.holds import PAUSED, PERMITS, READY, RETRY, Hold, Paused, Ready
from maestro_flow.core.inputs import Act, TerminateStep
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.actions import RUN_ACTIONS, STEP_ACTIONS, Action, ActionOrder
from maestro_flow.model.definition import TypedStep, WorkflowDefinition
from maestro_flow.model.events import RunEnded, RunStopping, RunUnblocked, StepEnded, StepStopping
from maestro_flow.model.status import STEP_TRANSITIONS, RunStatus, StepStatus
from tests.core.capacities import capacity

RUN_TABLE = """
    CREATED IN_PROGRESS          : STOP KILL
    TIMED_OUT STOPPED SUCCEEDED  : RESTART
    FAILED                       : RESTART UNBLOCK
"""
STEP_TABLE = """
    NOT_CREATED                  :
    CREATED                      : PAUSE STOP KILL
    INITIALIZED                  : PAUSE STOP KILL SKIP
    PAUSED                       : RESUME STOP KILL SKIP
    WAITING_FOR_SIGNALS          : STOP KILL SKIP BYPASS_STEP_DEPENDENCIES
    EVALUATING_PARAMS WAITING_FOR_PERMITS STARTING RUNNING FINISHING : STOP KILL SKIP
    USER_FAILED PLATFORM_FAILED TIMEOUT_FAILED                       : STOP KILL SKIP
    DISABLED UNSATISFIED         : RESTART
    SKIPPED SUCCEEDED COMPLETED_WITH_ERROR FATALLY_FAILED INTERNALLY_FAILED STOPPED TIMED_OUT : RESTART SKIP
"""
STEP_ENDS = {"STOP": StepStatus.STOPPED, "KILL": StepStatus.FATALLY_FAILED, "SKIP": StepStatus.SKIPPED}
RUN_ENDS = {"STOP": RunStatus.STOPPED, "KILL": RunStatus.FAILED}
UNREACHABLE = {"WAITING_FOR_SIGNALS", "EVALUATING_PARAMS", "FINISHING", "DISABLED", "CREATED"}
"""Of a step: features that this version does not have, or statuses that nobody sees, as they are never recorded."""


def read(table: str) -> dict[str, set[str]]:
    rows = (line.split(":") for line in table.strip().split("\n"))
    return {status: set(actions.split()) for statuses, actions in rows for status in statuses.split()}


GRAPH = Graph.of(
    WorkflowDefinition(
        "wf",
        (
            TypedStep("before", "Test", successors={"step": True}),
            TypedStep("step", "Test", successors={"after": True}),
            TypedStep("after", "Test"),
            TypedStep("beside", "Test"),
        ),
    ),
    1,
)
HOLDS: dict[StepStatus, Hold] = {
    StepStatus.INITIALIZED: READY,
    StepStatus.PAUSED: PAUSED,
    StepStatus.WAITING_FOR_PERMITS: PERMITS,
    StepStatus.USER_FAILED: RETRY,
    StepStatus.PLATFORM_FAILED: RETRY,
    StepStatus.TIMEOUT_FAILED: RETRY,
}
RUNNING = StepState(StepStatus.RUNNING)


def flow(status: StepStatus) -> FlowState:
    """An active run that also has a step in this status."""
    state = FlowState.new("wf/1/1", GRAPH, revision=7, status=RunStatus.IN_PROGRESS)
    steps = state.steps.set("beside", RUNNING).set("before", StepState(StepStatus.SUCCEEDED))
    if status is not StepStatus.NOT_CREATED:
        steps = steps.set("step", StepState(status, retry_at=99.0, hold=HOLDS.get(status)))
    return replace(state, steps=steps, active=1 + (status in (StepStatus.STARTING, StepStatus.RUNNING)))


def decided(state: FlowState, action: str, step: str = "") -> Decision:
    return decide(state, [Act("m", Action[action], ActionOrder(step))], 1.0, capacity({}))


ACTIONS = [action for action in Action if action is not Action.BREAKPOINT]  # that one sets a rule, whatever the status


@pytest.mark.parametrize(("status", "action"), list(product([s for s in StepStatus if s not in UNREACHABLE], ACTIONS)))
def test_of_a_step(status: StepStatus, action: Action) -> None:
    allowed = action.value in read(STEP_TABLE)[status.value]
    state = flow(status)
    decision = decided(state, action.value, "step")
    (settlement,) = decision.settles
    after = decision.state.steps.get("step")
    if not allowed or (status.is_terminal and status.is_complete):
        assert settlement.outcome.startswith("conflict: "), "a complete step is restarted when the run has ended"
        assert status.value in settlement.outcome, "the one who loses is told the current state"
        assert decision.events == ()
        assert after == state.steps.get("step")
        return
    assert settlement.outcome == "accepted"
    if action.value in STEP_ENDS and status in (StepStatus.STARTING, StepStatus.RUNNING):
        assert decision.events == (StepStopping("step", 1, STEP_ENDS[action.value]),)
        assert decision.effects == (TerminateStep("step", 1),)
    elif action.value in STEP_ENDS:
        assert after is not None
        assert after.status is STEP_ENDS[action.value]
        assert decision.state.steps.is_in(Ready, "after") is (action is Action.SKIP)
    elif action is Action.PAUSE:
        assert tuple(decision.state.steps.queue(Paused)) == ("step",)
    else:
        assert action in (Action.RESUME, Action.RESTART)
        assert tuple(decision.state.steps.queue(Ready)) == ("step",)


@pytest.mark.parametrize(("status", "action"), list(product(RunStatus, ACTIONS)))
def test_of_a_run(status: RunStatus, action: Action) -> None:
    state = flow(StepStatus.RUNNING) if status is RunStatus.IN_PROGRESS else FlowState.new("wf/1/1", GRAPH, revision=1)
    state = replace(state, status=status, is_blocking=status is RunStatus.FAILED)
    decision = decided(state, action.value)
    (settlement,) = decision.settles
    # A restart of a run makes a new run: it is a start, never a message.
    if action.value not in read(RUN_TABLE)[status.value] or action is Action.RESTART:
        assert settlement.outcome.startswith(f"conflict: the run is {status}; allowed: ")
        assert decision.events == ()
        return
    assert settlement.outcome == "accepted"
    (event,) = decision.events
    match status:
        case RunStatus.CREATED:
            assert isinstance(event, RunEnded)
            assert event.status is RUN_ENDS[action.value]
        case RunStatus.IN_PROGRESS:
            assert isinstance(event, RunStopping)
            assert event.status is STEP_ENDS[action.value]
            assert len(decision.effects) == 2
        case _:
            assert isinstance(event, RunUnblocked)
            assert not decision.state.is_blocking


def test_the_tables_of_the_code_are_those_of_the_reference() -> None:
    assert {status.value: {a.value for a in allowed} for status, allowed in STEP_ACTIONS.items()} == read(STEP_TABLE)
    assert {status.value: {a.value for a in allowed} for status, allowed in RUN_ACTIONS.items()} == read(RUN_TABLE)


@pytest.mark.parametrize(
    ("before", "after"),
    list(product([s for s in StepStatus if s not in UNREACHABLE], [s for s in StepStatus if s.is_terminal])),
)
def test_a_step_goes_only_where_the_published_table_says(before: StepStatus, after: StepStatus) -> None:
    state = flow(before)
    step = state.steps.get("step")
    event = StepEnded("step", 1 if step is None else step.next_attempt, after)
    if after in STEP_TRANSITIONS.get(before, ()):
        assert evolve(state, event, 1.0).steps["step"].status is after
    else:
        with pytest.raises(IllegalEvent):
            evolve(state, event, 1.0)
