"""``evolve(state, event, at) -> state``: the only place where a flow changes, and how it is loaded, shown and verified.

Pure: no clock, no input or output, no surprise. An event that does not fit the state is a defect of what wrote it and
raises ``IllegalEvent``: a flow is parked rather than guessed (law 5: a state never goes back).
"""

from __future__ import annotations

from collections.abc import Iterable

from immutables import Map
from msgspec.structs import replace

from maestro_flow.core.readiness import begin, propagate
from maestro_flow.core.state import FlowState, StepState
from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.events import (
    BreakpointSet,
    Event,
    RunEnded,
    RunQueued,
    RunStarted,
    RunStopping,
    RunUnblocked,
    StepEnded,
    StepInterrupted,
    StepLacking,
    StepPaused,
    StepPermitted,
    StepProgressed,
    StepRestarting,
    StepResumed,
    StepRunning,
    StepStarting,
    StepStopping,
    StepWaiting,
    decode_events,
)
from maestro_flow.model.log import LogRecord
from maestro_flow.model.status import STEP_TRANSITIONS, RunStatus, StepStatus

__all__ = ["IllegalEvent", "evolve", "fold"]


class IllegalEvent(MaestroFlowError):
    """An event contradicts the state that its log says the flow is in."""


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


def evolve(state: FlowState, event: Event, at: float) -> FlowState:  # noqa: PLR0912 - one branch an event
    """The state after an event that was recorded at time ``at``."""
    if state.status.is_terminal and not (isinstance(event, RunUnblocked) and state.is_blocking):
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
        case StepStopping():
            step = replace(_of_attempt(state, event.step, event.attempt), ending=event.status)
            return replace(state, steps=state.steps.set(event.step, step))
        case StepPaused() | StepResumed() | StepWaiting() | StepPermitted() | StepRestarting():
            return _step_waits(state, event)
        case StepLacking():
            return replace(state, lacking=state.lacking | {event.step})
        case BreakpointSet():
            changed = state.breakpoints | {event.step} if event.on else state.breakpoints - {event.step}
            return replace(state, breakpoints=changed)
        case RunQueued() | RunStarted():
            return _run_begins(state, event, at)
        case RunStopping():
            return replace(state, ending=event.status, ending_reason=event.reason)
        case RunEnded():
            is_blocking = event.status is RunStatus.FAILED and state.graph.definition.run_strategy.is_limited
            return replace(state, status=event.status, ended_at=at, reason=event.reason, is_blocking=is_blocking)
        case RunUnblocked():
            return replace(state, is_blocking=False)


# -- the run ----------------------------------------------------------------------------------------------------


def _run_begins(state: FlowState, event: RunQueued | RunStarted, at: float) -> FlowState:
    if state.status is not RunStatus.CREATED:
        raise IllegalEvent(f"{state.flow_id}: {event!r} while the run is {state.status}")
    request = state.request if event.request is None else event.request
    if request.previous and state.previous is None:
        raise IllegalEvent(f"{state.flow_id}: it goes on from {request.previous}, which was not read")
    state = replace(
        state,
        instance_id=event.instance_id,
        run_id=event.run_id,
        created_at=event.created_at,
        request=request,
        breakpoints=frozenset(request.breakpoints),
    )
    if isinstance(event, RunQueued):
        return state
    deadline = None if event.timeout_s is None else at + event.timeout_s
    return begin(replace(state, status=RunStatus.IN_PROGRESS, started_at=at, params=event.params, deadline=deadline))


# -- before an attempt ------------------------------------------------------------------------------------------


def _step_waits(
    state: FlowState, event: StepPaused | StepResumed | StepWaiting | StepPermitted | StepRestarting
) -> FlowState:
    """An attempt has its number, and moves between the queues of those that have not begun."""
    step_id, before = event.step, state.steps.get(event.step, _NOT_CREATED)
    ready = _without(state.ready, step_id)
    paused, awaiting, blamed = _without(state.paused, step_id), _without(state.awaiting, step_id), state.blamed
    changes, attempt, status, permits = state.step_changes, before.next_attempt, before.status, before.permits
    match event:
        case StepPaused():
            status, paused = StepStatus.PAUSED, (*paused, step_id)
        case StepResumed():
            status, ready = StepStatus.INITIALIZED, (*ready, step_id)
        case StepWaiting():
            status, permits, awaiting = StepStatus.WAITING_FOR_PERMITS, event.permits, (*awaiting, step_id)
        case StepPermitted():
            _expect(state, step_id, before, StepStatus.WAITING_FOR_PERMITS)
            ready = (*ready, step_id)
        case StepRestarting():
            status, ready = StepStatus.CREATED, (*ready, step_id)
            blamed = blamed.delete(step_id) if step_id in blamed else blamed
            changes = changes.set(step_id, changes.get(step_id, {}) | event.params) if event.params else changes
    if status is not before.status:
        _check(state, step_id, before, status)
    if not isinstance(event, StepRestarting) and event.attempt != attempt:
        raise IllegalEvent(f"{state.flow_id}: attempt {event.attempt} of step {step_id} is at {attempt}")
    return replace(
        state,
        steps=state.steps.set(step_id, replace(_next(before), status=status, permits=permits)),
        ready=ready,
        paused=paused,
        awaiting=awaiting,
        blamed=blamed,
        step_changes=changes,
        retrying=_unset(state, step_id),
    )


