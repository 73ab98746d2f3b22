"""Performs a call: from a ``StepCall`` to a ``StepReturn``. This is where user code runs. Never raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from maestro_flow.errors import ParamError, ValueNotStorable
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import Param, infer_param
from maestro_flow.model.status import Verdict
from maestro_flow.model.values import decode_value, encode_value
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.context import CallProgress, StepContext
from maestro_flow.steps.contract import Phase, StepResult, StepType
from maestro_flow.steps.declared import with_declared
from maestro_flow.steps.failures import cut, describe, tidied

__all__ = ["perform"]

_TIMELINE_MAX = 32
_LINE_CHARS_MAX = 500


def perform(
    step_type: StepType, call: StepCall, is_cancelled: Callable[[], bool], tell: Callable[[CallProgress], None]
) -> StepReturn:
    """Call the step's code; a ``start`` that leaves no artifacts is followed by ``execute`` at once."""
    try:
        context = _context(step_type, call, is_cancelled, tell)
    except ParamError as error:
        return StepReturn(call.phase, Verdict.FATAL_ERROR, call.began_at, error=StepError("ParamError", str(error)))
    phase = call.phase
    result = _invoke(step_type, call, phase, context)
    if phase is Phase.START:
        goes_on = result.state in (Verdict.CONTINUE, Verdict.DONE) and not (result.artifacts or result.timeline)
        if goes_on and not result.next_poll_s:
            phase = Phase.EXECUTE
            result = _invoke(step_type, call, phase, context)
        elif result.state is Verdict.DONE:
            result = StepResult(Verdict.CONTINUE, artifacts=result.artifacts, timeline=result.timeline, next_poll_s=0)
    try:
        return _checked(call, phase, result)
    except ValueNotStorable as error:
        return StepReturn(phase, Verdict.FATAL_ERROR, call.began_at, error=describe(error))
    except Exception as error:  # noqa: BLE001 - a plugin may have put anything into its result
        return StepReturn(phase, Verdict.INTERNAL_ERROR, call.began_at, error=describe(error))


def _invoke(step_type: StepType, call: StepCall, phase: Phase, context: StepContext) -> StepResult:
    try:
        result = getattr(step_type, phase.value)(context)
    except BaseException as error:  # noqa: BLE001 - a plugin's code is user code: nothing it raises may pass
        return StepResult(Verdict.INTERNAL_ERROR, error=describe(error))
    if not isinstance(result, StepResult):
        problem = f"{phase.value} of step type {call.step_type!r} returned {type(result).__name__}, not a StepResult"
        return StepResult(Verdict.INTERNAL_ERROR, error=StepError("ContractBroken", problem))
    return result


def _checked(call: StepCall, phase: Phase, result: StepResult) -> StepReturn:
    """The result in the form in which it is written, or an error."""
    value = b"null" if result.value is None else _encoded("result", result.value, call)
    size_bytes = len(value)
    outputs: dict[str, Param] = {}
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()
    if result.outputs:
        outputs = {name: infer_param(name, output) for name, output in result.outputs.items()}
        size_bytes += len(_encoded("outputs", dict(result.outputs), call))
    if result.artifacts:
        encoded = _encoded("artifacts", dict(result.artifacts), call)
        size_bytes += len(encoded)
        artifacts = msgspec.json.decode(encoded)
    if result.timeline:
        timeline = tuple(cut(line, _LINE_CHARS_MAX) for line in result.timeline[-_TIMELINE_MAX:])
    return StepReturn(
        phase,
        result.state,
        call.began_at,
        NO_RESULT if value == b"null" else msgspec.Raw(value),
        outputs,
        artifacts,
        timeline,
        result.error and tidied(result.error),
        result.next_poll_s,
        size_bytes,
    )


def _encoded(what: str, value: object, call: StepCall) -> bytes:
    return encode_value(value, limit_bytes=call.result_bytes_max, where=f"{what} of step {call.step_id!r}")


def _context(
    step_type: StepType, call: StepCall, is_cancelled: Callable[[], bool], tell: Callable[[CallProgress], None]
) -> StepContext:
    params, timeout_s, began_at = call.params, call.timeout_s, call.began_at
    if step_type.params:
        params = with_declared(step_type.params, params, call.step_id)
    return StepContext(
        workflow_id=call.workflow_id,
        version=call.version,
        instance_id=call.instance_id,
        run_id=call.run_id,
        step_id=call.step_id,
        attempt=call.attempt,
        execution=call.execution,
        generation=call.generation,
        started_at=call.started_at,
        now=call.now,
        params=params,
        run_params=call.run_params,
        artifacts=call.artifacts,
        result_of=lambda step_id: _result(step_type, call, step_id),
        is_cancelled=_always if call.phase is Phase.TERMINATE else is_cancelled,
        deadline=None if timeout_s is None or began_at is None else began_at + timeout_s,
        tell=lambda progress: tell(_storable(call, progress)),
    )


def _storable(call: StepCall, progress: CallProgress) -> CallProgress:
    artifacts = progress.artifacts
    if artifacts:
        artifacts = msgspec.json.decode(_encoded("artifacts", artifacts, call))
    return CallProgress(artifacts, tuple(cut(line, _LINE_CHARS_MAX) for line in progress.timeline))


def _always() -> bool:
    return True


def _result(step_type: StepType, call: StepCall, step_id: str) -> object:
    result = call.results.get(step_id)
    if result is not None:
        return decode_value(bytes(result))
    taken = step_type.takes_results
    if taken is True or (taken and step_id in taken):
        return None  # no result
    raise LookupError(
        f"step {call.step_id!r} asked for the result of {step_id!r}, but its type {call.step_type!r} takes "
        f"{', '.join(taken) if taken else 'no results'}: see StepType.takes_results"
    )
