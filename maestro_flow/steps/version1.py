"""Step types that were written for version 1 of the contract, in the form of the present one."""

from __future__ import annotations

from maestro_flow.steps.context import StepContext
from maestro_flow.steps.contract import StepResult, StepType

__all__ = ["Version1"]


class Version1(StepType):
    """A type that knows three calls, and the results of all steps. Whatever else it has is its own affair."""

    takes_results = True

    def __init__(self, step_type: StepType) -> None:
        self.step_type = step_type

    def start(self, context: StepContext) -> StepResult:
        return self.step_type.start(context)

    def execute(self, context: StepContext) -> StepResult:
        return self.step_type.execute(context)

    def terminate(self, context: StepContext) -> StepResult:
        return self.step_type.terminate(context)