def _next(before: StepState) -> StepState:
    """The attempt that follows, or has its number already, with the budgets that all attempts share."""
    if before.is_pending:
        return before
    return StepState(
        before.status,
        attempt=before.next_attempt,
        error_retries=before.error_retries,
        platform_retries=before.platform_retries,
        timeout_retries=before.timeout_retries,
    )


# -- an attempt -------------------------------------------------------------------------------------------------


def _step_starting(state: FlowState, event: StepStarting, at: float) -> FlowState:
    before = state.steps.get(event.step, _NOT_CREATED)
    _check(state, event.step, before, StepStatus.STARTING)
    if event.attempt != before.next_attempt:
        raise IllegalEvent(f"{state.flow_id}: attempt {event.attempt} of step {event.step} follows {before.attempt}")
    after = StepState(
        StepStatus.STARTING,
        attempt=event.attempt,
        starting_at=at,
        error_retries=before.error_retries,
        platform_retries=before.platform_retries,
        timeout_retries=before.timeout_retries,
        params=event.params,
        timeout_s=event.timeout_s,
        permits=before.permits if before.is_pending else {},
    )
    return replace(
        state,
        steps=state.steps.set(event.step, after),
        ready=_without(state.ready, event.step),
        lacking=state.lacking - {event.step} if state.lacking else state.lacking,
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
    step = replace(
        step,
        status=StepStatus.STARTING,
        execution=event.execution,
        crashes=event.crashes,
        handed_over=event.handed_over,
    )
    return replace(state, steps=state.steps.set(event.step, step), interrupted=(*state.interrupted, event.step))


def _step_ended(state: FlowState, event: StepEnded, at: float) -> FlowState:
    before, status = state.steps.get(event.step, _NOT_CREATED), event.status
    _check(state, event.step, before, status)
    if event.attempt != before.next_attempt:
        raise IllegalEvent(
            f"{state.flow_id}: attempt {event.attempt} of step {event.step} ends, it is at {before.attempt}"
        )
    attempt = before if before.is_active else _next(before)
    after = replace(
        attempt,
        status=status,
        began_at=event.began_at if event.began_at is not None else attempt.began_at,
        ended_at=at,
        retry_at=event.retry_at,
        artifacts=attempt.artifacts | event.artifacts if event.artifacts else attempt.artifacts,
        timeline=_extended(attempt.timeline, event.timeline),
        ending=None,
        permits={},
        branches=event.branches,
        result=event.result,
        outputs=event.outputs,
        error=event.error,
        error_retries=before.error_retries + (status is StepStatus.USER_FAILED),
        platform_retries=before.platform_retries + (status is StepStatus.PLATFORM_FAILED),
        timeout_retries=before.timeout_retries + (status is StepStatus.TIMEOUT_FAILED),
    )
    is_waiting = not before.is_active
    state = replace(
        state,
        steps=state.steps.set(event.step, after),
        active=state.active - before.is_active,
        interrupted=_without(state.interrupted, event.step),
        unsatisfied=_without(state.unsatisfied, event.step),
        ready=_without(state.ready, event.step) if is_waiting else state.ready,
        paused=_without(state.paused, event.step),
        awaiting=_without(state.awaiting, event.step),
        retrying=_unset(state, event.step)
        if event.retry_at is None
        else state.retrying.set(event.step, event.retry_at),
        blamed=_blamed(state, event.step, status),
    )
    return propagate(state, state.graph.edges(event.step, status, event.branches)) if status.is_complete else state


def _blamed(state: FlowState, step_id: str, status: StepStatus) -> Map[str, RunStatus]:
    if status.run_status is not RunStatus.SUCCEEDED:
        return state.blamed.set(step_id, status.run_status)
    return state.blamed.delete(step_id) if step_id in state.blamed else state.blamed


# -- checks and small things ------------------------------------------------------------------------------------


def _check(state: FlowState, step_id: str, step: StepState, status: StepStatus) -> None:
    if step_id not in state.graph.steps or step_id in state.carried:
        raise IllegalEvent(f"{state.flow_id}: version {state.graph.version} has no step {step_id} to run")
    if status not in STEP_TRANSITIONS.get(step.status, _NO_TRANSITION):
        raise IllegalEvent(f"{state.flow_id}: step {step_id} cannot go from {step.status} to {status}")


def _expect(state: FlowState, step_id: str, step: StepState, status: StepStatus) -> None:
    if step.status is not status:
        raise IllegalEvent(f"{state.flow_id}: step {step_id} is {step.status}, not {status}")


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
