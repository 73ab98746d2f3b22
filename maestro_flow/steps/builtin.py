"""Step types that the engine runs itself: they never block, so they need no thread and no room on the executor."""

from __future__ import annotations

from math import inf

from maestro_flow.model.status import Verdict
from maestro_flow.steps.contract import StepContext, StepResult, StepType

__all__ = ["InlineStepType", "NoOp", "Sleep"]


_DONE = StepResult()


class InlineStepType(StepType):
    """A type whose calls return at once. Only our own may be one: user code never runs on an actor's thread (law 6)."""


class NoOp(InlineStepType):
    """Does nothing, and succeeds."""

    def execute(self, context: StepContext) -> StepResult:  # noqa: ARG002
        return _DONE


class Sleep(InlineStepType):
    """Succeeds ``sleep_seconds`` (a LONG or DOUBLE param, 3 by default as in Maestro) after the attempt has started."""

    def execute(self, context: StepContext) -> StepResult:
        # Counted from the recorded start, so that a takeover sleeps the rest and not the whole again.
        sleep_s = float(context.params.get("sleep_seconds", 3))
        if not 0 <= sleep_s < inf:
            problem = f"param sleep_seconds must be a number of seconds from 0 on, not {sleep_s}"
            return StepResult.failed(Verdict.FATAL_ERROR, problem)
        left = context.started_at + sleep_s - context.now
        return _DONE if left <= 0 else StepResult(Verdict.CONTINUE, next_poll_s=left)
