"""The consequences of a decision's inputs: start steps that can start, end steps and runs that must end.

Every loop stops at the size limit of a commit; the rest stays in the state, where the next decision finds it. A step
whose turn has come passes these checks, in this order, until one of them holds it (``core.holds``)::

    skipped by the restart -> code of the owner -> breakpoint -> steps of the run at once -> permits -> slot -> params
"""

from __future__ import annotations

from math import inf

from maestro_flow.core.attempts import end_attempt
from maestro_flow.core.draft import Draft
from maestro_flow.core.holds import ENDED_WITH_RUN, Interrupted, Permits, Ready, Retry, Unsatisfied, Unsupported
from maestro_flow.core.inputs import Granted, RunStep
from maestro_flow.core.params.evaluation import begins_with_literals
from maestro_flow.core.permits.messages import request
from maestro_flow.core.slots import SlotKind, kind_of_interrupted
from maestro_flow.core.state import FlowState
from maestro_flow.errors import ParamError
from maestro_flow.model.events import (
    RunEnded,
    StepError,
    StepPaused,
    StepPermitted,
    StepRunning,
    StepStarting,
    StepUnsupported,
    StepWaiting,
)
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["advance", "granted", "next_due"]

_ENDED_EARLY = {
    StepStatus.STOPPED: RunStatus.STOPPED,
    StepStatus.FATALLY_FAILED: RunStatus.FAILED,
    StepStatus.TIMED_OUT: RunStatus.TIMED_OUT,
}
"""The status of a run that was ended early, if none of its steps determines it."""


def advance(draft: Draft) -> None:
    """Start and end what this decision's inputs allow; see the module."""
    state = draft.state
    if state.status is not RunStatus.IN_PROGRESS:
        return
    if state.deadline is not None and draft.at >= state.deadline and state.ending is None:
        timeout_s = state.deadline - (state.started_at or 0.0)
        draft.end_early(StepStatus.TIMED_OUT, f"the run was not done after {timeout_s:g} s")
    ended = -1
    while draft.ended != ended:  # a step that ends without running may make others ready
        ended = draft.ended
        _advance_once(draft)
    state = draft.state
    if state.is_settled and state.status is RunStatus.IN_PROGRESS and not draft.is_full:
        # As in Maestro, the steps determine the status of the run: a stop that prevented no step does not count.
        is_cut = state.ending is not None and bool(state.steps.queue(Ready)) and state.worst is RunStatus.SUCCEEDED
        status = _ENDED_EARLY[state.ending] if is_cut and state.ending else state.worst
        draft.emit(RunEnded(status, state.ending_reason if status is not RunStatus.SUCCEEDED else ""))


def _advance_once(draft: Draft) -> None:
    while Unsatisfied in draft.state.steps.queues and not draft.is_full:
        end_attempt(draft, draft.state.steps.queue(Unsatisfied).first, StepStatus.UNSATISFIED)
    if draft.state.steps.queues and draft.state.ending is None:
        is_leaving = draft.capacity.is_leaving
        if Interrupted in draft.state.steps.queues:
            _end_interrupted(draft)
            if not is_leaving:
                _resume_interrupted(draft)
        if Retry in draft.state.steps.queues and not is_leaving:
            _start_retries(draft)
        if Ready in draft.state.steps.queues and not is_leaving:
            _start_ready(draft)
    if draft.state.ending is not None:  # possibly just now, by a step that failed its run
        _end_what_waits(draft)


def next_due(state: FlowState, after: float) -> float | None:
    """When something is due without any input: the next retry, or the deadline of the run (PROTOCOL 15)."""
    steps = state.steps
    due = inf
    if Retry in steps.queues:
        due = next((at for at in map(steps.retry_at, steps.queue(Retry)) if at > after), inf)
    if state.deadline is not None and after < state.deadline and state.ending is None:
        due = min(due, state.deadline)
    return None if due == inf else due


def granted(draft: Draft, given: Granted) -> None:
    """Permits were granted; if the attempt no longer waits for them, their release has already been sent."""
    draft.settle(given.message_id, "accepted")
    step = draft.state.steps.get(given.step)
    if draft.state.steps.is_in(Permits, given.step) and step is not None and step.attempt == given.attempt:
        draft.emit(StepPermitted(given.step, given.attempt))


# -- ends -------------------------------------------------------------------------------------------------------


