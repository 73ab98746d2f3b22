"""Which steps of a graph a node runs itself, which executor runs each of the others, and which it cannot run."""

from __future__ import annotations

from attrs import frozen

from maestro_flow.actors.executors import Executors
from maestro_flow.core.graph import Graph
from maestro_flow.model.definition import DEFAULT_EXECUTOR, StepDefinition, TypedStep
from maestro_flow.steps.builtin import InlineStepType
from maestro_flow.steps.registry import StepTypes

__all__ = ["StepSupport", "support_of", "why_unsupported"]


@frozen
class StepSupport:
    """See the module; ``inline`` and ``unsupported`` are ids of steps."""

    inline: frozenset[str]
    unsupported: frozenset[str]
    executors: dict[str, str]
    """Executors by step, for those that the default one does not run."""
    counts: dict[str, int]
    """How many steps each executor runs."""
    needs: frozenset[str]
    """Names of the code that all steps need (``StepTypes.needs``)."""


def support_of(graph: Graph, step_types: StepTypes, executors: Executors) -> StepSupport:
    """What this node supports now. May be called on any thread."""
    inline, unsupported, others, counts = set[str](), set[str](), dict[str, str](), dict[str, int]()
    workflow_id = graph.definition.id
    for step in graph.steps.values():
        if _why_unsupported(workflow_id, step, step_types, executors):
            unsupported.add(step.id)
        step_type = step_types.find_usable(workflow_id, step)
        if step.kind in step_types.kinds or isinstance(step_type, InlineStepType):
            inline.add(step.id)
        elif step_type is not None and step.id not in unsupported:
            counts[step_type.executor] = counts.get(step_type.executor, 0) + 1
            if step_type.executor != DEFAULT_EXECUTOR:
                others[step.id] = step_type.executor
    return StepSupport(frozenset(inline), frozenset(unsupported), others, counts, step_types.needs(graph.definition))


def why_unsupported(graph: Graph, step_types: StepTypes, executors: Executors) -> dict[str, str]:
    """What each step that cannot run here waits for, as text."""
    workflow_id = graph.definition.id
    reasons = {step.id: _why_unsupported(workflow_id, step, step_types, executors) for step in graph.steps.values()}
    return {step_id: reason for step_id, reason in reasons.items() if reason}


def _why_unsupported(workflow_id: str, step: StepDefinition, step_types: StepTypes, executors: Executors) -> str:
    """Empty if the step can run here; a loop needs the code of all steps in its body."""
    if not isinstance(step, TypedStep):
        if step.kind not in step_types.kinds:
            return step_types.why_unusable(step)
        return next(
            filter(None, (_why_unsupported(workflow_id, each, step_types, executors) for each in step.steps)), ""
        )
    step_type = step_types.find_usable(workflow_id, step)
    if step_type is None:
        return step_types.why_unusable(step)
    if isinstance(step_type, InlineStepType) or executors.is_usable(step_type.executor):
        return ""
    problem = executors.problems[step_type.executor]
    return f"executor {step_type.executor!r} of its type {step.type!r}, which cannot be used here: {problem}"
