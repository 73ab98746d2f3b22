"""All attempts of a step in one run, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from attrs import frozen

from maestro_flow.core.evolve import evolve
from maestro_flow.core.params.step_params import params_of
from maestro_flow.core.state import FlowState
from maestro_flow.model.events import StepError, StepEvent
from maestro_flow.model.status import StepStatus
from maestro_flow.model.values import decode_value
from maestro_flow.views.history import RecordedEvent
from maestro_flow.views.timeline import TimelineEntry, timeline

__all__ = ["AttemptView", "attempts"]


@frozen
class AttemptView:
    """One attempt of a step. Times are seconds since the epoch, or None for what has not happened."""

    attempt: int
    """From 1 on."""
    executions: int
    """How many times its code was started: more than once if owners of the run were lost."""
    status: StepStatus
    started_at: float | None
    """When the code of the attempt really began; before that is known, when the attempt became STARTING."""
    ended_at: float | None
    retry_at: float | None
    """When the next attempt is due; set in an attempt that is retried."""
    params: dict[str, Any]
    """The params that the attempt was given."""
    outputs: dict[str, Any]
    result: Any
    artifacts: dict[str, Any]
    error: StepError | None
    timeline: tuple[TimelineEntry, ...]


def attempts(initial: FlowState, events: Iterable[RecordedEvent], step_id: str) -> list[AttemptView]:
    """The attempts of a step in a run, first to latest; none for a step that was not ready or was taken over.

    ``initial`` is the state of the run before the first of its ``events``, of which none may be missing.
    """
    recorded = list(events)
    latest: dict[int, FlowState] = {}
    state = initial
    for each in recorded:
        state = evolve(state, each.event, each.at)
        is_of_step = isinstance(each.event, StepEvent) and each.event.step == step_id
        if is_of_step and step_id in state.steps and step_id not in state.carried:
            latest[state.steps[step_id].attempt] = state
    entries = timeline(recorded, step_id)
    return [_view(state, step_id, entries) for attempt, state in sorted(latest.items()) if attempt]


def _view(state: FlowState, step_id: str, entries: Sequence[TimelineEntry]) -> AttemptView:
    """The attempt that is the latest one in this state."""
    step = state.steps[step_id]
    return AttemptView(
        attempt=step.attempt,
        executions=step.execution,
        status=step.status,
        started_at=step.began_at if step.began_at is not None else step.starting_at,
        ended_at=step.ended_at,
        retry_at=step.retry_at,
        params={name: param.plain for name, param in params_of(state, step_id).items()},
        outputs={name: param.plain for name, param in step.outputs.items()},
        result=decode_value(bytes(step.result)),
        artifacts=step.artifacts,
        error=step.error,
        timeline=tuple(entry for entry in entries if entry.attempt == step.attempt),
    )
