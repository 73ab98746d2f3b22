"""What follows from everything that has happened: start what can start, end what is over.

A loop stops at the size limit of a commit; what is left stays in the state, and the next decision finds it. A step
whose turn has come goes through these, in this order, and waits where one of them holds it::

    skipped by the restart -> code of the owner -> breakpoint -> steps of the run at once -> permits -> room -> params
"""

from __future__ import annotations

from math import inf

from maestro_flow.core.attempts import end_attempt
from maestro_flow.core.draft import Draft
from maestro_flow.core.ending import end_early
from maestro_flow.core.inputs import Granted, RunStep
from maestro_flow.core.letters import request
from maestro_flow.core.params.evaluation import begins_with_literals
from maestro_flow.core.state import FlowState, StepState
from maestro_flow.errors import ParamError
from maestro_flow.model.events import (
    RunEnded,
    StepError,
    StepLacking,
    StepPaused,
    StepPermitted,
    StepRunning,
    StepStarting,
    StepWaiting,
)
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["advance", "granted", "next_due"]

_ENDED_EARLY = {
    StepStatus.STOPPED: RunStatus.STOPPED,
    StepStatus.FATALLY_FAILED: RunStatus.FAILED,
    StepStatus.TIMED_OUT: RunStatus.TIMED_OUT,
}
"""How a run has ended that was ended early before any of its steps told how."""


def advance(draft: Draft) -> None:
    """See the module."""
    state = draft.state
    if state.status is not RunStatus.IN_PROGRESS:
        return
    if state.deadline is not None and draft.at >= state.deadline and state.ending is None:
        timeout_s = state.deadline - (state.started_at or 0.0)
        end_early(draft, StepStatus.TIMED_OUT, f"the run was not done after {timeout_s:g} s")
    ended = -1
    while draft.ended != ended:  # what ends without having run lets others go on at once
        ended = draft.ended
        _go_on(draft)
    state = draft.state
    if state.is_settled and state.status is RunStatus.IN_PROGRESS and not draft.is_full:
        # As in Maestro, the steps make the status of the run: a stop that came too late to prevent any is no end.
        is_cut = state.ending is not None and bool(state.ready) and state.worst is RunStatus.SUCCEEDED
        status = _ENDED_EARLY[state.ending] if is_cut and state.ending else state.worst
        draft.emit(RunEnded(status, state.ending_reason if status is not RunStatus.SUCCEEDED else ""))


def _go_on(draft: Draft) -> None:
    while draft.state.unsatisfied and not draft.is_full:
        end_attempt(draft, draft.state.unsatisfied[0], StepStatus.UNSATISFIED)
    if draft.state.ending is None:
        _end_interrupted(draft)
        if not draft.capacity.is_leaving:
            _resume_interrupted(draft)
            _start_retries(draft)
            _start_ready(draft)
    if draft.state.ending is not None:  # possibly just now, by a step that fails its run
        _end_what_waits(draft)


def next_due(state: FlowState, after: float) -> float | None:
    """When time alone leads to something: the next retry, or the deadline of the run (PROTOCOL 15)."""
    due = min((at for at in state.retrying.values() if at > after), default=inf) if state.retrying else inf
    if state.deadline is not None and after < state.deadline and state.ending is None:
        due = min(due, state.deadline)
    return None if due == inf else due


def granted(draft: Draft, given: Granted) -> None:
    """Permits have come; if nobody waits for them any more, their release is under way already."""
    draft.settle(given.message_id, "accepted")
    step = draft.state.steps.get(given.step)
    if given.step in draft.state.awaiting and step is not None and step.attempt == given.attempt:
        draft.emit(StepPermitted(given.step, given.attempt))


# -- ends -------------------------------------------------------------------------------------------------------


def _end_what_waits(draft: Draft) -> None:
    """All that nobody runs, in the status in which the run is being ended; steps whose turn never came stay as is."""
    state, status = draft.state, draft.state.ending
    has_begun = [step_id for step_id in state.ready if step_id in state.steps]
    for step_id in (*state.interrupted, *_retries(state, until=inf), *state.paused, *state.awaiting, *has_begun):
        if draft.is_full or status is None:
            return
        end_attempt(draft, step_id, status)


