"""Step types that the engine runs itself: they never block, so they need no thread and no room on the executor."""

from __future__ import annotations

from maestro_flow.model.params import ParamType
from maestro_flow.model.status import Verdict
from maestro_flow.steps.context import StepContext
from maestro_flow.steps.contract import CONTRACT, StepResult, StepType
from maestro_flow.steps.declared import ParamSpec

__all__ = ["InlineStepType", "NoOp", "Sleep"]


_DONE = StepResult()


class InlineStepType(StepType):
    """A type whose calls return at once. Only our own may be one: user code never runs on an actor's thread (law 6)."""

    contract = CONTRACT


class NoOp(InlineStepType):
    """Does nothing, and succeeds."""

    def execute(self, context: StepContext) -> StepResult:  # noqa: ARG002
        return _DONE


class Sleep(InlineStepType):
    """Succeeds a while after the attempt has started."""

    params = (
        ParamSpec("sleep_seconds", ParamType.DOUBLE, default=3, description="from the start of the attempt, 0 or more"),
    )

    def execute(self, context: StepContext) -> StepResult:
        # Counted from the recorded start, so that a takeover sleeps the rest and not the whole again.
        sleep_s = context.params["sleep_seconds"]
        if sleep_s < 0:
            problem = f"param 'sleep_seconds' of step {context.step_id!r} must be 0 or more, not {sleep_s:g}"
            return StepResult.failed(Verdict.FATAL_ERROR, problem)
        left = context.started_at + sleep_s - context.now
        return _DONE if left <= 0 else StepResult(Verdict.CONTINUE, next_poll_s=left)
