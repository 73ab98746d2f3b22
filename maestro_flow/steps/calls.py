"""Calls of user code and their returns, as values that may cross to another thread, process or machine.

A ``StepCall`` has everything that a call may need to know, and a ``StepReturn`` everything that is kept of it. Both are
plain data for JSON (``msgspec.json``), without functions, locks or references to the engine. Times are seconds since
the epoch, by the store's clock, unless a name says otherwise.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import replace

from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import Param
from maestro_flow.model.status import Verdict
from maestro_flow.steps.contract import Phase

__all__ = ["StepCall", "StepReturn"]


class StepCall(Struct, frozen=True):
    """One call of a step's code. (generation, attempt, execution) is its fence token: it grows with every execution."""

    phase: Phase
    step_type: str
    """Name of the type, as in the definition."""
    definition_id: str
    """Id of the workflow whose definition has the step: Python functions are found by it."""
    workflow_id: str
    """As in ``StepContext``."""
    version: int
    instance_id: int
    run_id: int
    step_id: str
    attempt: int
    execution: int
    generation: int
    started_at: float
    """When this attempt became STARTING."""
    now: float
    """When the call was made; after ``begun``, when its code began."""
    began_at: float | None = None
    """When the code of the attempt first began, if it has begun."""
    timeout_s: float | None = None
    """Timeout of the attempt, counted from ``began_at``."""
    heartbeat_timeout_s: float | None = None
    """See ``StepType.heartbeat_timeout_s``; the node watches it."""
    result_bytes_max: int = 1024 * 1024
    params: dict[str, Any] = {}
    """The step's own params, as plain values."""
    run_params: dict[str, Any] = {}
    artifacts: dict[str, Any] = {}
    """Artifacts of the attempt's earlier calls."""
    results: dict[str, Raw] = {}
    """Encoded results of the steps that the type takes (``StepType.takes_results``); never changed in place."""

    def begun(self, now: float) -> StepCall:
        """The same call, when its code begins."""
        return replace(self, now=now, began_at=now if self.began_at is None else self.began_at)


class StepReturn(Struct, frozen=True):
    """The result of a call, checked and in the form in which it is written."""

    phase: Phase
    verdict: Verdict
    began_at: float | None = None
    """When the code of the attempt first began."""
    result: Raw = NO_RESULT
    outputs: dict[str, Param] = {}
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()
    error: StepError | None = None
    next_poll_s: float | None = None
    """Seconds until the next call, with CONTINUE; None means the node's setting."""
    size_bytes: int = 0
    """Size of result, outputs and artifacts."""

    @classmethod
    def lost(cls, call: StepCall, reason: str) -> StepReturn:
        """What an executor returns for a call that has begun and will never answer."""
        error = StepError("CallLost", reason)
        return cls(call.phase, Verdict.PLATFORM_ERROR, call.began_at, error=error)
