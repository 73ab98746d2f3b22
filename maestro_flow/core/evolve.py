"""``evolve(state, event, at) -> state``: the only place where a flow changes. Loading, views and checks use it, too.

Pure: no clock, no I/O. An event that does not fit the state is a defect of its writer and raises ``IllegalEvent``: the
flow is parked, and nothing is guessed (law 5: a state never goes back).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec.structs import replace

from maestro_flow.core.holds import (
    INTERRUPTED,
    PAUSED,
    PERMITS,
    READY,
    RETRY,
    Hold,
    Interrupted,
    Ready,
    Retry,
    Unsupported,
)
from maestro_flow.core.readiness import begin, count
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import UNTOUCHED, StepState
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
    StepPaused,
    StepPermitted,
    StepProgressed,
    StepRestarting,
    StepResumed,
    StepRunning,
    StepStarting,
    StepStopping,
    StepUnsupported,
    StepWaiting,
    decode_events,
)
from maestro_flow.model.log import LogRecord
from maestro_flow.model.status import STEP_TRANSITIONS, RunStatus, StepStatus

__all__ = ["IllegalEvent", "evolve", "fold"]


class IllegalEvent(MaestroFlowError):
    """An event contradicts the state that its log has led to."""


_NO_TRANSITION: frozenset[StepStatus] = frozenset()

_RETRIES = {
    StepStatus.USER_FAILED: (1, 0, 0),
    StepStatus.PLATFORM_FAILED: (0, 1, 0),
    StepStatus.TIMEOUT_FAILED: (0, 0, 1),
}
"""What an attempt that ends so takes from the budgets of its step: of errors, of the platform, of timeouts."""
_NO_RETRIES = (0, 0, 0)


def fold(state: FlowState, records: Iterable[LogRecord]) -> FlowState:
    """The state after these records, starting from ``state`` (``FlowState.new`` for a whole log).

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
        case StepUnsupported():
            return _step_unsupported(state, event)
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
        raise IllegalEvent(f"{state.flow_id}: it follows run {request.previous}, which was not read")
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
    """An attempt that has its number and has not begun waits for something new."""
    step_id, before = event.step, state.steps.get(event.step) or UNTOUCHED
    blamed, changes = state.blamed, state.step_changes
    attempt, permits = before.next_attempt, before.permits
    hold: Hold
    match event:
        case StepPaused():
            status, hold = StepStatus.PAUSED, PAUSED
        case StepResumed():
            status, hold = StepStatus.INITIALIZED, READY
        case StepWaiting():
            status, permits, hold = StepStatus.WAITING_FOR_PERMITS, event.permits, PERMITS
        case StepPermitted():
            _expect(state, step_id, before, StepStatus.WAITING_FOR_PERMITS)
            status, hold = StepStatus.WAITING_FOR_PERMITS, READY
        case StepRestarting():
            status, hold = StepStatus.CREATED, READY
            blamed = _blamed(state, before.status, status)
            changes = changes | {step_id: changes.get(step_id, {}) | event.params} if event.params else changes
    if status is not before.status:
        _check(state, step_id, before, status)
    if not isinstance(event, StepRestarting) and event.attempt != attempt:
        raise IllegalEvent(f"{state.flow_id}: attempt {event.attempt} of step {step_id} is at {attempt}")
    step = replace(_next(before), status=status, permits=permits, hold=hold)
    return replace(state, steps=state.steps.set(step_id, step), blamed=blamed, step_changes=changes)


def _step_unsupported(state: FlowState, event: StepUnsupported) -> FlowState:
    step = state.steps.get(event.step) or UNTOUCHED
    match step.hold:
        case Ready() | Retry() | Interrupted() as hold:
            return replace(state, steps=state.steps.set(event.step, replace(step, hold=Unsupported(hold))))
        case Unsupported():
            return state
        case hold:
            raise IllegalEvent(
                f"{state.flow_id}: step {event.step} is recorded as unsupported while its hold is {hold}"
            )


