"""Step types that the engine runs itself: they never block, so they need neither a thread nor a slot."""

from __future__ import annotations

from maestro_flow.model.params import ParamType
from maestro_flow.model.status import Verdict
from maestro_flow.steps.context import StepContext
from maestro_flow.steps.contract import CONTRACT, StepResult, StepType
from maestro_flow.steps.declared import ParamSpec

__all__ = ["InlineStepType", "NoOp", "Sleep"]


_DONE = StepResult()


class InlineStepType(StepType):
    """A type whose calls return at once. Only for built-in types: user code never runs on an actor's thread (law 6)."""

    contract = CONTRACT


class NoOp(InlineStepType):
    """Succeeds without doing anything."""

    def execute(self, context: StepContext) -> StepResult:  # noqa: ARG002
        return _DONE


class Sleep(InlineStepType):
    """Succeeds some time after the attempt has started."""

    params = (
        ParamSpec("sleep_seconds", ParamType.DOUBLE, default=3, description="from the start of the attempt, 0 or more"),
    )

    def execute(self, context: StepContext) -> StepResult:
        # Counted from the recorded start, so that after a takeover only the rest is slept.
        sleep_s = context.params["sleep_seconds"]
        if sleep_s < 0:
            problem = f"param 'sleep_seconds' of step {context.step_id!r} must be 0 or more, not {sleep_s:g}"
            return StepResult.failed(Verdict.FATAL_ERROR, problem)
        left = context.started_at + sleep_s - context.now
        return _DONE if left <= 0 else StepResult(Verdict.CONTINUE, next_poll_s=left)
