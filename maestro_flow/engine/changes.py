"""What a start or a restart changes in a definition: params of the run and of its steps, and which steps it names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from maestro_flow.core.graph import Graph
from maestro_flow.dsl.start import parse_params
from maestro_flow.errors import DefinitionError, NotFound
from maestro_flow.model.params import Param

__all__ = ["changes", "known_steps", "step_changes"]


def changes(declared: Mapping[str, Param], given: Mapping[str, Any]) -> dict[str, Param]:
    """The params that are given, checked against those that are declared.

    Raises:
        DefinitionError: one does not fit, or must not be changed.
    """
    merged = parse_params(declared, given)
    return {name: merged[name] for name in given}


def step_changes(graph: Graph, given: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Param]]:
    """The same for the params of steps, by step id.

    Raises:
        NotFound: there is no such step.
        DefinitionError: see ``changes``.
    """
    changed = {}
    for step_id in known_steps(graph, given):
        try:
            changed[step_id] = changes(graph.steps[step_id].params, given[step_id])
        except DefinitionError as error:
            raise DefinitionError(error.problem, path=f"steps.{step_id}.{error.path}") from None
    return {step_id: params for step_id, params in changed.items() if params}


def known_steps(graph: Graph, step_ids: Collection[str]) -> tuple[str, ...]:
    """The ids, in the order of the definition, so that the same wishes are the same request.

    Raises:
        NotFound: one of them is no step.
    """
    for step_id in step_ids:
        if step_id not in graph.steps:
            raise NotFound(f"version {graph.version} of workflow {graph.definition.id!r} has no step {step_id!r}")
    return tuple(step_id for step_id in graph.steps if step_id in step_ids)