def _next(before: StepState) -> StepState:
    """The next attempt, or the one that already has its number, with the budgets that all attempts share."""
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
    before, status = state.steps.get(event.step) or UNTOUCHED, StepStatus.STARTING
    _check(state, event.step, before, status)
    if event.attempt != before.next_attempt:
        raise IllegalEvent(f"{state.flow_id}: attempt {event.attempt} of step {event.step} follows {before.attempt}")
    after = StepState(
        status,
        attempt=event.attempt,
        starting_at=at,
        error_retries=before.error_retries,
        platform_retries=before.platform_retries,
        timeout_retries=before.timeout_retries,
        params=event.params,
        timeout_s=event.timeout_s,
        permits=before.permits if before.is_pending else {},
    )
    return replace(state, steps=state.steps.set(event.step, after), active=state.active + 1)


def _step_running(state: FlowState, event: StepRunning) -> FlowState:
    step = _of_attempt(state, event.step, event.attempt)
    _check(state, event.step, step, StepStatus.RUNNING)
    if event.execution != step.execution:
        raise IllegalEvent(
            f"{state.flow_id}: step {event.step} runs as execution {event.execution}, not {step.execution}"
        )
    step = replace(step, status=StepStatus.RUNNING, began_at=event.at, hold=None)
    return replace(state, steps=state.steps.set(event.step, step))


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
        hold=INTERRUPTED,
    )
    return replace(state, steps=state.steps.set(event.step, step))


def _step_ended(state: FlowState, event: StepEnded, at: float) -> FlowState:
    before, status = state.steps.get(event.step) or UNTOUCHED, event.status
    _check(state, event.step, before, status)
    if event.attempt != before.next_attempt:
        raise IllegalEvent(
            f"{state.flow_id}: attempt {event.attempt} of step {event.step} ends, it is at {before.attempt}"
        )
    attempt = before if before.is_active else _next(before)
    errors, platform, timeouts = _RETRIES.get(status, _NO_RETRIES)
    after = replace(
        attempt,
        status=status,
        began_at=event.began_at if event.began_at is not None else attempt.began_at,
        ended_at=at,
        retry_at=event.retry_at,
        artifacts=attempt.artifacts | event.artifacts if event.artifacts else attempt.artifacts,
        timeline=_extended(attempt.timeline, event.timeline) if event.timeline else attempt.timeline,
        ending=None,
        permits={},
        branches=event.branches,
        result=event.result,
        outputs=event.outputs,
        error=event.error,
        error_retries=before.error_retries + errors,
        platform_retries=before.platform_retries + platform,
        timeout_retries=before.timeout_retries + timeouts,
        hold=None if event.retry_at is None else RETRY,
    )
    steps = state.steps.set(event.step, after)
    if status.is_complete:
        steps = count(state, steps, state.graph.edges(event.step, status, event.branches))
    blamed = _blamed(state, before.status, status)
    return replace(state, steps=steps, active=state.active - before.is_active, blamed=blamed)


# -- checks and small things ------------------------------------------------------------------------------------


def _blamed(state: FlowState, before: StepStatus, after: StepStatus) -> dict[RunStatus, int]:
    """How many ended steps count against the run, after one of them has changed its status."""
    if before.run_status is after.run_status:
        return state.blamed
    counts = Counter(state.blamed)
    counts[before.run_status] -= 1
    counts[after.run_status] += 1
    del counts[RunStatus.SUCCEEDED]
    return dict(+counts)


def _check(state: FlowState, step_id: str, step: StepState, status: StepStatus) -> None:
    if step_id not in state.graph.steps or step_id in state.carried:
        raise IllegalEvent(f"{state.flow_id}: version {state.graph.version} has no step {step_id} to run")
    if status not in STEP_TRANSITIONS.get(step.status, _NO_TRANSITION):
        raise IllegalEvent(f"{state.flow_id}: step {step_id} cannot go from {step.status} to {status}")


def _expect(state: FlowState, step_id: str, step: StepState, status: StepStatus) -> None:
    if step.status is not status:
        raise IllegalEvent(f"{state.flow_id}: step {step_id} is {step.status}, not {status}")


def _of_attempt(state: FlowState, step_id: str, attempt: int) -> StepState:
    step = state.steps.get(step_id) or UNTOUCHED
    if not step.is_active or step.attempt != attempt:
        raise IllegalEvent(f"{state.flow_id}: attempt {attempt} of step {step_id} is not under way ({step.status})")
    return step


def _extended(timeline: tuple[str, ...], more: tuple[str, ...]) -> tuple[str, ...]:
    """At most 32 entries, none equal to the one before it (Maestro: Timeline.java)."""
    for line in more:
        if not timeline or timeline[-1] != line:
            timeline = (*timeline, line)
    return timeline[-32:]
