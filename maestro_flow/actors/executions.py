"""One execution of an attempt: makes its calls and collects what they report."""

from __future__ import annotations

import msgspec
from attrs import define, field
from msgspec import Raw
from msgspec.structs import replace

from maestro_flow.core.inputs import Progressed, Report
from maestro_flow.core.params.step_params import params_of
from maestro_flow.core.state import FlowState, StepState
from maestro_flow.model.definition import StepDefinition
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.status import Verdict
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.context import CallProgress
from maestro_flow.steps.contract import Phase, StepType

__all__ = ["Execution"]


@define
class Execution:
    """See the module. Created from the flow's state at the start; calls are plain values that do not refer to it."""

    flow: FlowState
    definition: StepDefinition
    step: StepState
    generation: int
    """That of the lease under which it was started."""
    step_type: StepType
    result_bytes_max: int
    artifacts: dict[str, object] = field(init=False)
    began_at: float | None = field(init=False)
    """When the attempt's code actually began, if known."""
    timeout_s: float | None = field(init=False)
    """The attempt's timeout, as recorded at its start or as a number in the definition."""

    def __attrs_post_init__(self) -> None:
        self.artifacts = self.step.artifacts
        self.began_at = self.step.began_at
        defined = self.definition.timeout_s
        self.timeout_s = self.step.timeout_s if isinstance(defined, str) else defined

    def call(self, phase: Phase, now: float) -> StepCall:
        """The next call, to be made now."""
        flow, step = self.flow, self.step
        return StepCall(
            phase,
            self.definition.type,
            flow.graph.definition.id,
            flow.workflow_id,
            flow.graph.version,
            flow.instance_id,
            flow.run_id,
            self.definition.id,
            step.attempt,
            step.execution,
            self.generation,
            started_at=step.starting_at or now,
            now=now,
            began_at=self.began_at,
            timeout_s=self.timeout_s,
            heartbeat_timeout_s=self.step_type.heartbeat_timeout_s,
            result_bytes_max=self.result_bytes_max,
            params={name: param.plain for name, param in params_of(flow, self.definition.id).items()},
            run_params={name: param.plain for name, param in flow.params.items()},
            artifacts=dict(self.artifacts),
            results=self._results(),
        )

    def call_begun(self, phase: Phase, now: float) -> StepCall:
        """The next call, if the engine itself makes it at once."""
        if self.began_at is None:
            self.began_at = now
        return self.call(phase, now)

    def report(self, returned: StepReturn) -> Report:
        """The report of a call that has returned, for the flow."""
        self.began_at = returned.began_at
        if returned.artifacts:
            self.artifacts = self.artifacts | returned.artifacts
        return Report(
            self.definition.id,
            self.step.attempt,
            self.step.execution,
            returned.verdict,
            returned.began_at,
            returned.result,
            returned.outputs,
            returned.artifacts,
            returned.timeline,
            returned.error,
            returned.size_bytes,
        )

    def progressed(self, progress: CallProgress, began_at: float | None) -> Progressed:
        """The progress of a call that is still running, for the flow."""
        self.artifacts = self.artifacts | progress.artifacts
        size_bytes = len(msgspec.json.encode(progress.artifacts)) if progress.artifacts else 0
        return Progressed(
            self.definition.id,
            self.step.attempt,
            self.step.execution,
            began_at,
            progress.artifacts,
            progress.timeline,
            size_bytes,
        )

    def after(self, progress: CallProgress, report: Report) -> Report:
        """A report that includes progress which the flow has not seen yet."""
        self.artifacts = progress.artifacts | self.artifacts
        return replace(
            report, artifacts=progress.artifacts | report.artifacts, timeline=(*progress.timeline, *report.timeline)
        )

    def failure(self, verdict: Verdict, error: StepError) -> Report:
        """A report that did not come from a call."""
        step = self.step
        return Report(self.definition.id, step.attempt, step.execution, verdict, self.began_at, error=error)

    def _results(self) -> dict[str, Raw]:
        """The results that the type takes, as references, not copies."""
        steps, taken = self.flow.steps, self.step_type.takes_results
        if taken is True:
            return {step_id: step.result for step_id, step in steps.items() if step.result is not NO_RESULT}
        if not taken:
            return {}
        return {step_id: steps[step_id].result for step_id in taken if step_id in steps}
