"""What a step needs before its turn: its predecessors, in this run or as an earlier run left them (I8, I9)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Protocol

from maestro_flow.core.graph import Graph
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import StepStatus
from maestro_flow.verify.history import Violated

__all__ = ["Needs", "Standing"]


class Standing(Protocol):
    """What is known of a step."""

    status: StepStatus
    branches: dict[str, bool] | None


@lru_cache(maxsize=1000)
def _predecessors(graph: Graph) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {step_id: [] for step_id in graph.steps}
    for step_id, step in graph.steps.items():
        for successor in step.successors:
            found[successor].append(step_id)
    return {step_id: tuple(steps) for step_id, steps in found.items()}


class Needs:
    """The edges of one run. ``before``: the steps of the run that a restart follows, as that run left them."""

    def __init__(self, graph: Graph, request: RunRequest, before: Mapping[str, Standing]) -> None:
        self.graph = graph
        self.predecessors = _predecessors(graph)
        self.first = ""
        """The step that a restart begins with, whatever its predecessors are."""
        self.before = before
        match request.policy:
            case RunPolicy.RESTART_FROM_INCOMPLETE:
                self.carried = {step_id for step_id, step in before.items() if step.status.is_complete}
            case RunPolicy.RESTART_FROM_SPECIFIC:
                self.first = request.restart_from
                self.carried = set(graph.steps) - graph.from_here_on(self.first)
            case _:
                self.carried = set()

    def check(self, step: str, known: Mapping[str, Standing], status: StepStatus) -> None:
        """Check that its turn has come: all predecessors are complete, and an edge to it is true; or none, if
        UNSATISFIED."""
        if step == self.first:
            return
        is_wanted = not self.predecessors[step]
        for predecessor in self.predecessors[step]:
            standing = self._standing(predecessor, known)
            if predecessor not in self.carried and (standing is None or not standing.status.is_complete):
                was = "has not begun" if standing is None else f"is {standing.status}"
                raise Violated("I8", f"it becomes {status} while its predecessor {predecessor} {was}", step)
            is_wanted = is_wanted or self._is_true(predecessor, step, standing)
        if is_wanted is (status is StepStatus.UNSATISFIED):
            what = "a condition to it is true" if is_wanted else "no condition to it is true"
            raise Violated("I8", f"it becomes {status}, though {what}", step)

    def check_branches(self, step: str, branches: Mapping[str, bool]) -> None:
        """Check that a complete step has decided all conditions to its successors."""
        for successor, condition in self.graph.steps[step].successors.items():
            if isinstance(condition, str) and successor not in branches:
                raise Violated("I8", f"it is complete, and its condition to {successor} was not decided", step)

    def left(self, known: Mapping[str, Standing]) -> Iterator[str]:
        """Steps whose turn has come, or that must become UNSATISFIED, without any record."""
        for step in self.graph.steps:
            if step in known or step in self.carried:
                continue
            if step == self.first or all(self._is_done(each, known) for each in self.predecessors[step]):
                yield step

    def is_wanted(self, step: str, known: Mapping[str, Standing]) -> bool:
        """An edge to a step of ``left`` is true, or it needs none."""
        predecessors = self.predecessors[step]
        if step == self.first or not predecessors:
            return True
        return any(self._is_true(each, step, self._standing(each, known)) for each in predecessors)

    def _is_done(self, step: str, known: Mapping[str, Standing]) -> bool:
        standing = self._standing(step, known)
        return step in self.carried or (standing is not None and standing.status.is_complete)

    def _standing(self, step: str, known: Mapping[str, Standing]) -> Standing | None:
        return self.before.get(step) if step in self.carried else known.get(step)

    def _is_true(self, predecessor: str, step: str, standing: Standing | None) -> bool:
        if standing is None or not standing.status.is_complete or standing.status is StepStatus.UNSATISFIED:
            return False
        condition = self.graph.steps[predecessor].successors[step]
        return (standing.branches or {})[step] if isinstance(condition, str) else condition
