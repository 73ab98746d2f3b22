"""The state of a flow: the fold of its events, immutable, and therefore shared freely between threads.

It has what decisions need and nothing that the graph knows: a step to which nothing has happened has no entry. States
of flows and steps are msgspec structs, not attrs classes, because each step costs about five replacements, which take
0.1 µs each where ``attrs.evolve`` takes 5.
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
    """Time of the last record; times never go back (PROTOCOL 15)."""
    status: RunStatus = RunStatus.CREATED
    instance_id: int = 0
    run_id: int = 0
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None
    request: RunRequest = RunRequest()
    previous: FlowState | None = None
    """The previous run, as it ended, if this run restarts it."""
    params: dict[str, Param] = {}
    """Evaluated, all of them."""
    step_changes: dict[str, dict[str, Param]] = {}
    """Params of steps changed by a restart inside the run; those of the start are in ``request``."""
    breakpoints: frozenset[str] = frozenset()
    active: int = 0
    """Number of active steps, including interrupted ones."""
    ending: StepStatus | None = None
    """The run ends early, its unfinished steps in this status: STOPPED, FATALLY_FAILED (killed) or TIMED_OUT."""
    ending_reason: str = ""
    deadline: float | None = None
    """When the run times out."""
    blamed: dict[RunStatus, int] = {}
    """How many steps of this run have ended unsuccessfully, by the status that they give the run."""
    carried: frozenset[str] = frozenset()
    """Steps that are not part of this run: they are kept as the previous run left them."""
    reason: str = ""
    """Why the run has ended, where its steps do not tell."""
    is_blocking: bool = False
    """The run failed under a limited run strategy and was neither restarted nor unblocked: under STRICT_SEQUENTIAL it
    keeps later runs from starting, and it prevents a switch to that strategy."""

    @classmethod
    def new(cls, flow_id: str, graph: Graph, **fields: Any) -> FlowState:
        """A flow without a commit; ``fields`` are those known before it begins."""
        return cls(flow_id, graph, graph.untouched, **fields)

    @property
    def workflow_id(self) -> str:
        """The workflow, as the flow's id has it: of a loop's child, the step whose iterations are its instances."""
        return FlowId.parse(self.flow_id).workflow_id

    @property
    def inherits_from(self) -> FlowState | None:
        """The run whose steps and params a restart takes over. A run that ended before it began has none of its own:
        then it is the one before."""
        before = self.previous
        while before is not None and before.started_at is None and before.previous is not None:
            before = before.previous
        return before

    @property
    def worst(self) -> RunStatus:
        """The status that the steps give the run: FAILED over TIMED_OUT over STOPPED over SUCCEEDED."""
        return max(self.blamed, key=SEVERITY.index, default=RunStatus.SUCCEEDED)

    @property
    def is_settled(self) -> bool:
        """Nothing is active and nothing more can start: the run is to be ended."""
        if self.active:
            return False
        queues = self.steps.queues
        return not queues or (self.ending is not None and queues.keys() == {Ready})

    def status_of(self, step_id: str) -> StepStatus:
        """The status that users see: a step whose turn has come is INITIALIZED, which is not recorded."""
        step = self.steps.get(step_id)
        if step is None:
            return StepStatus.NOT_CREATED
        if step.status is StepStatus.NOT_CREATED or step.status is StepStatus.CREATED:
            return StepStatus.INITIALIZED if kind_of(step.hold) is Ready else StepStatus.NOT_CREATED
        return step.status
