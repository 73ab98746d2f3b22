"""Conditions, failures that are ignored, and skips: every order of events leads where an independent oracle says.

The oracle walks the steps once, in the order in which they are written, with the values worked out in Python.
"""

from __future__ import annotations

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.slots import Slots
from maestro_flow.model.definition import FailureMode, TypedStep, WorkflowDefinition
from maestro_flow.model.params import Param, ParamType
from maestro_flow.model.status import RunStatus, StepStatus
from tests.core.capacities import capacity
from tests.core.transcript import Player

S = StepStatus
LIMIT = 2


@frozen
class Edge:
    """A condition as text, and what it is worth when its step gave this value (None: it failed, or was skipped)."""

    text: bool | str
    kind: str
    number: int

    def is_true(self, value: int | None) -> bool:
        match self.kind:
            case "constant":
                return bool(self.text)
            case "param":
                return self.number < LIMIT
            case _:
                assert value is not None
                return value > self.number


def edge(source: str, kind: str, number: int) -> Edge:
    texts: dict[str, bool | str] = {
        "constant": number > 1,
        "param": f"limit > {number}",
        "result": f"int x = {source}; x > {number};",
    }
    return Edge(texts[kind], kind, number)


@frozen
class Case:
    definition: WorkflowDefinition
    edges: dict[str, dict[str, Edge]]
    values: dict[str, int | None]
    """What each step gives when it runs; None: it fails for good."""


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ids = [f"s{index}" for index in range(draw(st.integers(1, 8)))]
    values = {step: draw(st.none() | st.integers(0, 3)) for step in ids}
    edges: dict[str, dict[str, Edge]] = {step: {} for step in ids}
    for index, source in enumerate(ids):
        kinds = ["constant", "param"] if values[source] is None else ["constant", "param", "result"]
        for target in ids[index + 1 :]:
            if draw(st.booleans()):
                edges[source][target] = edge(source, draw(st.sampled_from(kinds)), draw(st.integers(0, 3)))
    modes = st.sampled_from([FailureMode.FAIL_AFTER_RUNNING, FailureMode.IGNORE_FAILURE])
    steps = tuple(
        TypedStep(
            step,
            "Test",
            successors={target: known.text for target, known in edges[step].items()},
            failure_mode=draw(modes),
        )
        for step in ids
    )
    return Case(WorkflowDefinition("wf", steps, params={"limit": Param(ParamType.LONG, LIMIT)}), edges, values)


def expected(case: Case) -> dict[str, StepStatus]:
    ends: dict[str, StepStatus] = {}
    for step in case.definition.steps:
        incoming = {source: known[step.id] for source, known in case.edges.items() if step.id in known}
        if any(ends[source] in (S.NOT_CREATED, S.FATALLY_FAILED) for source in incoming):
            ends[step.id] = S.NOT_CREATED
        elif incoming and not any(
            ends[source] is not S.UNSATISFIED and known.is_true(case.values[source])
            for source, known in incoming.items()
        ):
            ends[step.id] = S.UNSATISFIED
        elif case.values[step.id] is not None:
            ends[step.id] = S.SUCCEEDED
        else:
            is_ignored = step.failure_mode is FailureMode.IGNORE_FAILURE
            ends[step.id] = S.COMPLETED_WITH_ERROR if is_ignored else S.FATALLY_FAILED
    return ends


@settings(max_examples=300, deadline=None)
@given(data=st.data(), case=cases())
def test_every_order_of_events_leads_to_the_same_end(data: st.DataObject, case: Case) -> None:
    player = Player(case.definition)
    player.capacity = capacity(
        {"threads": Slots(data.draw(st.integers(1, 3)), 1)}, events_max=data.draw(st.integers(1, 5))
    )
    player.play(["start"])
    for _ in range(100):
        state = player.state
        assert player.folded() == state
        if state.status.is_terminal:
            break
        running = [step for step in case.values if step in state.steps and state.steps[step].is_active]
        running = [step for step in running if state.steps.hold(step) is None]
        assert running, "a run that has not ended has something under way"
        step = data.draw(st.sampled_from(running))
        value = case.values[step]
        player.play([f"fatal {step}" if value is None else f"done {step} value={value}"])
        if data.draw(st.integers(0, 9)) == 0:
            player.play(["reload"])
    state = player.state
    ends = {step: state.steps[step].status if step in state.steps else S.NOT_CREATED for step in case.values}
    assert ends == expected(case)
    assert state.status is (RunStatus.FAILED if S.FATALLY_FAILED in ends.values() else RunStatus.SUCCEEDED)


def test_a_condition_without_a_value_fails_its_step() -> None:
    bad = TypedStep("a", "Test", successors={"b": "1 / 0 > 1"})
    player = Player(WorkflowDefinition("wf", (bad, TypedStep("b", "Test"))))
    player.play(["start"])
    player.play(["done a"])
    step = player.state.steps["a"]
    assert step.status is S.INTERNALLY_FAILED
    assert step.error is not None
    assert "'b'" in step.error.message
    assert player.state.status is RunStatus.FAILED


def test_what_a_decision_evaluates_is_bounded_and_the_rest_follows_in_the_next_one() -> None:
    loop = "int x = 0; for (int i = 0; i < 300; i += 1) { x = i; } x"
    steps = tuple(
        TypedStep(f"s{index}", "Test", params={"x": Param(ParamType.LONG, expression=loop)}) for index in range(20)
    )
    player = Player(WorkflowDefinition("wf", steps))
    player.capacity = capacity(expression_visits_max=10_000)
    told = player.play(["start"])
    assert told.count(" rev ") > 2, "several commits, so that other flows have their turn"
    assert told.count("step_starting") == 20
    assert player.state.steps["s7"].params["x"].value == 299


def test_one_expression_beyond_the_limit_fails_its_step_alone() -> None:
    endless = TypedStep("a", "Test", params={"x": Param(ParamType.LONG, expression="while (true) { 1; } 2")})
    player = Player(WorkflowDefinition("wf", (endless, TypedStep("b", "Test"))))
    player.capacity = capacity(expression_visits_max=10_000)
    player.play(["start"])
    player.play(["done b"])
    step = player.state.steps["a"]
    assert step.status is S.INTERNALLY_FAILED
    assert step.error is not None
    assert "'x'" in step.error.message
    assert player.state.steps["b"].status is S.SUCCEEDED
