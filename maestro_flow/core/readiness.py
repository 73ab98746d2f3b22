"""Readiness is counted along the edges of the graph, never searched: which steps may start, and which never will."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from maestro_flow.core.state import FlowState
from maestro_flow.model.requests import RunPolicy

__all__ = ["begin", "propagate"]


def propagate(state: FlowState, edges: Mapping[str, bool]) -> FlowState:
    """Count a step that is done at its successors; the last predecessor decides between ready and unsatisfied.

    ``edges`` has the value of the condition to each successor. Steps that stand from the run before are left alone.
    """
    waiting, satisfied, ready, unsatisfied = state.waiting, state.satisfied, [], []
    for successor, is_true in edges.items():
        if successor in state.carried:
            continue
        if is_true:
            satisfied = satisfied.set(successor, True)
        left = waiting.get(successor, state.graph.predecessors[successor]) - 1
        if left:
            waiting = waiting.set(successor, left)
            continue
        if successor in waiting:
            waiting = waiting.delete(successor)
        if successor in satisfied:
            ready.append(successor)
            satisfied = satisfied.delete(successor)
        else:
            unsatisfied.append(successor)
    return replace(
        state,
        waiting=waiting,
        satisfied=satisfied,
        ready=(*state.ready, *ready) if ready else state.ready,
        unsatisfied=(*state.unsatisfied, *unsatisfied) if unsatisfied else state.unsatisfied,
    )


def begin(state: FlowState) -> FlowState:
    """The steps with which a run begins, and what a restart takes over from the run before it (RunPolicy.java)::

    START_FRESH_NEW_RUN, FROM_BEGINNING   nothing stands: the roots begin
    FROM_INCOMPLETE                       complete steps stand: what follows them, and is not complete, begins
    FROM_SPECIFIC                         one step begins, whatever comes before it; what follows it runs again, and
                                          all other steps stand as they are
    """
    graph, request = state.graph, state.request
    before = state.goes_on_from.steps if state.goes_on_from is not None else state.steps
    match request.policy:
        case RunPolicy.RESTART_FROM_INCOMPLETE:
            standing = frozenset(step_id for step_id, step in before.items() if step.status.is_complete)
            first = tuple(step_id for step_id in graph.roots if step_id not in standing)
        case RunPolicy.RESTART_FROM_SPECIFIC:
            standing = frozenset(graph.steps) - graph.from_here_on(request.restart_from)
            first = (request.restart_from,)
        case _:
            return replace(state, ready=graph.roots)
    steps = state.steps.update({step_id: step for step_id, step in before.items() if step_id in standing})
    state = replace(state, ready=first, steps=steps, carried=standing)
    for step_id in standing:  # in any order: edges are counted
        step = before.get(step_id)
        is_done = step is not None and step.status.is_complete
        edges = graph.edges(step_id, step.status, step.branches) if step and is_done else graph.no_edges(step_id)
        state = propagate(state, {to: is_true for to, is_true in edges.items() if to not in first})
    return state
