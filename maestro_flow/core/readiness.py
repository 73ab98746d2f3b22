"""Readiness is counted along the edges of the graph, never searched: which steps may start, and which never will."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec.structs import replace

from maestro_flow.core.holds import READY, UNSATISFIED, Predecessors
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import Steps, StepState
from maestro_flow.model.requests import RunPolicy
from maestro_flow.model.status import StepStatus

__all__ = ["begin", "count"]


_READY = StepState(StepStatus.NOT_CREATED, attempt=0, hold=READY)
_UNSATISFIED = StepState(StepStatus.NOT_CREATED, attempt=0, hold=UNSATISFIED)


@lru_cache(maxsize=10_000)
def _counted(missing: int, satisfied: bool) -> StepState:
    """A step some of whose predecessors are complete. Shared, because thousands of steps may be in the same state."""
    return StepState(StepStatus.NOT_CREATED, attempt=0, hold=Predecessors(missing, satisfied))


def count(state: FlowState, steps: Steps, edges: Mapping[str, bool]) -> Steps:
    """Count a complete step at its successors; the last predecessor decides between ready and unsatisfied.

    ``edges`` has the value of the condition to each successor. Steps kept from the previous run are left alone.
    """
    carried, predecessors = state.carried, state.graph.predecessors
    counted: list[tuple[str, StepState]] = []
    for successor, is_true in edges.items():
        if successor in carried:
            continue
        missing, satisfied = predecessors[successor] - 1, is_true
        if missing and (before := steps.get(successor)) is not None and isinstance(before.hold, Predecessors):
            missing, satisfied = before.hold.missing - 1, is_true or before.hold.satisfied
        if missing:
            counted.append((successor, _counted(missing, satisfied)))
        else:
            counted.append((successor, _READY if satisfied else _UNSATISFIED))
    if len(counted) == 1:
        return steps.set(*counted[0])
    return steps.set_all(counted) if counted else steps


def begin(state: FlowState) -> FlowState:
    """The steps with which a run begins, and what a restart takes over from the previous run (RunPolicy.java)::

    START_FRESH_NEW_RUN, FROM_BEGINNING   nothing is kept: the roots begin
    FROM_INCOMPLETE                       complete steps are kept: their incomplete successors begin
    FROM_SPECIFIC                         one step begins, whatever comes before it; what follows it runs again, and
                                          all other steps are kept as they are
    """
    graph, request = state.graph, state.request
    before = state.inherits_from.steps if state.inherits_from is not None else state.steps
    match request.policy:
        case RunPolicy.RESTART_FROM_INCOMPLETE:
            standing = frozenset(step_id for step_id, step in before.items() if step.status.is_complete)
            first = tuple(step_id for step_id in graph.roots if step_id not in standing)
        case RunPolicy.RESTART_FROM_SPECIFIC:
            standing = frozenset(graph.steps) - graph.from_here_on(request.restart_from)
            first = (request.restart_from,)
        case _:
            return replace(state, steps=state.steps.set_all([(step_id, _READY) for step_id in graph.roots]))
    taken_over = [(step_id, step) for step_id, step in before.items() if step_id in standing and step.attempt]
    steps = state.steps.set_all(taken_over)
    steps = steps.set_all([(step_id, _READY) for step_id in first])
    state = replace(state, carried=standing)
    for step_id in (step_id for step_id in graph.steps if step_id in standing):
        step = before.get(step_id)
        is_done = step is not None and step.status.is_complete
        edges = graph.edges(step_id, step.status, step.branches) if step and is_done else graph.no_edges(step_id)
        steps = count(state, steps, {to: is_true for to, is_true in edges.items() if to not in first})
    return replace(state, steps=steps)
