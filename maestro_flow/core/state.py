"""The state of a flow: the fold of its events, immutable, and therefore shared freely between threads.

It holds what deciding needs and nothing that can be had from the graph: a step that nothing happened to has no entry.
States of flows and steps are msgspec structs, not attrs classes, because a step costs five replacements of a field or
two, and theirs takes 0.1 µs where ``attrs.evolve`` takes 5.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from maestro_flow.core.graph import Graph
from maestro_flow.core.holds import Ready, kind_of
from maestro_flow.core.steps import Steps, StepState
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.params import Param
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["SEVERITY", "FlowState", "StepState"]

SEVERITY = (RunStatus.SUCCEEDED, RunStatus.STOPPED, RunStatus.TIMED_OUT, RunStatus.FAILED)
"""How a run may end, from the best to the worst."""


class FlowState(Struct, frozen=True):
    """One run. ``revision`` 0 is a flow that has no commit yet."""

    flow_id: str
    graph: Graph
    steps: Steps
    revision: int = 0
    at: float = 0.0
    """Time of the last record; no later one is older (PROTOCOL 15)."""
    status: RunStatus = RunStatus.CREATED
    instance_id: int = 0
    run_id: int = 0
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    request: RunRequest = RunRequest()
    previous: FlowState | None = None
    """The run before, as it ended, if this one is a restart of it."""
    params: dict[str, Param] = {}
    """Evaluated, all of them."""
    step_changes: dict[str, dict[str, Param]] = {}
    """Params of steps that were changed by a restart inside the run; those of the start are in ``request``."""
    breakpoints: frozenset[str] = frozenset()
    active: int = 0
    """Number of active steps, interrupted ones included."""
    ending: StepStatus | None = None
    """The run is to end early, its unfinished steps in this status: STOPPED, FATALLY_FAILED by a kill, or TIMED_OUT."""
    ending_reason: str = ""
    deadline: float | None = None
    """When the run's own timeout is over."""
    blamed: dict[RunStatus, int] = {}
    """What steps of this run that have ended, and not well, make of the run: how many of them."""
    carried: frozenset[str] = frozenset()
    """Steps that are not part of this run: they stand as the run before has left them."""
    reason: str = ""
    """Why the run has ended, where its steps do not say it."""
    is_blocking: bool = False
    """The run has failed under a limited run strategy, and was neither restarted nor unblocked: it keeps later runs
    from starting as long as the strategy is STRICT_SEQUENTIAL, and the strategy from being switched to that."""

    @classmethod
    def new(cls, flow_id: str, graph: Graph, **fields: Any) -> FlowState:
        """A flow without a commit; ``fields`` are what is known of it before it begins."""
        return cls(flow_id, graph, graph.untouched, **fields)

    @property
    def workflow_id(self) -> str:
        """The workflow, as the flow's id has it: of a loop's child, the step whose iterations are its instances."""
        return FlowId.parse(self.flow_id).workflow_id

    @property
    def inherits_from(self) -> FlowState | None:
        """The run whose steps and params a restart takes over: one that ended before it began has left nothing, and
        what stands is that of the run before it."""
        before = self.previous
        while before is not None and before.started_at is None and before.previous is not None:
            before = before.previous
        return before

    @property
    def worst(self) -> RunStatus:
        """What the steps make of the run: FAILED over TIMED_OUT over STOPPED over SUCCEEDED."""
        return max(self.blamed, key=SEVERITY.index, default=RunStatus.SUCCEEDED)

    @property
    def is_settled(self) -> bool:
        """Nothing is under way and nothing can start any more: the run is to be ended."""
        if self.active:
            return False
        queues = self.steps.queues
        return not queues or (self.ending is not None and queues.keys() == {Ready})

    def status_of(self, step_id: str) -> StepStatus:
        """The status that users see: a step whose turn has come is INITIALIZED, which costs no record."""
        step = self.steps.get(step_id)
        if step is None:
            return StepStatus.NOT_CREATED
        if step.status is StepStatus.NOT_CREATED or step.status is StepStatus.CREATED:
            return StepStatus.INITIALIZED if kind_of(step.hold) is Ready else StepStatus.NOT_CREATED
        return step.status
