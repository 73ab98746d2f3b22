"""A run as people and programs look at it: plain values, made from its log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from attrs import frozen

from maestro_flow.core.state import FlowState, StepState
from maestro_flow.model.definition import StepDefinition
from maestro_flow.model.events import StepError
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.model.values import decode_value

__all__ = ["RunView", "StepView"]


@frozen
class StepView:
    """The latest attempt of a step. Times are seconds since the epoch, or None for what has not happened."""

    id: str
    type: str
    status: StepStatus
    attempt: int
    execution: int
    started_at: float | None
    """When the code of the attempt really began; before that is known, when the attempt became STARTING."""
    ended_at: float | None
    retry_at: float | None
    params: dict[str, Any]
    outputs: dict[str, Any]
    result: Any
    artifacts: dict[str, Any]
    timeline: tuple[str, ...]
    error: StepError | None
    waiting_for: str
    """Why the step cannot run on this node, though it is its turn; empty otherwise."""


@frozen
class RunView:
    """One moment of a run; ``steps`` are in the order of the definition."""

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    status: RunStatus
    created_at: float
    started_at: float | None
    ended_at: float | None
    params: dict[str, Any]
    steps: dict[str, StepView]

    @property
    def outputs(self) -> dict[str, Any]:
        """What the steps produced: the result of each that has one, or the dict of its typed outputs."""
        return {
            step_id: step.result if step.result is not None else step.outputs
            for step_id, step in self.steps.items()
            if step.result is not None or step.outputs
        }

    @classmethod
    def of(cls, state: FlowState, lacking: Collection[str] = ()) -> RunView:
        """The view of a state; ``lacking`` are ids of steps whose code this process does not have."""
        definition = state.graph.definition
        queue = {*state.ready, *state.interrupted, *state.retrying}
        return cls(
            workflow_id=definition.id,
            version=state.graph.version,
            instance_id=state.instance_id,
            run_id=state.run_id,
            status=state.status,
            created_at=state.created_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
            params={name: param.value for name, param in state.params.items()},
            steps={
                step.id: _view(step, state.steps.get(step.id, _UNTOUCHED), step.id in queue and step.id in lacking)
                for step in definition.steps
            },
        )


_UNTOUCHED = StepState(StepStatus.NOT_CREATED, attempt=0)


def _view(definition: StepDefinition, step: StepState, is_lacking: bool) -> StepView:
    return StepView(
        id=definition.id,
        type=definition.type,
        status=step.status,
        attempt=step.attempt,
        execution=step.execution,
        started_at=step.began_at if step.began_at is not None else step.starting_at,
        ended_at=step.ended_at,
        retry_at=step.retry_at,
        params={name: param.value for name, param in definition.params.items()},
        outputs={name: param.value for name, param in step.outputs.items()},
        result=decode_value(bytes(step.result)),
        artifacts=step.artifacts,
        timeline=step.timeline,
        error=step.error,
        waiting_for=f"step type {definition.type!r}, whose code this process does not have" if is_lacking else "",
    )
