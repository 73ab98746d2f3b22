"""Steps that users name."""

from __future__ import annotations

from collections.abc import Collection

from maestro_flow.core.graph import Graph
from maestro_flow.errors import NotFound

__all__ = ["known_steps"]


def known_steps(graph: Graph, step_ids: Collection[str]) -> tuple[str, ...]:
    """The ids, in the order of the definition, so that the same wishes are the same request.

    Raises:
        NotFound: one of them is no step.
    """
    for step_id in step_ids:
        if step_id not in graph.steps:
            raise NotFound(f"version {graph.version} of workflow {graph.definition.id!r} has no step {step_id!r}")
    return tuple(step_id for step_id in graph.steps if step_id in step_ids)