def _end_interrupted(draft: Draft) -> None:
    """A user's action on an attempt was accepted, and then its process was gone: it ends without being run again."""
    for step_id in draft.state.interrupted:
        if draft.is_full:
            return
        ending = draft.state.steps[step_id].ending
        if ending is not None:
            end_attempt(draft, step_id, ending)


# -- starts -----------------------------------------------------------------------------------------------------


def _resume_interrupted(draft: Draft) -> None:
    """RUNNING is committed before the code is called again, so that whoever kills the process is counted."""
    for step_id in draft.state.interrupted:
        if draft.is_full:
            return
        step = draft.state.steps[step_id]
        if _is_lacking(draft, step_id) or not _has_room_for(draft, step):
            continue
        began_at = draft.at if step.began_at is None else step.began_at  # its timeout goes on counting
        draft.emit(StepRunning(step_id, step.attempt, began_at, step.execution))
        draft.effects.append(RunStep(step_id, step.attempt, step.execution))


def _is_lacking(draft: Draft, step_id: str) -> bool:
    """The owner has no code for the step, which is recorded once, so that anybody can tell why it does not run."""
    if step_id not in draft.capacity.lacking:
        return False
    if step_id not in draft.state.lacking:
        draft.emit(StepLacking(step_id))
    return True


def _has_room_for(draft: Draft, interrupted: StepState) -> bool:
    if interrupted.crashes:
        draft.crashed -= 1
        return draft.crashed >= 0
    if interrupted.handed_over:
        draft.starts -= 1
        return draft.starts >= 0
    draft.suspects -= 1
    return draft.suspects >= 0


def _start_retries(draft: Draft) -> None:
    for step_id in _retries(draft.state, until=draft.at):
        if draft.is_full or draft.state.ending is not None:
            return
        _start(draft, step_id)


def _start_ready(draft: Draft) -> None:
    ready, inline = draft.state.ready, draft.capacity.inline
    needs_no_room = bool(inline) and not inline.isdisjoint(ready)
    for step_id in ready:
        if draft.is_full or draft.state.ending is not None:
            return
        if draft.starts <= 0 and not needs_no_room:
            return  # thousands may be ready: nothing is to be found by looking at each of them
        _start(draft, step_id)


def _start(draft: Draft, step_id: str) -> None:
    """Let a step whose turn has come begin its next attempt, or wait for what it needs (see the module)."""
    state, capacity = draft.state, draft.capacity
    step = state.steps.get(step_id)
    attempt = 1 if step is None else step.next_attempt
    status = StepStatus.NOT_CREATED if step is None else step.status
    if step_id in state.request.skip_steps and status is StepStatus.NOT_CREATED:
        end_attempt(draft, step_id, StepStatus.SKIPPED)
        return
    if _is_lacking(draft, step_id):
        return
    has_passed = status in (StepStatus.INITIALIZED, StepStatus.WAITING_FOR_PERMITS)
    if step_id in state.breakpoints and not has_passed:
        draft.emit(StepPaused(step_id, attempt))
        return
    limit = state.graph.definition.instance_step_concurrency
    if limit is not None and state.active >= limit:
        return
    needed = state.graph.permits.get(step_id)
    if needed and status is not StepStatus.WAITING_FOR_PERMITS:
        draft.emit(StepWaiting(step_id, attempt, needed))
        draft.sends.append(request(draft.state, step_id, attempt))
        return
    if step_id not in capacity.inline:
        if draft.starts <= 0:
            return
        draft.starts -= 1
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


def _retries(state: FlowState, *, until: float) -> list[str]:
    """Steps whose next attempt is due by then, the earliest first: a map has no order of its own."""
    if not state.retrying:
        return []
    return [step_id for _, step_id in sorted((at, step_id) for step_id, at in state.retrying.items() if at <= until)]
