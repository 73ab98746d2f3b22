"""Adapter for step types written for version 1 of the contract."""

from __future__ import annotations

from maestro_flow.steps.context import StepContext
from maestro_flow.steps.contract import StepResult, StepType

__all__ = ["Version1"]


class Version1(StepType):
    """A type with three calls, which knows the results of all steps. Its other attributes are ignored."""

    takes_results = True

    def __init__(self, step_type: StepType) -> None:
        self.step_type = step_type

    def start(self, context: StepContext) -> StepResult:
        return self.step_type.start(context)

    def execute(self, context: StepContext) -> StepResult:
        return self.step_type.execute(context)

    def terminate(self, context: StepContext) -> StepResult:
        return self.step_type.terminate(context)
