"""Which permits a step needs: a pure function of its definition (Maestro: MaestroTagPermitManager.java)."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_flow.model.definition import StepDefinition, TypedStep, WorkflowDefinition

__all__ = ["permits_of"]


def permits_of(definition: WorkflowDefinition, step: StepDefinition) -> dict[str, int]:
    """One permit of each of these tags, with the limit that the definition gives it; empty for most steps.

    They are the tags with a ``permit`` of the step and of its workflow, and ``maestro_<workflow>`` for the workflow's
    ``step_concurrency``. A tag without ``permit`` limits nothing, so that definitions without limits never ask. Of a
    tag that occurs twice, the lower limit counts. A composite step needs those of its own tags only: the steps that it
    runs need the others, and would wait for it forever.
    """
    permits: dict[str, int] = {}
    for tag, limit in _limits(definition, step):
        permits[tag] = min(limit, permits.get(tag, limit))
    return permits


def _limits(definition: WorkflowDefinition, step: StepDefinition) -> Iterator[tuple[str, int]]:
    is_leaf = isinstance(step, TypedStep)
    for tag in (*step.tags, *definition.tags) if is_leaf else step.tags:
        if tag.permit is not None:
            yield tag.name, tag.permit
    if is_leaf and definition.step_concurrency is not None:
        yield f"maestro_{definition.id}", definition.step_concurrency
