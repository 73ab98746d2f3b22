"""The state of a flow: the fold of its events, immutable, and therefore shared freely between threads.

It holds what deciding needs and nothing that can be had from the graph: a step that nothing happened to has no entry.
These two are msgspec structs, not attrs classes, because a step costs five replacements of a field or two, and theirs
takes 0.1 µs where ``attrs.evolve`` takes 5.
"""

from __future__ import annotations

from typing import Any

from immutables import Map
from msgspec import Raw, Struct

from maestro_flow.core.graph import Graph
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import Param
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["SEVERITY", "FlowState", "StepState"]

_EMPTY: Map[str, Any] = Map()
SEVERITY = (RunStatus.SUCCEEDED, RunStatus.STOPPED, RunStatus.TIMED_OUT, RunStatus.FAILED)
"""How a run may end, from the best to the worst."""


class StepState(Struct, frozen=True):
    """The latest attempt of a step, and the budgets that all its attempts share."""

    status: StepStatus
    attempt: int = 1
    execution: int = 1
    starting_at: float | None = None
    began_at: float | None = None
    ended_at: float | None = None
    retry_at: float | None = None
    crashes: int = 0
    handed_over: bool = False
    """The execution follows one that its owner gave up in good order: no suspect (PROTOCOL 14, 24)."""
    error_retries: int = 0
    platform_retries: int = 0
    timeout_retries: int = 0
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()
    params: dict[str, Param] = {}
    """Evaluated; those that are literally in the definition are only there (``core.params.params_of``)."""
    branches: dict[str, bool] = {}
    """Values of the conditions to its successors that are expressions."""
    timeout_s: float | None = None
    """Of the attempt; None if it has none, or the definition has it as a number."""
    ending: StepStatus | None = None
    """The attempt is being terminated, by a user, and ends in this status."""
    permits: dict[str, int] = {}
    """What the attempt has asked for, and must give back: tags with their limits."""
    result: Raw = NO_RESULT
    outputs: dict[str, Param] = {}
    error: StepError | None = None

    @property
    def is_active(self) -> bool:
        """See ``StepStatus.is_active``."""
        return self.status.is_active

    @property
    def is_pending(self) -> bool:
        """See ``StepStatus.is_pending``."""
        return self.status.is_pending

    @property
    def next_attempt(self) -> int:
        """Number of the attempt that is under way or to begin."""
        status = self.status
        return self.attempt if status.is_active or status.is_pending else self.attempt + 1


class FlowState(Struct, frozen=True):
    """One run. ``revision`` 0 is a flow that has no commit yet."""

    flow_id: str
    graph: Graph
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
    step_changes: Map[str, dict[str, Param]] = _EMPTY
    """Params of steps that were changed by a restart inside the run; those of the start are in ``request``."""
    steps: Map[str, StepState] = _EMPTY
    waiting: Map[str, int] = _EMPTY
    """Steps of which some predecessor is complete: how many are not."""
    satisfied: Map[str, bool] = _EMPTY
    """Steps to which some edge is true."""
    ready: tuple[str, ...] = ()
    """Steps that may start, oldest first."""
    unsatisfied: tuple[str, ...] = ()
    """Steps whose predecessors are complete and none of whose edges is true: to be ended as UNSATISFIED."""
    interrupted: tuple[str, ...] = ()
    """Active steps that no process runs: to be run again, few at a time (PROTOCOL 24)."""
    retrying: Map[str, float] = _EMPTY
    """Steps that wait for their next attempt: when it is due."""
    paused: tuple[str, ...] = ()
    """Steps that wait for a user to resume them."""
    awaiting: tuple[str, ...] = ()
    """Steps that wait for permits; a step that has got them is ready again."""
    breakpoints: frozenset[str] = frozenset()
    lacking: frozenset[str] = frozenset()
    """Steps of which it is recorded that the owner has no code for them."""
    active: int = 0
    """Number of active steps, interrupted ones included."""
    ending: StepStatus | None = None
    """The run is to end early, its unfinished steps in this status: STOPPED, FATALLY_FAILED by a kill, or TIMED_OUT."""
    ending_reason: str = ""
    deadline: float | None = None
    """When the run's own timeout is over."""
    blamed: Map[str, RunStatus] = _EMPTY
    """Steps of this run that have ended, and not well: what each makes of the run."""
    carried: frozenset[str] = frozenset()
    """Steps that are not part of this run: they stand as the run before has left them."""
    reason: str = ""
    """Why the run has ended, where its steps do not say it."""
    is_blocking: bool = False
    """The run has failed under a limited run strategy, and was neither restarted nor unblocked: it keeps later runs
    from starting as long as the strategy is STRICT_SEQUENTIAL, and the strategy from being switched to that."""

    @property
    def goes_on_from(self) -> FlowState | None:
        """The run whose steps and params a restart takes over: one that ended before it began has left nothing, and
        what stands is that of the run before it."""
        before = self.previous
        while before is not None and before.started_at is None and before.previous is not None:
            before = before.previous
        return before

    @property
    def worst(self) -> RunStatus:
        """What the steps make of the run: FAILED over TIMED_OUT over STOPPED over SUCCEEDED."""
        return max(self.blamed.values(), key=SEVERITY.index, default=RunStatus.SUCCEEDED)

    @property
    def is_settled(self) -> bool:
        """Nothing is under way and nothing can start any more: the run is to be ended."""
        if self.active or self.retrying or self.unsatisfied or self.paused or self.awaiting:
            return False
        return self.ending is not None or not self.ready

    def status_of(self, step_id: str) -> StepStatus:
        """The status that users see: a step whose turn has come is INITIALIZED, which costs no record."""
        step = self.steps.get(step_id)
        if step is None or step.status is StepStatus.CREATED:
            return StepStatus.INITIALIZED if step_id in self.ready else StepStatus.NOT_CREATED
        return step.status
