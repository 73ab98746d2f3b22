"""``evolve(state, event, at) -> state``: the only place where a flow changes, and how it is loaded, shown and verified.

Pure: no clock, no input or output, no surprise. An event that does not fit the state is a defect of what wrote it and
raises ``IllegalEvent``: a flow is parked rather than guessed (law 5: a state never goes back).
"""

from __future__ import annotations

from collections.abc import Iterable

from immutables import Map
from msgspec.structs import replace

from maestro_flow.core.state import FlowState, StepState
from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.commit import LogRecord
from maestro_flow.model.events import (
    Event,
    RunEnded,
    RunStarted,
    RunStopping,
    StepEnded,
    StepInterrupted,
    StepProgressed,
    StepRunning,
    StepStarting,
    decode_events,
)
from maestro_flow.model.status import STEP_TRANSITIONS, RunStatus, StepStatus

__all__ = ["IllegalEvent", "evolve", "fold"]


class IllegalEvent(MaestroFlowError):
    """An event contradicts the state that its log says the flow is in."""


_SEVERITY = (RunStatus.SUCCEEDED, RunStatus.STOPPED, RunStatus.TIMED_OUT, RunStatus.FAILED)
_NOT_CREATED = StepState(StepStatus.NOT_CREATED, attempt=0)
_NO_TRANSITION: frozenset[StepStatus] = frozenset()


def fold(state: FlowState, records: Iterable[LogRecord]) -> FlowState:
    """The state that a log leads to from ``state`` on (``FlowState(flow_id, graph)`` for a whole log).

    Raises:
        UnknownEvent: a record is of a newer version.
        IllegalEvent: the log contradicts itself.
    """
    for record in records:
        if record.revision != state.revision + 1:
            raise IllegalEvent(f"{state.flow_id}: revision {record.revision} follows {state.revision}")
        for event in decode_events(record.events, record.schema_version):
            state = evolve(state, event, record.at)
        state = replace(state, revision=record.revision, at=record.at)
    return state


def evolve(state: FlowState, event: Event, at: float) -> FlowState:
    """The state after an event that was recorded at time ``at``."""
    if state.status.is_terminal:
        raise IllegalEvent(f"{state.flow_id}: {event!r} after the run has ended as {state.status}")
    match event:
        case StepStarting():
            return _step_starting(state, event, at)
        case StepEnded():
            return _step_ended(state, event, at)
        case StepRunning():
            return _step_running(state, event)
        case StepProgressed():
            step = _of_attempt(state, event.step, event.attempt)
            timeline = _extended(step.timeline, event.timeline)
            step = replace(step, artifacts=step.artifacts | event.artifacts, timeline=timeline)
            return replace(state, steps=state.steps.set(event.step, step))
        case StepInterrupted():
            return _step_interrupted(state, event)
        case RunStarted():
            return _run_started(state, event, at)
        case RunStopping():
            return replace(state, stopping=True)
        case RunEnded():
            return replace(state, status=event.status, ended_at=at)
        case _:
            raise IllegalEvent(f"{state.flow_id}: {event!r}")


def _run_started(state: FlowState, event: RunStarted, at: float) -> FlowState:
    return replace(
        state,
        status=RunStatus.IN_PROGRESS,
        instance_id=event.instance_id,
        run_id=event.run_id,
        created_at=event.created_at,
        started_at=at,
        params=event.params,
        ready=state.graph.roots,
    )


def _step_starting(state: FlowState, event: StepStarting, at: float) -> FlowState:
    before = state.steps.get(event.step, _NOT_CREATED)
    _check(state, event.step, before, StepStatus.STARTING)
    if event.attempt != before.attempt + 1:
        raise IllegalEvent(f"{state.flow_id}: attempt {event.attempt} of step {event.step} follows {before.attempt}")
    after = StepState(
        StepStatus.STARTING,
        attempt=event.attempt,
        starting_at=at,
        error_retries=before.error_retries,
        platform_retries=before.platform_retries,
        timeout_retries=before.timeout_retries,
    )
    return replace(
        state,
        steps=state.steps.set(event.step, after),
        ready=_without(state.ready, event.step),
        retrying=_unset(state, event.step),
        active=state.active + 1,
    )


def _step_running(state: FlowState, event: StepRunning) -> FlowState:
    step = _of_attempt(state, event.step, event.attempt)
    _check(state, event.step, step, StepStatus.RUNNING)
    if event.execution != step.execution:
        raise IllegalEvent(
            f"{state.flow_id}: step {event.step} runs as execution {event.execution}, not {step.execution}"
        )
    step = replace(step, status=StepStatus.RUNNING, began_at=event.at)
    return replace(state, steps=state.steps.set(event.step, step), interrupted=_without(state.interrupted, event.step))


