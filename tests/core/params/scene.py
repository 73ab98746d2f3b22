"""Runs for tests of params: a workflow of two steps, ``a`` before ``b``, in which anything may be set."""

from __future__ import annotations

from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from maestro_flow.core.graph import Graph
from maestro_flow.core.params.evaluation import Evaluation
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.definition import TypedStep, WorkflowDefinition
from maestro_flow.model.params import Param, ParamType, infer_param
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import StepStatus

AT = 1_700_000_000.0
"""2023-11-14T22:13:20Z."""


def sel(kind: str, source: str, **fields: Any) -> Param:
    return Param(ParamType(kind), expression=source, **fields)


def literals(given: dict[str, Any]) -> dict[str, Param]:
    return {name: infer_param(name, value) for name, value in given.items()}


def flow(
    params: dict[str, Any] | None = None,
    a: dict[str, Any] | None = None,
    b: dict[str, Any] | None = None,
    *,
    step: dict[str, Any] | None = None,
    **fields: Any,
) -> FlowState:
    """A run that is not begun; ``step`` are more fields of step ``a``, ``fields`` those of the workflow."""
    first = TypedStep("a", "NoOp", params=literals(a or {}), **(step or {}))
    second = TypedStep("b", "Sleep", params=literals(b or {}))
    definition = WorkflowDefinition("w", (first, second), params=literals(params or {}), **fields)
    return FlowState.new("w/3/1", Graph.of(definition, 1), instance_id=3, run_id=1, created_at=AT)


def begun(state: FlowState, request: RunRequest = RunRequest()) -> FlowState:  # noqa: B008 - immutable
    """The run with its params."""
    params = evaluation().run_params(replace(state, request=request), request)
    return replace(state, request=request, params=params, started_at=AT)


def ended(state: FlowState, step_id: str, result: bytes = b"null", **outputs: Any) -> FlowState:
    """The run after a step has succeeded."""
    params = evaluation().step_params(state, step_id, 1)
    step = StepState(
        StepStatus.SUCCEEDED, params=params, outputs=literals(outputs), result=Raw(result), ended_at=AT + 1
    )
    return replace(state, steps=state.steps.set(step_id, step))


def evaluation() -> Evaluation:
    return Evaluation(AT, 250_000)


def values(params: dict[str, Param]) -> dict[str, Any]:
    return {name: param.plain for name, param in params.items()}


def run_value(source: str | Param, **params: Any) -> Any:
    """What a text, or a param, of the workflow is in a run of it."""
    return begun(flow({**params, "p": source})).params["p"].plain


def step_value(source: str | Param, **around: Any) -> Any:
    """The same for a param of step ``b``, after step ``a``."""
    state = ended(begun(flow(**around, b={"p": source})), "a")
    return evaluation().step_params(state, "b", 1)["p"].plain
