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

__all__ = ["FlowState", "StepState"]

_EMPTY: Map[str, Any] = Map()


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
    result: Raw = NO_RESULT
    outputs: dict[str, Param] = {}
    error: StepError | None = None

    @property
    def is_active(self) -> bool:
        """An attempt is under way: its code is to run, runs, or waits to be run again after an interruption."""
        return self.status in (StepStatus.STARTING, StepStatus.RUNNING)


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
    active: int = 0
    """Number of active steps, interrupted ones included."""
    stopping: bool = False
    worst: RunStatus = RunStatus.SUCCEEDED
    """What the steps that have ended make of the run: FAILED over TIMED_OUT over STOPPED over SUCCEEDED."""

    @property
    def is_settled(self) -> bool:
        """Nothing is under way and nothing can start any more: the run is to be ended."""
        return not (self.active or self.retrying or self.unsatisfied or (self.ready and not self.stopping))