def _step_interrupted(state: FlowState, event: StepInterrupted) -> FlowState:
    step = _of_attempt(state, event.step, event.attempt)
    _check(state, event.step, step, StepStatus.STARTING)
    if event.execution != step.execution + 1:
        raise IllegalEvent(f"{state.flow_id}: execution {event.execution} of {event.step} follows {step.execution}")
    step = replace(step, status=StepStatus.STARTING, execution=event.execution, crashes=event.crashes)
    return replace(state, steps=state.steps.set(event.step, step), interrupted=(*state.interrupted, event.step))


def _step_ended(state: FlowState, event: StepEnded, at: float) -> FlowState:
    before = state.steps.get(event.step, _NOT_CREATED)
    _check(state, event.step, before, event.status)
    if event.attempt != (before.attempt if before.is_active else before.attempt + 1):
        raise IllegalEvent(
            f"{state.flow_id}: attempt {event.attempt} of step {event.step} ends, it is at {before.attempt}"
        )
    after = replace(
        before,
        status=event.status,
        attempt=event.attempt,
        began_at=event.began_at if event.began_at is not None else before.began_at,
        ended_at=at,
        retry_at=event.retry_at,
        artifacts=before.artifacts | event.artifacts if event.artifacts else before.artifacts,
        timeline=_extended(before.timeline, event.timeline),
        result=event.result,
        outputs=event.outputs,
        error=event.error,
        error_retries=before.error_retries + (event.status is StepStatus.USER_FAILED),
        platform_retries=before.platform_retries + (event.status is StepStatus.PLATFORM_FAILED),
        timeout_retries=before.timeout_retries + (event.status is StepStatus.TIMEOUT_FAILED),
    )
    state = replace(
        state,
        steps=state.steps.set(event.step, after),
        active=state.active - before.is_active,
        interrupted=_without(state.interrupted, event.step),
        unsatisfied=_without(state.unsatisfied, event.step),
        retrying=_unset(state, event.step)
        if event.retry_at is None
        else state.retrying.set(event.step, event.retry_at),
        worst=max(state.worst, event.status.run_status, key=_SEVERITY.index),
    )
    return _propagate(state, event.step, event.status) if event.status.is_complete else state


def _propagate(state: FlowState, step: str, status: StepStatus) -> FlowState:
    """Count the completed step at its successors; the last predecessor decides between ready and unsatisfied."""
    waiting, satisfied, ready, unsatisfied = state.waiting, state.satisfied, [], []
    for successor, condition in state.graph.steps[step].successors.items():
        if condition and status is not StepStatus.UNSATISFIED:
            satisfied = satisfied.set(successor, True)
        left = waiting.get(successor, state.graph.predecessors[successor]) - 1
        if left:
            waiting = waiting.set(successor, left)
            continue
        if successor in waiting:
            waiting = waiting.delete(successor)
        if successor in satisfied:
            ready.append(successor)
            satisfied = satisfied.delete(successor)
        else:
            unsatisfied.append(successor)
    return replace(
        state,
        waiting=waiting,
        satisfied=satisfied,
        ready=(*state.ready, *ready) if ready else state.ready,
        unsatisfied=(*state.unsatisfied, *unsatisfied) if unsatisfied else state.unsatisfied,
    )


def _check(state: FlowState, step_id: str, step: StepState, status: StepStatus) -> None:
    if step_id not in state.graph.steps:
        raise IllegalEvent(f"{state.flow_id}: version {state.graph.version} has no step {step_id}")
    if status not in STEP_TRANSITIONS.get(step.status, _NO_TRANSITION):
        raise IllegalEvent(f"{state.flow_id}: step {step_id} cannot go from {step.status} to {status}")


def _of_attempt(state: FlowState, step_id: str, attempt: int) -> StepState:
    step = state.steps.get(step_id, _NOT_CREATED)
    if not step.is_active or step.attempt != attempt:
        raise IllegalEvent(f"{state.flow_id}: attempt {attempt} of step {step_id} is not under way ({step.status})")
    return step


def _extended(timeline: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """At most 32 entries, none equal to the one before it (Maestro: Timeline.java)."""
    for line in more:
        if not timeline or timeline[-1] != line:
            timeline = (*timeline, line)
    return timeline[-32:]


def _without(queue: tuple[str, ...], step_id: str) -> tuple[str, ...]:
    if step_id not in queue:
        return queue
    place = queue.index(step_id)  # most often the first, and the rest is copied in one go
    return queue[:place] + queue[place + 1 :]


def _unset(state: FlowState, step_id: str) -> Map[str, float]:
    return state.retrying.delete(step_id) if step_id in state.retrying else state.retrying
