"""The contract of a step type: one class, found through the entry-point group ``maestro_flow.step_types``.

It follows Maestro's step runtime (StepRuntime.java): ``start``, then ``execute`` until it is done, or ``terminate``.
Each call gets a context and returns a result; only what is in the result survives::

    start ──CONTINUE, DONE──> execute ──DONE──> SUCCEEDED
                              │  ^  │
                              CONTINUE, after ``next_poll_s``
    any call: USER_ERROR, PLATFORM_ERROR (retried while the budget lasts) | FATAL_ERROR | TIMED_OUT | STOPPED
    a timeout, or a stop of the run: terminate ──> TIMED_OUT, STOPPED

An implementation is stateless and idempotent: one instance serves all steps, on many threads, and any call may be
repeated after a crash. What it needs to find its external work again belongs in ``artifacts``, which are durable
before the next call.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from enum import Enum
from math import inf
from types import NoneType
from typing import Any, ClassVar

from attrs import Factory, frozen

from maestro_flow.model.definition import DEFAULT_EXECUTOR
from maestro_flow.model.events import StepError
from maestro_flow.model.status import Verdict
from maestro_flow.steps.context import StepContext
from maestro_flow.steps.declared import ParamSpec

__all__ = ["CONTRACT", "CONTRACTS", "Phase", "StepResult", "StepType"]

CONTRACT = 2
"""Version of this contract. A step type names the version it was written for (``StepType.contract``)."""
CONTRACTS = (1, CONTRACT)
"""Versions that still load. Version 1 had no ``open``, ``close``, ``params``, ``heartbeat_timeout_s`` or ``executor``,
and ``context.result_of`` knew all results."""


class Phase(Enum):
    """Which method of the step type is called."""

    START = "start"
    EXECUTE = "execute"
    TERMINATE = "terminate"


_KINDS: dict[str, Any] = {
    "state": Verdict,
    "outputs": Mapping,
    "artifacts": Mapping,
    "timeline": (list, tuple),
    "next_poll_s": (int, float, NoneType),
    "error": (StepError, NoneType),
}
"""Types of a result's fields, checked so that a plugin's mistake is reported where it is made."""


@frozen
class StepResult:
    """The result of a call. ``outputs`` are plain values of Maestro's param types, ``value`` is any storable value."""

    state: Verdict = Verdict.DONE
    outputs: Mapping[str, Any] = Factory(dict)
    value: Any = None
    artifacts: Mapping[str, Any] = Factory(dict)
    """JSON values, merged over the existing ones."""
    timeline: Sequence[str] = ()
    """Lines for users; the last 32 are kept."""
    next_poll_s: float | None = None
    """Seconds until the next ``execute``, with CONTINUE; None means the node's setting ``poll_s``."""
    error: StepError | None = None

    def __attrs_post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kinds):
                raise TypeError(f"StepResult.{name} cannot be a {type(value).__name__}: {value!r:.100}")
        if self.next_poll_s is not None and not 0 <= self.next_poll_s < inf:
            raise ValueError(f"StepResult.next_poll_s must be a number of seconds, 0 or more, not {self.next_poll_s!r}")

    @classmethod
    def failed(cls, state: Verdict, error: BaseException | str) -> StepResult:
        """An unsuccessful result, with the error as text."""
        if isinstance(error, str):
            return cls(state, error=StepError("StepFailed", error))
        return cls(state, error=StepError(type(error).__name__, str(error)))


_GO_ON = StepResult(Verdict.CONTINUE, next_poll_s=0)


class StepType(ABC):
    """Base class of step types; only ``execute`` must be implemented. Calls run on the executor and may block.

    One instance serves a node. The attributes below ``contract`` need ``contract = 2``.
    """

    contract: ClassVar[int] = 1
    """The version of the contract for which the type was written."""
    params: Sequence[ParamSpec] = ()
    """The params that it declares. They are checked before each call and, if literal, when a definition is pushed; a
    step whose params do not fit ends FATALLY_FAILED, with the name and the value."""
    executor: str = DEFAULT_EXECUTOR
    """Name of the executor that runs its calls."""
    takes_results: bool | tuple[str, ...] = False
    """Which results of ended steps ``context.result_of`` knows: all, none, or those of these steps."""
    heartbeat_timeout_s: float | None = None
    """A call that does not return and reports neither ``progress`` nor ``heartbeat`` for this long is TIMED_OUT."""

    def open(self, settings: Mapping[str, Any]) -> None:  # noqa: B027 - most types have nothing to open
        """Prepare for calls on this node, with the settings of ``[step_types.NAME]``; may block.

        Called once, before the first call: when a workflow that needs the type is pushed, or its first run is found.
        If it raises, steps of the type wait here; it is called again after a minute.
        """

    def close(self) -> None:  # noqa: B027
        """Undo ``open``: the node is closing. Hung calls may still be running."""

    def start(self, context: StepContext) -> StepResult:  # noqa: ARG002 - the context is for overrides
        """Begin the work; both CONTINUE and DONE lead to ``execute``."""
        return _GO_ON

    @abstractmethod
    def execute(self, context: StepContext) -> StepResult:
        """Do the work, or check on its progress."""

    def terminate(self, context: StepContext) -> StepResult:  # noqa: ARG002
        """End the work early: after a timeout or a stop, possibly while another call is still running."""
        return StepResult(Verdict.STOPPED)
