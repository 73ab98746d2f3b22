"""Actions of users, judged by the tables of ``model.actions``: of two that race, one wins and the other is told why."""

from __future__ import annotations

from maestro_flow.core.attempts import end_attempt
from maestro_flow.core.draft import Draft
from maestro_flow.core.holds import Retry
from maestro_flow.core.inputs import Act
from maestro_flow.model.actions import RUN_ACTIONS, STEP_ACTIONS, Action
from maestro_flow.model.definition import FailureMode
from maestro_flow.model.events import (
    BreakpointSet,
    RunEnded,
    RunUnblocked,
    StepPaused,
    StepRestarting,
    StepResumed,
    StepStopping,
)
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["ACCEPTED", "CONFLICT", "act"]

ACCEPTED, CONFLICT = "accepted", "conflict: "
"""Outcomes of an action's message; the reason follows the second."""

_RUN_ENDS = {Action.STOP: RunStatus.STOPPED, Action.KILL: RunStatus.FAILED}
_STEP_ENDS = {
    Action.STOP: StepStatus.STOPPED,
    Action.KILL: StepStatus.FATALLY_FAILED,
    Action.SKIP: StepStatus.SKIPPED,
}


def act(draft: Draft, given: Act) -> None:
    """Carry out an action and settle its message; or settle it with the reason why it is refused."""
    problem = _act_on_step(draft, given) if given.order.step else _act_on_run(draft, given)
    draft.settle(given.message_id, CONFLICT + problem if problem else ACCEPTED)


def _act_on_run(draft: Draft, given: Act) -> str:
    """The reason for a refusal; empty if the action is done."""
    state, action = draft.state, given.action
    if action not in RUN_ACTIONS[state.status] or action is Action.RESTART:
        return f"the run is {state.status}; {_allowed(RUN_ACTIONS[state.status])}"
    if action is Action.UNBLOCK:
        if state.is_blocking:
            draft.emit(RunUnblocked(given.message_id))
    elif state.status is RunStatus.CREATED:
        draft.emit(RunEnded(_RUN_ENDS[action], f"{action} before it began"))
    elif state.is_settled:
        # An earlier input ended the last step: the run is about to end, and not because of this action.
        return f"the run is {state.worst}; {_allowed(RUN_ACTIONS[state.worst])}"
    elif action is Action.KILL and state.ending is not StepStatus.FATALLY_FAILED:
        draft.end_early(StepStatus.FATALLY_FAILED, "killed by a user", given.message_id)
    elif action is Action.STOP and state.ending is None:
        draft.end_early(StepStatus.STOPPED, "stopped by a user", given.message_id)
    elif state.ending is not _STEP_ENDS[action]:
        return f"the run is already being ended: {state.ending_reason}"
    return ""


def _act_on_step(draft: Draft, given: Act) -> str:
    """The reason for a refusal; empty if the action is done."""
    state, action, step_id = draft.state, given.action, given.order.step
    if step_id not in state.graph.steps:
        return f"version {state.graph.version} of workflow {state.graph.definition.id!r} has no step {step_id!r}"
    if state.status.is_terminal:
        return f"the run is {state.status}; restart it to run step {step_id} again"
    if state.ending is not None:
        return f"the run is being ended: {state.ending_reason}"
    if step_id in state.carried:
        return f"step {step_id} is not part of this run: it keeps its state from an earlier run"
    if action is Action.BREAKPOINT:
        if (step_id in state.breakpoints) is not given.order.on:
            draft.emit(BreakpointSet(step_id, given.order.on))
        return ""
    status = state.status_of(step_id)
    if action not in STEP_ACTIONS[status]:
        return f"step {step_id} is {status}; {_allowed(STEP_ACTIONS[status])}"
    if status.is_terminal and not state.steps.is_in(Retry, step_id):
        return _try_again(draft, given, status)
    return _act_on_unfinished(draft, given)


def _act_on_unfinished(draft: Draft, given: Act) -> str:
    state, action, step_id = draft.state, given.action, given.order.step
    step = state.steps.get(step_id)
    attempt = 1 if step is None else step.next_attempt
    if action is Action.PAUSE:
        draft.emit(StepPaused(step_id, attempt))
    elif action is Action.RESUME:
        draft.emit(StepResumed(step_id, attempt))
    elif step is None or not step.is_active or step.hold is not None:
        end_attempt(draft, step_id, _STEP_ENDS[action])
    elif step.ending is None:
        draft.emit(StepStopping(step_id, attempt, _STEP_ENDS[action]))
        draft.terminate(step_id, step)
    elif step.ending is not _STEP_ENDS[action]:
        return f"step {step_id} is already being ended, as {step.ending}"
    return ""


def _try_again(draft: Draft, given: Act, status: StepStatus) -> str:
    """RESTART or SKIP of an ended step of a live run: allowed only if it failed for good, by itself."""
    step_id = given.order.step
    mode = draft.state.graph.steps[step_id].failure_mode
    if status.is_complete:
        return (
            f"step {step_id} is {status}, and what follows it may run: restart the run from it when the run has ended"
        )
    if mode is not FailureMode.FAIL_AFTER_RUNNING:
        return f"step {step_id} is {status} with failure mode {mode}: restart the run when it has ended"
    if given.action is Action.SKIP:
        end_attempt(draft, step_id, StepStatus.SKIPPED)
    else:
        draft.emit(StepRestarting(step_id, given.order.params))
    return ""


def _allowed(actions: frozenset[Action]) -> str:
    return f"allowed: {', '.join(sorted(actions))}" if actions else "nothing is allowed now"
