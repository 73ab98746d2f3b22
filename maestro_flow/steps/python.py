"""The step type ``Python``: an ordinary function, whose arguments are upstream results and params."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from attrs import frozen

from maestro_flow.model.status import Verdict
from maestro_flow.steps.context import StepContext
from maestro_flow.steps.contract import CONTRACT, StepResult, StepType
from maestro_flow.steps.failures import describe

__all__ = ["PYTHON", "Argument", "PythonStep", "PythonStepType", "Source"]

PYTHON = "Python"
"""The ``type`` of a Python step in a definition. Its function is found by (workflow id, step id) in the process."""


class Source(Enum):
    """Where the value of an argument comes from."""

    STEP = "step"
    PARAM = "param"
    CONTEXT = "context"


@frozen
class Argument:
    """One parameter of the function; ``name`` is also the id of the step or the name of the run's param."""

    name: str
    source: Source


@frozen
class PythonStep:
    """A function and its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Argument, ...] = ()


class PythonStepType(StepType):
    """Calls the function. What it raises, ``SystemExit`` and ``KeyboardInterrupt`` included, is a user error."""

    contract = CONTRACT

    def __init__(self, step: PythonStep) -> None:
        self._step = step
        sources = {argument.source for argument in step.arguments}
        names = (argument.name for argument in step.arguments if argument.source is Source.STEP)
        self.takes_results = True if Source.CONTEXT in sources else tuple(names)

    def execute(self, context: StepContext) -> StepResult:
        try:
            value = self._step.function(
                **{argument.name: _value(argument, context) for argument in self._step.arguments}
            )
        except BaseException as error:  # noqa: BLE001 - no exception of user code may reach an engine thread (law 6)
            return StepResult(Verdict.USER_ERROR, error=describe(error))
        return StepResult(value=value)


def _value(argument: Argument, context: StepContext) -> Any:
    match argument.source:
        case Source.STEP:
            return context.result_of(argument.name)
        case Source.PARAM:
            return context.run_params[argument.name]
        case Source.CONTEXT:
            return context
