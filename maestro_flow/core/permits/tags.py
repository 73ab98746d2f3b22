"""Which permits a step needs: a pure function of its definition (Maestro: MaestroTagPermitManager.java)."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_flow.model.definition import StepDefinition, WorkflowDefinition

__all__ = ["permits_of"]


def permits_of(definition: WorkflowDefinition, step: StepDefinition) -> dict[str, int]:
    """One permit of each of these tags, with the limit that the definition gives it; empty for most steps.

    They are the tags with a ``permit`` of the step and of its workflow, and ``maestro_<workflow>`` for the workflow's
    ``step_concurrency``. A tag without ``permit`` limits nothing, so that definitions without limits never ask. Of a
    tag that is there twice the lower limit counts.
    """
    permits: dict[str, int] = {}
    for tag, limit in _limits(definition, step):
        permits[tag] = min(limit, permits.get(tag, limit))
    return permits


def _limits(definition: WorkflowDefinition, step: StepDefinition) -> Iterator[tuple[str, int]]:
    for tag in (*step.tags, *definition.tags):
        if tag.permit is not None:
            yield tag.name, tag.permit
    if definition.step_concurrency is not None:
        yield f"maestro_{definition.id}", definition.step_concurrency
