"""The life of a run: queued or begun, displaced, loaded by an owner, handed over, ended early."""

from __future__ import annotations

from msgspec.structs import replace

from maestro_flow.core.attempts import end_attempt
from maestro_flow.core.draft import Draft
from maestro_flow.core.inputs import Displace, Load, RunStep, Start
from maestro_flow.core.steps import StepState
from maestro_flow.errors import ParamError
from maestro_flow.model.events import RunEnded, RunQueued, RunStarted, StepError, StepInterrupted
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["displace", "hand_over", "launch", "load", "start"]


def start(draft: Draft, given: Start) -> None:
    """Take up a run: it waits for its turn, or begins."""
    if given.queued:
        _queue(draft, given.instance_id, given.run_id, given.created_at, given.request)
    else:
        _begin(draft, given.instance_id, given.run_id, given.created_at, given.request)


def launch(draft: Draft) -> None:
    """A queued run's turn has come; ignored if it has begun or ended meanwhile."""
    state = draft.state
    if state.status is RunStatus.CREATED and state.revision:
        _begin(draft, state.instance_id, state.run_id, state.created_at, None)


def displace(draft: Draft, given: Displace) -> None:
    """Another run of the workflow takes the place of this one."""
    if draft.state.status is RunStatus.CREATED and draft.state.revision:
        draft.emit(RunEnded(RunStatus.STOPPED, given.reason))
    elif draft.state.status is RunStatus.IN_PROGRESS and draft.state.ending is None:
        draft.end_early(StepStatus.STOPPED, given.reason)


def _queue(draft: Draft, instance_id: int, run_id: int, created_at: float, request: RunRequest) -> None:
    state = draft.state
    draft.emit(RunQueued(state.workflow_id, state.graph.version, instance_id, run_id, created_at, request))


def _begin(draft: Draft, instance_id: int, run_id: int, created_at: float, request: RunRequest | None) -> None:
    """Begin the run and evaluate its params; a run whose params cannot be evaluated fails without beginning."""
    evaluation = draft.evaluation
    wanted = draft.state.request if request is None else request
    ids = {"instance_id": instance_id, "run_id": run_id, "created_at": created_at}
    state = replace(draft.state, request=wanted, **ids)  # params may refer to these
    try:
        params = evaluation.run_params(state, wanted)
        timeout_s = evaluation.run_timeout(state, params)
    except ParamError as error:
        if request is not None:
            _queue(draft, instance_id, run_id, created_at, request)
        draft.emit(RunEnded(RunStatus.FAILED, str(error)))
        return
    if request is not None:
        rest = replace(request, params={})  # they are now part of the run's params
        request = rest if rest != RunRequest() else None
    version = state.graph.version
    draft.emit(RunStarted(state.workflow_id, version, instance_id, run_id, created_at, params, request, timeout_s))


def load(draft: Draft, given: Load) -> bool:
    """No active step has a process any longer: see PROTOCOL 23 and 24 for what counts as a crash."""
    for step_id, step in draft.running(inline=False):
        if draft.is_full:
            return False
        crashes = step.crashes + (step.status is StepStatus.RUNNING)
        if given.same_owner:
            _interrupt(draft, step_id, step, handed_over=True)
        elif crashes < draft.capacity.limits.crashes_max:
            _interrupt(draft, step_id, step, crashes=crashes)
        else:
            times = "once" if crashes == 1 else f"{crashes} times"
            problem = f"the process died {times} while it ran the step: given up"
            end_attempt(draft, step_id, StepStatus.FATALLY_FAILED, error=StepError("CrashLoop", problem))
    for step_id, step in draft.running(inline=True):  # once, after everything else: it is not recorded
        draft.effects.append(RunStep(step_id, step.attempt, step.execution))
        if step.ending or draft.state.ending:
            draft.terminate(step_id, step)
    return True


def hand_over(draft: Draft) -> bool:
    """This node gives the flow up: what runs here is interrupted, which does not count as a crash."""
    for step_id, step in draft.running(inline=False):
        if draft.is_full:
            return False
        _interrupt(draft, step_id, step, handed_over=True)
    return True


def _interrupt(
    draft: Draft, step_id: str, step: StepState, *, crashes: int | None = None, handed_over: bool = False
) -> None:
    crashes = step.crashes if crashes is None else crashes
    draft.emit(StepInterrupted(step_id, step.attempt, step.execution + 1, crashes, handed_over))
