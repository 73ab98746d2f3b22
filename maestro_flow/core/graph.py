"""A definition as a graph that is made once per version: readiness is counted along its edges, never searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from attrs import Factory, frozen

from maestro_flow.core.permits.tags import permits_of
from maestro_flow.model.definition import StepDefinition, WorkflowDefinition

__all__ = ["Graph"]


@frozen(eq=False)
class Graph:
    """The DAG of one version of a workflow, shared by all its flows."""

    definition: WorkflowDefinition
    version: int
    steps: dict[str, StepDefinition]
    """Steps by id, in the order of the definition."""
    roots: tuple[str, ...]
    predecessors: dict[str, int]
    """How many steps must complete before this one is decided."""
    permits: Mapping[str, dict[str, int]] = Factory(dict)
    """Steps that need permits: tags with their limits."""

    @classmethod
    def of(cls, definition: WorkflowDefinition, version: int) -> Graph:
        """The graph of a checked definition: acyclic, every successor exists."""
        incoming = Counter(successor for step in definition.steps for successor in step.successors)
        return cls(
            definition=definition,
            version=version,
            steps={step.id: step for step in definition.steps},
            roots=tuple(step.id for step in definition.steps if not incoming[step.id]),
            predecessors=dict(incoming),
            permits={step.id: permits for step in definition.steps if (permits := permits_of(definition, step))},
        )
