"""The end of an attempt: its outputs, the conditions to its successors, retries, and the effect on its run."""

from __future__ import annotations

from typing import Any

from maestro_flow.core.draft import Draft
from maestro_flow.core.inputs import Began, ContinueStep, Progressed, Report
from maestro_flow.core.permits.messages import release
from maestro_flow.core.retry import after_failure
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.errors import ParamError
from maestro_flow.model.definition import FailureMode
from maestro_flow.model.events import NO_RESULT, StepEnded, StepError, StepProgressed, StepRunning
from maestro_flow.model.status import StepStatus, Verdict

__all__ = ["began", "end_attempt", "progressed", "report"]


def began(draft: Draft, given: Began) -> None:
    """The code of an attempt has run for long enough to be worth a record."""
    step = current(draft.state, given)
    if step is not None and step.status is StepStatus.STARTING:
        draft.emit(StepRunning(given.step, given.attempt, given.at, given.execution))


def progressed(draft: Draft, given: Progressed) -> None:
    """A call of a step's code reports progress."""
    step = current(draft.state, given)
    if step is not None:
        draft.bytes += given.size_bytes
        _progress(draft, given, step)


def _progress(draft: Draft, given: Report | Progressed, step: StepState) -> None:
    if given.began_at is not None and step.status is StepStatus.STARTING:
        draft.emit(StepRunning(given.step, given.attempt, given.began_at, given.execution))
    if given.artifacts or given.timeline:
        draft.emit(StepProgressed(given.step, given.attempt, given.artifacts, given.timeline))


def report(draft: Draft, given: Report) -> None:
    """A call of a step's code has returned."""
    step = current(draft.state, given)
    if step is None:
        return  # a late result of an execution that was given up: must not be counted twice (law 5)
    draft.bytes += given.size_bytes
    if given.verdict is Verdict.CONTINUE:
        _progress(draft, given, step)
        draft.effects.append(ContinueStep(given.step, given.attempt))
        return
    status, retry_at, error = StepStatus.SUCCEEDED, None, given.error
    if given.verdict is not Verdict.DONE:
        status, retry_at, error = _judge(draft, given, step)
    end_attempt(
        draft,
        given.step,
        status,
        began_at=given.began_at,
        result=given.result,
        outputs=given.outputs,
        artifacts=given.artifacts,
        timeline=given.timeline,
        error=error,
        retry_at=retry_at,
    )


def _judge(draft: Draft, given: Report, step: StepState) -> tuple[StepStatus, float | None, StepError | None]:
    """How an unsuccessful attempt ends: by its retry budgets, unless it is being ended anyway."""
    try:
        policy = draft.evaluation.retry_policy(draft.state, given.step)
    except ParamError as error:
        return StepStatus.INTERNALLY_FAILED, None, StepError("ParamError", str(error))
    status, retry_at = after_failure(given.verdict, step, policy, draft.at)
    wanted = step.ending or draft.state.ending
    if wanted is StepStatus.SKIPPED:
        return wanted, None, None
    if wanted is not None and (retry_at is not None or given.verdict in (Verdict.STOPPED, Verdict.TIMED_OUT)):
        return wanted, None, given.error
    return status, retry_at, given.error


def end_attempt(draft: Draft, step_id: str, status: StepStatus, **fields: Any) -> None:
    """End the current attempt, or the next one before it begins; ``fields`` are those of ``StepEnded``.

    Its permits are released. The status changes if the step's failure mode ignores the failure, if outputs do not fit,
    or if a condition cannot be evaluated.
    """
    state = draft.state
    mode = state.graph.steps[step_id].failure_mode
    if status is StepStatus.FATALLY_FAILED and mode is FailureMode.IGNORE_FAILURE and state.ending is not status:
        status = StepStatus.COMPLETED_WITH_ERROR  # unless the run is killed: then the failure mode does not count
    if fields.get("outputs") or step_id in state.graph.branching:
        status, fields = _completed(draft, step_id, status, fields)
    step = state.steps.get(step_id)
    attempt = 1 if step is None else step.next_attempt
    draft.emit(StepEnded(step_id, attempt, status, **fields))
    draft.ended += 1
    if step is not None and step.permits:
        draft.sends.append(release(state, step_id, step))
    if status is StepStatus.FATALLY_FAILED and mode is FailureMode.FAIL_IMMEDIATELY and draft.state.ending is None:
        draft.end_early(StepStatus.STOPPED, f"step {step_id} has failed, which fails the run immediately")


def _completed(
    draft: Draft, step_id: str, status: StepStatus, fields: dict[str, Any]
) -> tuple[StepStatus, dict[str, Any]]:
    """A complete step's outputs and conditions, checked and evaluated; an error here is recorded and never retried."""
    if not status.is_complete or status is StepStatus.UNSATISFIED:
        return status, fields
    state, outputs, result = draft.state, fields.get("outputs", {}), fields.get("result", NO_RESULT)
    try:
        if outputs:
            outputs = draft.evaluation.outputs(state, step_id, outputs)
        branches = {}
        if step_id in state.graph.branching:
            branches = draft.evaluation.branches(state, step_id, outputs, result)
    except ParamError as error:
        return StepStatus.INTERNALLY_FAILED, fields | {"outputs": {}, "error": StepError("ParamError", str(error))}
    return status, fields | {"outputs": outputs, "branches": branches}


def current(state: FlowState, message: Report | Began | Progressed) -> StepState | None:
    """The step that the message is about, unless it is about an earlier execution."""
    step = state.steps.get(message.step)
    if step is None or not step.is_active or step.hold is not None:
        return None
    return step if step.attempt == message.attempt and step.execution == message.execution else None
