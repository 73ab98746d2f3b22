"""Which step types this process has: the entry points, and the Python functions of the workflows it was given."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from maestro_flow.errors import PluginError
from maestro_flow.model.definition import StepDefinition, StepKind, TypedStep, WorkflowDefinition, all_steps
from maestro_flow.steps.builtin import InlineStepType
from maestro_flow.steps.contract import CONTRACT, StepType
from maestro_flow.steps.python import PYTHON, PythonStep, PythonStepType

__all__ = ["STEP_TYPES", "StepTypes", "code_of", "known_step_types"]

logger = logging.getLogger("maestro_flow.steps")

STEP_TYPES = "maestro_flow.step_types"
"""Entry-point group; the name is the step's ``type`` in a definition, the object a ``StepType`` class."""


def known_step_types() -> frozenset[str]:
    """Names of the installed step types; nothing of them is imported."""
    return frozenset(_installed())


@cache  # a scan costs about 15 ms with a hundred distributions
def _installed() -> Mapping[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=STEP_TYPES)}


def code_of(workflow_id: str, step: StepDefinition) -> str:
    """The name by which a node offers the code of a step (PROTOCOL 22); of a composite step, its kind."""
    return f"{workflow_id}/{step.id}" if step.type == PYTHON else step.type


class StepTypes:
    """The step types of one node. Thread-safe: what is looked up is never changed, only added.

    ``kinds`` are the composite steps that the node's engine can run.
    """

    def __init__(self, kinds: Collection[StepKind] = ()) -> None:
        self._kinds = frozenset(kinds)
        self._loaded: dict[str, StepType] = {}
        self._functions: dict[tuple[str, str], PythonStep] = {}
        self._broken: set[str] = set()
        self.version = 0
        """Grows when functions are added: what was lacking may be there now."""

    def add_functions(self, workflow_id: str, functions: Mapping[str, PythonStep]) -> None:
        """Make the Python steps of a workflow runnable here, by step id; the latest function of a name counts."""
        self._functions.update({(workflow_id, step_id): function for step_id, function in functions.items()})
        self.version += 1

    def find(self, workflow_id: str, step: StepDefinition) -> StepType | None:
        """The type that runs a step, or None when this process lacks it; a composite step has none.

        Raises:
            PluginError: the entry point exists but cannot be used.
        """
        if not isinstance(step, TypedStep):
            return None
        if step.type == PYTHON:
            function = self._functions.get((workflow_id, step.id))
            return PythonStepType(function) if function else None
        if step.type not in self._loaded:
            entry = _installed().get(step.type)
            if entry is None:
                return None
            self._loaded[step.type] = _load(entry)
        return self._loaded[step.type]

    def find_usable(self, workflow_id: str, step: StepDefinition) -> StepType | None:
        """As ``find``, but a broken plugin is as good as a missing one: its steps wait, and the log says why, once."""
        if step.type in self._broken:
            return None
        try:
            return self.find(workflow_id, step)
        except PluginError:
            self._broken.add(step.type)
            logger.exception("steps of type %s wait: its plugin cannot be used here", step.type)
            return None

    def check(self, definition: WorkflowDefinition) -> None:
        """Raises PluginError: the plugin of a step is installed, but it cannot be used."""
        for step in all_steps(definition.steps):
            self.find(definition.id, step)

    def offered(self) -> frozenset[str]:
        """What steps can be of here, as other nodes are told: step types, and ``workflow/step`` of Python functions."""
        functions = {f"{workflow_id}/{step_id}" for workflow_id, step_id in self._functions}
        return known_step_types() | self._kinds | functions

    def needs(self, definition: WorkflowDefinition) -> frozenset[str]:
        """What a node must offer to run all steps of a workflow, those in the bodies of loops included."""
        return frozenset(code_of(definition.id, step) for step in all_steps(definition.steps))

    def inline(self, definition: WorkflowDefinition) -> frozenset[str]:
        """Ids of the steps that the engine runs itself."""
        return frozenset(
            step.id
            for step in definition.steps
            if step.kind in self._kinds or isinstance(self.find_usable(definition.id, step), InlineStepType)
        )

    def lacking(self, definition: WorkflowDefinition) -> frozenset[str]:
        """Ids of the steps whose code is not here; a loop lacks what a step of its body lacks."""
        return frozenset(step.id for step in definition.steps if self._is_lacking(definition.id, step))

    def _is_lacking(self, workflow_id: str, step: StepDefinition) -> bool:
        if isinstance(step, TypedStep):
            return self.find_usable(workflow_id, step) is None
        return step.kind not in self._kinds or any(self._is_lacking(workflow_id, each) for each in step.steps)


def _load(entry: EntryPoint) -> StepType:
    try:
        step_class = entry.load()
        step_type = step_class()
    except Exception as error:  # a plugin may fail in any way; which one it was must be said
        raise PluginError(f"step type {entry.name!r} ({entry.value}) cannot be loaded: {error!r}") from error
    if not isinstance(step_type, StepType):
        raise PluginError(f"step type {entry.name!r} ({entry.value}) is not a maestro_flow StepType")
    if step_type.contract != CONTRACT:
        raise PluginError(
            f"step type {entry.name!r} ({entry.value}) is written for contract {step_type.contract}, "
            f"this version has contract {CONTRACT}: install a matching release of the plugin"
        )
    return step_type
