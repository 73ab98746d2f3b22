"""The contract of a step type: one class, found through the entry-point group ``maestro_flow.step_types``.

It is Maestro's step runtime (StepRuntime.java): ``start``, then ``execute`` until it says that it is over, or
``terminate``. Each call gets a context and returns a result; only what is in the result survives::

    start ──CONTINUE, DONE──> execute ──DONE──> SUCCEEDED
                              │  ^  │
                              CONTINUE, after ``next_poll_s``
    any call: USER_ERROR, PLATFORM_ERROR (retried while the budget lasts) | FATAL_ERROR | TIMED_OUT | STOPPED
    a timeout, or a stop of the run: terminate ──> TIMED_OUT, STOPPED

An implementation is stateless and idempotent: one instance serves all steps, from many threads, and any call may be
repeated after a crash. What it needs to find its external work again belongs into ``artifacts``, which are durable
before the next call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from math import inf
from types import NoneType
from typing import Any, ClassVar

from attrs import Factory, field, frozen

from maestro_flow.model.events import StepError
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.status import Verdict

__all__ = ["CONTRACT", "StepContext", "StepResult", "StepType"]

CONTRACT = 1
"""Version of this contract. A step type says which one it was written for (``StepType.contract``)."""


_KINDS: dict[str, Any] = {
    "state": Verdict,
    "outputs": Mapping,
    "artifacts": Mapping,
    "timeline": (list, tuple),
    "next_poll_s": (int, float, NoneType),
    "error": (StepError, NoneType),
}
"""What the fields of a result may be: a plugin's mistake is to be told where it is made."""


@frozen
class StepContext:
    """What a call knows. Times are seconds since the epoch by the store's clock."""

    workflow_id: str
    """Of an iteration of a loop, its loop: ``<workflow>/<instance>/<run>/<step>``."""
    version: int
    instance_id: int
    run_id: int
    step_id: str
    attempt: int
    """1 for the first try, one more for each retry."""
    execution: int
    """1, and one more each time that the same attempt was taken over by another process."""
    generation: int
    """Generation of the group's owner: (generation, attempt, execution) grows with every execution of the step, so a
    resource outside the store can refuse a late writer by it."""
    started_at: float
    """When this attempt became STARTING."""
    now: float
    params: Mapping[str, Any]
    """The step's own params, plain values."""
    run_params: Mapping[str, Any]
    """The run's params, plain values."""
    artifacts: Mapping[str, Any] = Factory(dict)
    """What earlier calls of this attempt left."""
    result_of: Callable[[str], Any] = field(default=lambda _step_id: None, repr=False)
    """The result of a step that has ended; None if it has none."""
    is_cancelled: Callable[[], bool] = field(default=lambda: False, repr=False)
    """True as soon as the result is not wanted any more: timeout, stop, or the node gave the run up."""

    @property
    def idempotency_key(self) -> str:
        """The same for all attempts and executions of this step in this run, different for any other."""
        return str(FlowId(self.workflow_id, self.instance_id, self.run_id).step(self.step_id))


@frozen
class StepResult:
    """What a call says. ``outputs`` are plain values of Maestro's param types, ``value`` is any storable value."""

    state: Verdict = Verdict.DONE
    outputs: Mapping[str, Any] = Factory(dict)
    value: Any = None
    artifacts: Mapping[str, Any] = Factory(dict)
    """JSON values, merged over those that are there."""
    timeline: Sequence[str] = ()
    """Lines for people; the last 32 are kept."""
    next_poll_s: float | None = None
    """Seconds until the next ``execute``, with CONTINUE; None means the node's setting ``poll_s``."""
    error: StepError | None = None

    def __attrs_post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kinds):
                raise TypeError(f"StepResult.{name} cannot be a {type(value).__name__}: {value!r:.100}")
        if self.next_poll_s is not None and not 0 <= self.next_poll_s < inf:
            raise ValueError(f"StepResult.next_poll_s must be a number of seconds from 0 on, not {self.next_poll_s!r}")

    @classmethod
    def failed(cls, state: Verdict, error: BaseException | str) -> StepResult:
        """An unsuccessful result with what went wrong as text."""
        if isinstance(error, str):
            return cls(state, error=StepError("StepFailed", error))
        return cls(state, error=StepError(type(error).__name__, str(error)))


_GO_ON = StepResult(Verdict.CONTINUE, next_poll_s=0)


class StepType(ABC):
    """Base class of step types; only ``execute`` must be written. Calls run on the executor and may block."""

    contract: ClassVar[int] = CONTRACT

    def start(self, context: StepContext) -> StepResult:  # noqa: ARG002 - the context is for those who override it
        """Begin the work; both CONTINUE and DONE lead to ``execute``."""
        return _GO_ON

    @abstractmethod
    def execute(self, context: StepContext) -> StepResult:
        """Do the work, or look how it is going."""

    def terminate(self, context: StepContext) -> StepResult:  # noqa: ARG002
        """End the work early; called for a timeout or a stop, possibly while another call is still running."""
        return StepResult(Verdict.STOPPED)
