"""Checks on a definition as a whole, whether it was read from a file or built in Python."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.limits import PARAMS_CHARS_MAX
from maestro_flow.dsl.location import Location
from maestro_flow.model.definition import ForeachStep, StepDefinition, WhileStep, WorkflowDefinition, all_steps
from maestro_flow.model.params import Param, encode_params

__all__ = ["check_graph", "check_params_size", "find_cycle", "location_in_body"]


def check_graph(
    definition: WorkflowDefinition, steps_max: int, steps: Location, step: Callable[[int], Location]
) -> None:
    """Ids are unique, also across the bodies of loops; successors exist, and nothing waits for itself.

    ``steps`` is where the steps stand, ``step`` tells where the one with a given index does.

    Raises:
        DefinitionError: one of these does not hold, or there are no steps, or too many.
    """
    count = sum(1 for _ in all_steps(definition.steps))
    if count > steps_max:
        raise steps.error(f"{count} steps are too many; at most {steps_max} are allowed")
    _check_steps(definition.steps, steps, step, {})


def _check_steps(
    listed: tuple[StepDefinition, ...], steps: Location, step: Callable[[int], Location], taken: dict[str, Location]
) -> None:
    """The steps of a workflow or of a body; ``taken`` are the ids of those before them, and where they stand."""
    if not listed:
        raise steps.error("expected at least one step")
    for index, each in enumerate(listed):
        if each.id in taken:
            first = taken[each.id].path
            raise (step(index) / "id").error(f"the step id {preview(each.id)} is taken, by {first}; ids must be unique")
        taken[each.id] = step(index)
    known = {each.id for each in listed}
    for index, each in enumerate(listed):
        _check_successors(each, known, step(index) / "transition" / "successors")
    cycle = find_cycle(listed)
    if cycle:
        raise steps.error(f"the steps form a cycle: {_spell(cycle)}")
    for index, each in enumerate(listed):
        if isinstance(each, ForeachStep | WhileStep):
            body, location = each.steps, step(index)
            _check_steps(body, location / "steps", partial(location_in_body, location, body), taken)


def location_in_body(loop: Location, body: tuple[StepDefinition, ...], index: int) -> Location:
    """Where the step with this index stands in the body of the loop at ``loop``."""
    return (loop / "steps")[index] / body[index].kind


def _check_successors(step: StepDefinition, known: Collection[str], successors: Location) -> None:
    for successor in step.successors:
        location = successors / successor
        if successor == step.id:
            raise location.error(f"the step {preview(step.id)} cannot follow itself")
        if successor not in known:
            raise location.error(f"there is no step {preview(successor)}{did_you_mean(successor, known)}")


def find_cycle(steps: tuple[StepDefinition, ...]) -> tuple[str, ...]:
    """Ids of steps that wait for each other, with the first repeated at the end; empty if there is no cycle.

    Iterative: a chain may be longer than Python's recursion limit.
    """
    followers = {step.id: step.successors for step in steps}
    finished: set[str] = set()
    for root in followers:
        trail: dict[str, None] = {}  # the path from the root to the current step, in order
        branches = [iter((root,))]
        while branches:
            successor = next(branches[-1], None)
            if successor is None:
                branches.pop()
                if trail:
                    finished.add(trail.popitem()[0])
            elif successor in trail:
                way = list(trail)
                return (*way[way.index(successor) :], successor)
            elif successor not in finished:
                trail[successor] = None
                branches.append(iter(followers[successor]))
    return ()


def _spell(cycle: tuple[str, ...]) -> str:
    """``a -> b -> a``; only the two ends of a very long cycle."""
    shortened = cycle if len(cycle) <= 12 else (*cycle[:6], f"... {len(cycle) - 12} more ...", *cycle[-6:])
    return " -> ".join(shortened)


def check_params_size(params: dict[str, Param], location: Location) -> None:
    """Check that all params of a workflow, a step or a run together are not too large.

    Raises:
        DefinitionError: they are.
    """
    size = len(encode_params(params).decode()) if params else 0
    if size > PARAMS_CHARS_MAX:
        raise location.error(f"the params have {size:,} characters as JSON; at most {PARAMS_CHARS_MAX:,} are allowed")