def _end_what_waits(draft: Draft) -> None:
    """End every waiting step that has an attempt, in the status in which the run is being ended."""
    state, status = draft.state, draft.state.ending
    for kind in ENDED_WITH_RUN:
        for step_id in state.steps.queue(kind):
            if draft.is_full or status is None:
                return
            if kind is not Ready or state.steps[step_id].attempt:
                end_attempt(draft, step_id, status)


def _end_interrupted(draft: Draft) -> None:
    """An attempt whose process died after a user's action was accepted ends without running again."""
    for step_id in draft.state.steps.queue(Interrupted):
        if draft.is_full:
            return
        ending = draft.state.steps[step_id].ending
        if ending is not None:
            end_attempt(draft, step_id, ending)


# -- starts -----------------------------------------------------------------------------------------------------


def _resume_interrupted(draft: Draft) -> None:
    """Run interrupted attempts again. RUNNING is committed before the call, so that a crash is counted."""
    for step_id in draft.state.steps.queue(Interrupted):
        if draft.is_full:
            return
        step = draft.state.steps[step_id]
        if step_id in draft.capacity.unsupported:
            _note_unsupported(draft, step_id)
            continue
        if not draft.take_slot(step_id, kind_of_interrupted(step)):
            continue
        began_at = draft.at if step.began_at is None else step.began_at  # the interruption does not extend its timeout
        draft.emit(StepRunning(step_id, step.attempt, began_at, step.execution))
        draft.effects.append(RunStep(step_id, step.attempt, step.execution))


def _note_unsupported(draft: Draft, step_id: str) -> None:
    """Record, once, that the owner has no code for the step, so that any process can tell why it does not run."""
    if not isinstance(draft.state.steps.hold(step_id), Unsupported):
        draft.emit(StepUnsupported(step_id))


def _start_retries(draft: Draft) -> None:
    state = draft.state
    for step_id in state.steps.queue(Retry):
        if draft.is_full or draft.state.ending is not None or state.steps.retry_at(step_id) > draft.at:
            return
        _start(draft, step_id)


def _start_ready(draft: Draft) -> None:
    state, capacity = draft.state, draft.capacity
    ready = state.steps.queue(Ready)
    needs_no_slot = bool(capacity.inline) and not capacity.inline.isdisjoint(ready)
    if capacity.unsupported and not needs_no_slot:  # their missing code must be recorded, once
        unsupported = (step_id for step_id in ready if step_id in capacity.unsupported)
        needs_no_slot = any(not isinstance(state.steps.hold(step_id), Unsupported) for step_id in unsupported)
    for step_id in ready:
        if draft.is_full or draft.state.ending is not None:
            return
        if draft.starts <= 0 and not needs_no_slot:
            return  # thousands may be ready: looking at each would find nothing
        _start(draft, step_id)


def _start(draft: Draft, step_id: str) -> None:
    """Start the next attempt of a step whose turn has come, or let it wait for what it needs (see the module)."""
    state, capacity = draft.state, draft.capacity
    step = state.steps.get(step_id)
    attempt = 1 if step is None else step.next_attempt
    status = StepStatus.NOT_CREATED if step is None else step.status
    if step_id in state.request.skip_steps and status is StepStatus.NOT_CREATED:
        end_attempt(draft, step_id, StepStatus.SKIPPED)
        return
    if step_id in capacity.unsupported:
        _note_unsupported(draft, step_id)
        return
    if step_id in state.breakpoints and status not in (StepStatus.INITIALIZED, StepStatus.WAITING_FOR_PERMITS):
        draft.emit(StepPaused(step_id, attempt))
        return
    limit = state.graph.definition.instance_step_concurrency
    if limit is not None and state.active >= limit:
        return
    needed = state.graph.permits.get(step_id)
    if needed and status is not StepStatus.WAITING_FOR_PERMITS:
        draft.emit(StepWaiting(step_id, attempt, needed))
        draft.sends.append(request(draft.state, step_id, attempt, capacity.group_id))
        return
    if step_id not in capacity.inline and not draft.take_slot(step_id, SlotKind.START):
        return
    if begins_with_literals(state, step_id):
        starting = StepStarting(step_id, attempt)
    else:
        try:
            params = draft.evaluation.step_params(state, step_id, attempt)
            timeout_s = draft.evaluation.step_timeout(state, step_id, params)
        except ParamError as error:
            end_attempt(draft, step_id, StepStatus.INTERNALLY_FAILED, error=StepError("ParamError", str(error)))
            return
        starting = StepStarting(step_id, attempt, params, timeout_s)
    draft.emit(starting)
    draft.effects.append(RunStep(step_id, attempt, 1))
