"""What a node can do of a graph: which steps it runs itself, where it runs the others, and which it cannot run."""

from __future__ import annotations

from attrs import frozen

from maestro_flow.actors.executors import Executors
from maestro_flow.core.graph import Graph
from maestro_flow.model.definition import DEFAULT_EXECUTOR, StepDefinition, TypedStep
from maestro_flow.steps.builtin import InlineStepType
from maestro_flow.steps.registry import StepTypes

__all__ = ["StepSupport", "support_of", "why_lacking"]


@frozen
class StepSupport:
    """See the module; ``inline`` and ``lacking`` are ids of steps."""

    inline: frozenset[str]
    lacking: frozenset[str]
    executors: dict[str, str]
    """Of steps that the default executor does not run."""
    counts: dict[str, int]
    """How many steps each executor runs."""
    needs: frozenset[str]
    """Names of the code of all steps (``StepTypes.needs``)."""


def support_of(graph: Graph, step_types: StepTypes, executors: Executors) -> StepSupport:
    """What can be done as of now. May be asked on any thread."""
    inline, lacking, others, counts = set[str](), set[str](), dict[str, str](), dict[str, int]()
    workflow_id = graph.definition.id
    for step in graph.steps.values():
        if _why_lacking(workflow_id, step, step_types, executors):
            lacking.add(step.id)
        step_type = step_types.find_usable(workflow_id, step)
        if step.kind in step_types.kinds or isinstance(step_type, InlineStepType):
            inline.add(step.id)
        elif step_type is not None and step.id not in lacking:
            counts[step_type.executor] = counts.get(step_type.executor, 0) + 1
            if step_type.executor != DEFAULT_EXECUTOR:
                others[step.id] = step_type.executor
    return StepSupport(frozenset(inline), frozenset(lacking), others, counts, step_types.needs(graph.definition))


def why_lacking(graph: Graph, step_types: StepTypes, executors: Executors) -> dict[str, str]:
    """What each step that cannot be run here waits for, in words."""
    workflow_id = graph.definition.id
    reasons = {step.id: _why_lacking(workflow_id, step, step_types, executors) for step in graph.steps.values()}
    return {step_id: reason for step_id, reason in reasons.items() if reason}


def _why_lacking(workflow_id: str, step: StepDefinition, step_types: StepTypes, executors: Executors) -> str:
    """Empty if the step can be run here; a loop lacks what a step of its body lacks."""
    if not isinstance(step, TypedStep):
        if step.kind not in step_types.kinds:
            return step_types.why_unusable(step)
        return next(filter(None, (_why_lacking(workflow_id, each, step_types, executors) for each in step.steps)), "")
    step_type = step_types.find_usable(workflow_id, step)
    if step_type is None:
        return step_types.why_unusable(step)
    if isinstance(step_type, InlineStepType) or executors.is_usable(step_type.executor):
        return ""
    problem = executors.problems[step_type.executor]
    return f"executor {step_type.executor!r} of its type {step.type!r}, which cannot be used here: {problem}"
