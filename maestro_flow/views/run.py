"""Views of a run and its steps: plain values, computed from the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import frozen

from maestro_flow.core.holds import Interrupted, Ready, Retry
from maestro_flow.core.params.step_params import params_of
from maestro_flow.core.state import SEVERITY, FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.definition import RunRule, StepDefinition
from maestro_flow.model.events import StepError
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.model.values import decode_value

__all__ = ["RunView", "StepView"]


@frozen
class StepView:
    """The latest attempt of a step. Times are seconds since the epoch, or None for what has not happened.

    A step whose turn has come is INITIALIZED. Once a step has begun, ``params`` are those that its code received.
    """

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
    timeout_s: float | None
    """Limit of the attempt, once it has begun."""
    breakpoint: bool
    """Each attempt is paused before it begins."""
    ending: StepStatus | None
    """The attempt is being terminated, to end in this status."""
    run_id: int
    """The run of the instance that the step belongs to: an earlier one if a restart took the step over."""
    is_carried: bool
    """It was taken over from an earlier run."""
    waiting_for: str
    """Why the step, whose turn has come, cannot run on this node; empty otherwise."""


@frozen
class RunView:
    """One moment of a run; ``steps`` are in the order of the definition."""

    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    status: RunStatus
    instance_status: RunStatus
    """Of the whole instance, including the steps that a restart took over from earlier runs."""
    reason: str
    """Why the run has ended, or is being ended, if its steps do not show it."""
    is_blocking: bool
    """The run has failed, and the runs after it wait until it is unblocked or restarted."""
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
    def of(cls, state: FlowState, unsupported: Mapping[str, str] | None = None) -> RunView:
        """The view of a state; ``unsupported`` has the steps that this process cannot run, and what each waits for."""
        definition = state.graph.definition
        queue = {step_id for kind in (Ready, Interrupted, Retry) for step_id in state.steps.queue(kind)}
        reasons = unsupported or {}
        return cls(
            workflow_id=state.workflow_id,
            version=state.graph.version,
            instance_id=state.instance_id,
            run_id=state.run_id,
            status=state.status,
            instance_status=_instance_status(state),
            reason=state.reason or state.ending_reason,
            is_blocking=state.is_blocking and definition.run_strategy.rule is RunRule.STRICT_SEQUENTIAL,
            created_at=state.created_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
            params={name: param.plain for name, param in state.params.items()},
            steps={
                step.id: _view(state, step, reasons.get(step.id, "") if step.id in queue else "")
                for step in definition.steps
            },
        )


_NOT_CREATED = StepState(StepStatus.NOT_CREATED, attempt=0)


def _view(state: FlowState, definition: StepDefinition, waiting_for: str) -> StepView:
    step_id = definition.id
    step = state.steps.get(step_id) or _NOT_CREATED
    defined_timeout_s = definition.timeout_s if isinstance(definition.timeout_s, int | float) else None
    return StepView(
        id=step_id,
        type=definition.type,
        status=state.status_of(step_id),
        attempt=step.attempt,
        execution=step.execution,
        started_at=step.began_at if step.began_at is not None else step.starting_at,
        ended_at=step.ended_at,
        retry_at=step.retry_at,
        params={name: param.plain for name, param in params_of(state, step_id).items()},
        outputs={name: param.plain for name, param in step.outputs.items()},
        result=decode_value(bytes(step.result)),
        artifacts=step.artifacts,
        timeline=step.timeline,
        error=step.error,
        timeout_s=step.timeout_s if step.timeout_s is not None else defined_timeout_s,
        breakpoint=step_id in state.breakpoints,
        ending=step.ending or (state.ending if step.is_active else None),
        run_id=_run_of(state, step_id),
        is_carried=step_id in state.carried,
        waiting_for=waiting_for,
    )


def _run_of(state: FlowState, step_id: str) -> int:
    """The run that a step belongs to: follows it back through the runs from which it was taken over."""
    while step_id in state.carried and state.inherits_from is not None:
        state = state.inherits_from
    return state.run_id


def _instance_status(state: FlowState) -> RunStatus:
    """As in Maestro (AggregatedViewHelper): over all runs of the instance, each step counts with its latest status."""
    if not state.status.is_terminal:
        return state.status
    carried = (state.steps[step_id].status.run_status for step_id in state.carried if step_id in state.steps)
    return max((state.status, *carried), key=SEVERITY.index)
