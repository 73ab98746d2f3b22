"""The checks of a definition reach into the bodies of loops, which no document can have yet."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.dsl.graph import check_graph
from maestro_flow.dsl.location import ROOT, Location
from maestro_flow.dsl.names import check_names
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import ForeachStep, RetryPolicy, TypedStep, WhileStep, WorkflowDefinition
from maestro_flow.model.params import Param, ParamType, infer_param

HERE = "steps[0].foreach"


def place_of(index: int) -> Location:
    return (ROOT / "steps")[index] / "foreach"


def check(*body: Any, steps_max: int = 10) -> None:
    definition = WorkflowDefinition("w", (ForeachStep("loop", body),))
    check_graph(definition, steps_max, ROOT / "steps", place_of)


def noop(step_id: str, *successors: str) -> TypedStep:
    return TypedStep(step_id, "NoOp", successors=dict.fromkeys(successors, True))


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ([], f"{HERE}.steps: expected at least one step"),
        ([noop("loop")], f'{HERE}.steps[0].step.id: the step id "loop" is taken, by {HERE}; ids must be unique'),
        ([noop("a", "loop")], f'{HERE}.steps[0].step.transition.successors.loop: there is no step "loop"'),
        ([noop("a", "b"), noop("b", "a")], f"{HERE}.steps: the steps form a cycle: a -> b -> a"),
        (
            [WhileStep("while", (noop("a"), noop("a")), "x")],
            f'{HERE}.steps[0].while.steps[1].step.id: the step id "a" is taken, by {HERE}.steps[0].while.steps[0].step',
        ),
        ([noop(f"s{number}") for number in range(10)], "steps: 11 steps are too many; at most 10 are allowed"),
    ],
)
def test_what_is_wrong_in_a_body_is_said_with_its_place(body: list[Any], problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        check(*body)
    assert str(refused.value).startswith(problem)


def test_a_body_may_have_loops() -> None:
    check(noop("a", "b"), WhileStep("b", (noop("c"),), "true"))


def names(body: TypedStep, condition: str = "x < n") -> list[str]:
    """What is noted of a loop over ``n`` whose body is a loop over ``x``, in a workflow with the param ``day``."""
    inner = WhileStep("inner", (body,), condition, params={"loop_params": infer_param("loop_params", {"x": 0})})
    outer = ForeachStep("outer", (inner,), params={"loop_params": infer_param("loop_params", {"n": [1, 2]})})
    noted: list[str] = []
    check_names(
        WorkflowDefinition("w", (outer,), params={"day": infer_param("day", "today")}),
        ROOT,
        place_of,
        lambda location, text: noted.append(f"{location.path}: {text}"),
    )
    return noted


def reads(expression: str) -> TypedStep:
    return TypedStep("deep", "NoOp", params={"p": Param(ParamType.LONG, expression=expression)})


def test_the_steps_of_a_body_read_what_the_loops_around_them_loop_over() -> None:
    assert names(reads("x + n + loop_index + outer__a")) == []


def test_names_in_a_body_that_nothing_defines_are_noted() -> None:
    deep = f"{HERE}.steps[0].while.steps[0].step"
    assert [line.partition(" (")[0] for line in names(reads("y"), "z < 3")] == [
        f'{HERE}.steps[0].while.condition: nothing here defines "z": it must be given when a run is started',
        f'{deep}.params.p: nothing here defines "y": it must be given when a run is started',
    ]


def test_a_retry_policy_in_a_body_is_of_the_workflow_as_any() -> None:
    assert names(TypedStep("deep", "NoOp", retry_policy=RetryPolicy(error_retry_limit="$day"))) == []
    with pytest.raises(DefinitionError, match="is not a param of the workflow"):
        names(TypedStep("deep", "NoOp", retry_policy=RetryPolicy(error_retry_limit="$x")))
