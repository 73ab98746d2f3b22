"""One call of a step's code, from its context to a report that can be committed. Runs on a worker, never raises."""

from __future__ import annotations

from enum import Enum

import msgspec
from attrs import define, field

from maestro_flow.actors.messages import Returned
from maestro_flow.actors.services import Held
from maestro_flow.core.inputs import Report
from maestro_flow.core.params.step_params import params_of
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.errors import ValueNotStorable
from maestro_flow.model.definition import StepDefinition
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import infer_param
from maestro_flow.model.status import Verdict
from maestro_flow.model.values import decode_value, encode_value
from maestro_flow.steps.contract import StepContext, StepResult, StepType
from maestro_flow.steps.failures import cut, describe, tidied

__all__ = ["Attempt", "Phase"]

_TIMELINE_MAX = 32


class Phase(Enum):
    """Which method of the step type is called."""

    START = "start"
    EXECUTE = "execute"
    TERMINATE = "terminate"


@define
class Attempt:
    """One execution of an attempt: the flow's state when it was started, and what its calls have left since."""

    flow: FlowState
    definition: StepDefinition
    step: StepState
    step_type: StepType
    held: Held
    result_bytes_max: int
    artifacts: dict[str, object] = field(init=False)
    began_at: float | None = field(init=False)
    """When the code of the attempt really began, as far as is known."""
    is_cancelled: bool = field(default=False, init=False)
    timeout_s: float | None = field(init=False)
    """Of the attempt, as its start has recorded it, or as the definition has it."""

    def __attrs_post_init__(self) -> None:
        self.artifacts = dict(self.step.artifacts)
        self.began_at = self.step.began_at
        defined = self.definition.timeout_s
        self.timeout_s = self.step.timeout_s if isinstance(defined, str) else defined

    def call(self, phase: Phase, now: float) -> Returned:
        """Call the step's code; a start that leaves nothing behind is followed by execute at once."""
        if self.began_at is None:
            self.began_at = now
        context = self._context(now)
        result = self._invoke(phase, context)
        goes_on = result.state in (Verdict.CONTINUE, Verdict.DONE) and not (result.artifacts or result.timeline)
        if phase is Phase.START and goes_on and not result.next_poll_s:
            phase, result = Phase.EXECUTE, self._invoke(Phase.EXECUTE, context)
        if phase is Phase.START and result.state is Verdict.DONE:
            result = StepResult(Verdict.CONTINUE, artifacts=result.artifacts, timeline=result.timeline, next_poll_s=0)
        return Returned(phase, self._report(result), result.next_poll_s)

    def failure(self, verdict: Verdict, error: StepError) -> Report:
        """A report that no call has made."""
        step = self.step
        return Report(self.definition.id, step.attempt, step.execution, verdict, self.began_at, error=error)

    def _invoke(self, phase: Phase, context: StepContext) -> StepResult:
        try:
            result = getattr(self.step_type, phase.value)(context)
        except BaseException as error:  # noqa: BLE001 - a plugin's code is user code: nothing it raises goes further
            return StepResult(Verdict.INTERNAL_ERROR, error=describe(error))
        if not isinstance(result, StepResult):
            problem = (
                f"{type(self.step_type).__name__}.{phase.value} returned {type(result).__name__}, not a StepResult"
            )
            return StepResult(Verdict.INTERNAL_ERROR, error=StepError("ContractBroken", problem))
        return result

    def _report(self, result: StepResult) -> Report:
        try:
            return self._checked(result)
        except ValueNotStorable as error:
            return self.failure(Verdict.FATAL_ERROR, describe(error))
        except Exception as error:  # noqa: BLE001 - whatever a plugin has put into its result, it ends here
            return self.failure(Verdict.INTERNAL_ERROR, describe(error))

    def _checked(self, result: StepResult) -> Report:
        """Everything of the result in the form in which it is written, or an error."""
        value = b"null" if result.value is None else self._encoded("result", result.value)
        outputs = {name: infer_param(name, output) for name, output in result.outputs.items()}
        size_bytes = len(value) + (len(self._encoded("outputs", dict(result.outputs))) if outputs else 0)
        artifacts: dict[str, object] = {}
        if result.artifacts:
            encoded = self._encoded("artifacts", dict(result.artifacts))
            size_bytes += len(encoded)
            artifacts = msgspec.json.decode(encoded)
        self.artifacts |= artifacts
        return Report(
            self.definition.id,
            self.step.attempt,
            self.step.execution,
            result.state,
            self.began_at,
            result=NO_RESULT if value == b"null" else msgspec.Raw(value),
            outputs=outputs,
            artifacts=artifacts,
            timeline=tuple(cut(line, 500) for line in result.timeline[-_TIMELINE_MAX:]),
            error=result.error and tidied(result.error),
            size_bytes=size_bytes,
        )

    def _encoded(self, what: str, value: object) -> bytes:
        where = f"{what} of step {self.definition.id!r}"
        return encode_value(value, limit_bytes=self.result_bytes_max, where=where)

    def _context(self, now: float) -> StepContext:
        flow = self.flow
        return StepContext(
            workflow_id=flow.workflow_id,
            version=flow.graph.version,
            instance_id=flow.instance_id,
            run_id=flow.run_id,
            step_id=self.definition.id,
            attempt=self.step.attempt,
            execution=self.step.execution,
            generation=self.held.lease.generation,
            started_at=self.step.starting_at or now,
            now=now,
            params={name: param.plain for name, param in params_of(flow, self.definition.id).items()},
            run_params={name: param.plain for name, param in flow.params.items()},
            artifacts=self.artifacts,
            result_of=self._result_of,
            is_cancelled=lambda: self.is_cancelled,
        )

    def _result_of(self, step_id: str) -> object:
        step = self.flow.steps.get(step_id)
        return None if step is None else decode_value(bytes(step.result))
