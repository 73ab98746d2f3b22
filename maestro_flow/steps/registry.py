"""The step types of a node: the installed ones, and the Python functions of its workflows."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from maestro_flow.errors import DefinitionError, PluginError
from maestro_flow.model.definition import StepDefinition, StepKind, TypedStep, WorkflowDefinition, all_steps
from maestro_flow.model.events import StepError
from maestro_flow.model.status import Verdict
from maestro_flow.steps.calls import StepCall, StepReturn
from maestro_flow.steps.context import CallProgress
from maestro_flow.steps.contract import StepType
from maestro_flow.steps.declared import declaration_problems
from maestro_flow.steps.failures import describe
from maestro_flow.steps.loading import known_step_types, load_step_type
from maestro_flow.steps.perform import perform
from maestro_flow.steps.python import PYTHON, PythonStep, PythonStepType

__all__ = ["StepTypes", "code_of"]

logger = logging.getLogger("maestro_flow.steps")


def code_of(workflow_id: str, step: StepDefinition) -> str:
    """The name by which a node offers the code of a step (PROTOCOL 22); of a composite step, its kind."""
    return f"{workflow_id}/{step.id}" if step.type == PYTHON else step.type


def _never() -> bool:
    return False


def _ignore(_said: object) -> None:
    """The progress of a call that returns at once is not reported."""


class StepTypes:
    """The step types of one node; ``settings`` are those of ``[step_types.NAME]``. Thread-safe.

    ``kinds`` are the composite steps that the node's engine can run.

    A type that overrides ``open`` is not usable until that has returned. ``open_soon`` is called with the name of a
    type that is not open yet: it must get ``open`` called, on a thread that may block.
    """

    def __init__(
        self, settings: Mapping[str, Mapping[str, Any]] | None = None, *, kinds: Collection[StepKind] = ()
    ) -> None:
        self.kinds = frozenset(kinds)
        self._settings = settings or {}
        self._loaded: dict[str, StepType] = {}
        self._functions: dict[tuple[str, str], PythonStepType] = {}
        self._problems: dict[str, str] = {}
        """Why a type cannot be used, by name."""
        self._opened: set[str] = set()
        self._asked_to_open: set[str] = set()
        self._locks: dict[str, threading.Lock] = {}
        self.version = 0
        """Incremented when code is added: unsupported steps may be supported now."""
        self.open_soon: Callable[[str], None] = _ignore

    def add_functions(self, workflow_id: str, functions: Mapping[str, PythonStep]) -> None:
        """Make the Python steps of a workflow runnable here, by step id; the latest function for an id counts."""
        self._functions.update({(workflow_id, step_id): PythonStepType(step) for step_id, step in functions.items()})
        self.version += 1

    def find(self, workflow_id: str, step: StepDefinition) -> StepType | None:
        """The type that runs a step, open or not; None if this process does not have it, or for a composite step.

        Raises:
            PluginError: it is installed but cannot be used.
        """
        if not isinstance(step, TypedStep):
            return None
        return self._find(step.type, workflow_id, step.id)

    def _find(self, name: str, workflow_id: str, step_id: str) -> StepType | None:
        if name == PYTHON:
            return self._functions.get((workflow_id, step_id))
        if name not in self._loaded:
            loaded = load_step_type(name)
            if loaded is None:
                return None
            if self._settings.get(name) and not _has_open(loaded):
                raise PluginError(f"step type {name!r} takes no settings, but step_types.{name} has some")
            return self._loaded.setdefault(name, loaded)  # two threads may have loaded it
        return self._loaded[name]

    def find_usable(self, workflow_id: str, step: StepDefinition) -> StepType | None:
        """Like ``find``, but None for a type that is broken or not open: its steps wait, and the log says why."""
        if step.type in self._problems:
            return None
        try:
            found = self.find(workflow_id, step)
        except PluginError as error:
            self._problems[step.type] = str(error)
            logger.exception("steps of type %s wait: its plugin cannot be used here", step.type)
            return None
        if found is None or self._is_open(step.type, found):
            return found
        if step.type not in self._asked_to_open:
            self._asked_to_open.add(step.type)
            self.open_soon(step.type)
        return None

    def why_unusable(self, step: StepDefinition) -> str:
        """What a step waits for if ``find_usable`` returns None."""
        if problem := self._problems.get(step.type):
            return f"step type {step.type!r}, which cannot be used here: {problem}"
        if step.type in self._asked_to_open:
            return f"step type {step.type!r}, which is being opened"
        return f"step type {step.type!r}, whose code this process does not have"

    def open(self, name: str) -> None:
        """Open a type that was found, unless it is open. May block. After a failure, this tries again.

        Raises:
            PluginError: its ``open`` has failed.
        """
        step_type = self._loaded[name]
        with self._locks.setdefault(name, threading.Lock()):
            if self._is_open(name, step_type):
                return
            self._asked_to_open.add(name)
            try:
                step_type.open(dict(self._settings.get(name, {})))
            except (Exception, SystemExit) as error:
                self._problems[name] = f"it cannot be opened: {error!r}"
                raise PluginError(f"step type {name!r} cannot be opened: {error!r}") from error
            self._opened.add(name)
            self._problems.pop(name, None)
            self.version += 1

    def close(self) -> None:
        """Close all open types. Exceptions are logged."""
        while self._opened:
            name = self._opened.pop()
            try:
                self._loaded[name].close()
            except Exception:
                logger.exception("step type %s could not be closed", name)

    def perform(
        self,
        call: StepCall,
        is_cancelled: Callable[[], bool] = _never,
        tell: Callable[[CallProgress], None] = _ignore,
    ) -> StepReturn:
        """Make a call at once, on this thread. Never raises."""
        try:
            step_type = self._find(call.step_type, call.definition_id, call.step_id)
        except PluginError as error:
            return StepReturn(call.phase, Verdict.PLATFORM_ERROR, call.began_at, error=describe(error))
        if step_type is not None:
            return perform(step_type, call, is_cancelled, tell)
        problem = f"step {call.step_id!r} is of type {call.step_type!r}, whose code is not here"
        return StepReturn(call.phase, Verdict.PLATFORM_ERROR, call.began_at, error=StepError("PluginError", problem))

    def check(self, definition: WorkflowDefinition) -> None:
        """Check the steps of a definition as far as this process can, without opening anything.

        Raises:
            PluginError: the plugin of a step is installed but cannot be used.
            DefinitionError: the params of a step are not what its type declares.
        """
        self._check(definition.id, definition.steps, "workflow.steps")

    def _check(self, workflow_id: str, steps: Sequence[StepDefinition], path: str) -> None:
        for index, step in enumerate(steps):
            here = f"{path}[{index}].{step.kind}"
            if not isinstance(step, TypedStep):
                self._check(workflow_id, step.steps, f"{here}.steps")
                continue
            found = self.find(workflow_id, step)
            for name, problem in declaration_problems(found.params if found else (), step.params, step.id):
                is_plain = name.replace("-", "_").isidentifier()
                field = f".{name}" if is_plain else f"[{json.dumps(name)}]" if name else ""
                raise DefinitionError(problem, path=f"{here}.params{field}")

    def open_all(self, definition: WorkflowDefinition) -> None:
        """Open the types of a definition's steps. May block.

        Raises:
            PluginError: one cannot be opened.
        """
        for step in all_steps(definition.steps):
            found = self.find(definition.id, step)
            if found is not None and not self._is_open(step.type, found):
                self.open(step.type)

    def offered(self) -> frozenset[str]:
        """The code that this node offers to others: names of step types, and ``workflow/step`` of Python functions."""
        functions = {f"{workflow_id}/{step_id}" for workflow_id, step_id in self._functions}
        return known_step_types().difference(self._problems) | self.kinds | functions

    def needs(self, definition: WorkflowDefinition) -> frozenset[str]:
        """What a node must offer to run all steps of a workflow, including those in the bodies of loops."""
        return frozenset(code_of(definition.id, step) for step in all_steps(definition.steps))

    def _is_open(self, name: str, step_type: StepType) -> bool:
        return name in self._opened or not _has_open(step_type)


def _has_open(step_type: StepType) -> bool:
    return type(step_type).open is not StepType.open or type(step_type).close is not StepType.close
