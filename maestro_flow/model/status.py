"""Statuses of runs and steps, in Maestro's words, and the one table of legal transitions.

The lifecycle of an attempt; in brackets, Maestro's statuses that an attempt passes through without a record (a ready
step is shown as INITIALIZED), and those of features that this version does not have::

    [WAITING_FOR_SIGNALS] [EVALUATING_PARAMS] [FINISHING] [DISABLED]

    NOT_CREATED ──> UNSATISFIED (no condition to it is true)
        │                          ┌── resume ──> INITIALIZED ──┐
        ├── breakpoint, pause ──> PAUSED                        │
        ├── limits ─────────────> WAITING_FOR_PERMITS <─────────┤
        v                          v                            v
     STARTING ──> RUNNING ──> SUCCEEDED
        ^  │        │  ├────> USER_FAILED | PLATFORM_FAILED | TIMEOUT_FAILED ──> the next attempt, from PAUSED on
        │  │        │  └────> FATALLY_FAILED | INTERNALLY_FAILED | TIMED_OUT | STOPPED ── restart ──> CREATED, the same
        │  └────────┴───────> SKIPPED | COMPLETED_WITH_ERROR (a failure that is ignored)
        └── crash or hand-over of the owner: the same attempt again

Whatever has not ended can be stopped, killed and skipped (``model.actions``). The lifecycle of a run::

    CREATED ──> IN_PROGRESS ──> SUCCEEDED | FAILED | STOPPED | TIMED_OUT
       └──────────────────────> FAILED | STOPPED (it never started)

Properties that are read at every step are computed once per status and cached: on Python 3.11, looking up a member by
name (``StepStatus.RUNNING``) takes 0.1 µs.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cached_property

__all__ = ["LIVE_RUN_STATUSES", "STEP_TRANSITIONS", "RunStatus", "StepStatus", "Verdict"]


class RunStatus(StrEnum):
    """Status of a run (Maestro: workflow instance)."""

    CREATED = "CREATED"
    IN_PROGRESS = "IN_PROGRESS"
    SUCCEEDED = "SUCCEEDED"
    STOPPED = "STOPPED"
    TIMED_OUT = "TIMED_OUT"
    FAILED = "FAILED"

    __hash__ = str.__hash__  # the same, but that of Enum is a function in Python

    @cached_property
    def is_terminal(self) -> bool:
        return self is not RunStatus.IN_PROGRESS and self is not RunStatus.CREATED


LIVE_RUN_STATUSES = frozenset(status for status in RunStatus if not status.is_terminal)


class StepStatus(StrEnum):
    """Status of the latest attempt of a step."""

    NOT_CREATED = "NOT_CREATED"
    CREATED = "CREATED"
    INITIALIZED = "INITIALIZED"
    PAUSED = "PAUSED"
    WAITING_FOR_SIGNALS = "WAITING_FOR_SIGNALS"
    EVALUATING_PARAMS = "EVALUATING_PARAMS"
    WAITING_FOR_PERMITS = "WAITING_FOR_PERMITS"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    FINISHING = "FINISHING"
    DISABLED = "DISABLED"
    UNSATISFIED = "UNSATISFIED"
    SKIPPED = "SKIPPED"
    SUCCEEDED = "SUCCEEDED"
    COMPLETED_WITH_ERROR = "COMPLETED_WITH_ERROR"
    USER_FAILED = "USER_FAILED"
    PLATFORM_FAILED = "PLATFORM_FAILED"
    TIMEOUT_FAILED = "TIMEOUT_FAILED"
    FATALLY_FAILED = "FATALLY_FAILED"
    INTERNALLY_FAILED = "INTERNALLY_FAILED"
    STOPPED = "STOPPED"
    TIMED_OUT = "TIMED_OUT"

    __hash__ = str.__hash__

    @cached_property
    def is_terminal(self) -> bool:
        """The attempt has ended."""
        return self in _TERMINAL

    @cached_property
    def is_active(self) -> bool:
        """An attempt is active: its code is about to run, running, or waiting to run again after an interruption."""
        return self is StepStatus.STARTING or self is StepStatus.RUNNING

    @cached_property
    def is_pending(self) -> bool:
        """An attempt has its number but has not started."""
        return self in _PENDING

    @cached_property
    def is_complete(self) -> bool:
        """The step has ended in a way that lets its successors start."""
        return self in _COMPLETE

    @cached_property
    def run_status(self) -> RunStatus:
        """The status of the run, if this is the worst way in which one of its steps ended."""
        return _RUN_STATUS.get(self, RunStatus.SUCCEEDED)


_S = StepStatus
_COMPLETE = frozenset({_S.DISABLED, _S.UNSATISFIED, _S.SKIPPED, _S.SUCCEEDED, _S.COMPLETED_WITH_ERROR})
_PENDING = frozenset({_S.CREATED, _S.INITIALIZED, _S.PAUSED, _S.WAITING_FOR_PERMITS})
_RETRYABLE = frozenset({_S.USER_FAILED, _S.PLATFORM_FAILED, _S.TIMEOUT_FAILED})
_FAILED = frozenset({_S.FATALLY_FAILED, _S.INTERNALLY_FAILED})
_TERMINAL = _COMPLETE | _RETRYABLE | _FAILED | {_S.STOPPED, _S.TIMED_OUT}
_RUN_STATUS = {
    _S.FATALLY_FAILED: RunStatus.FAILED,
    _S.INTERNALLY_FAILED: RunStatus.FAILED,
    _S.TIMED_OUT: RunStatus.TIMED_OUT,
    _S.STOPPED: RunStatus.STOPPED,
}

_CUT = frozenset({_S.SKIPPED, _S.STOPPED, _S.TIMED_OUT, _S.COMPLETED_WITH_ERROR}) | _FAILED
"""Ends that are possible without the step's code having run: an action, a limit, params that have no value."""
_ENDS = _CUT | _RETRYABLE | {_S.SUCCEEDED}
_BEGINS = frozenset({_S.PAUSED, _S.WAITING_FOR_PERMITS, _S.STARTING}) | _CUT
"""The statuses that an attempt may start with."""

STEP_TRANSITIONS: dict[StepStatus, frozenset[StepStatus]] = {
    _S.NOT_CREATED: _BEGINS | {_S.UNSATISFIED},
    _S.CREATED: _BEGINS,
    _S.PAUSED: _CUT | {_S.INITIALIZED},
    _S.INITIALIZED: _BEGINS,
    _S.WAITING_FOR_PERMITS: _CUT | {_S.STARTING},
    _S.STARTING: _ENDS | {_S.RUNNING, _S.STARTING},
    _S.RUNNING: _ENDS | {_S.STARTING},
    _S.USER_FAILED: _BEGINS,
    _S.PLATFORM_FAILED: _BEGINS,
    _S.TIMEOUT_FAILED: _BEGINS,
    _S.FATALLY_FAILED: frozenset({_S.CREATED, _S.SKIPPED, _S.INTERNALLY_FAILED}),
    _S.INTERNALLY_FAILED: frozenset({_S.CREATED, _S.SKIPPED, _S.INTERNALLY_FAILED}),
    _S.STOPPED: frozenset({_S.CREATED, _S.SKIPPED, _S.INTERNALLY_FAILED}),
    _S.TIMED_OUT: frozenset({_S.CREATED, _S.SKIPPED, _S.INTERNALLY_FAILED}),
}
"""From each status to those that may follow it; a status that is not a key is final (law 5: states never go back)."""


class Verdict(StrEnum):
    """What a call of a step's code reports about its attempt (Maestro: StepRuntime.State).

    INTERNAL_ERROR is set by the engine only: the step type itself raised, which is a bug and is never retried.
    """

    CONTINUE = "CONTINUE"
    DONE = "DONE"
    USER_ERROR = "USER_ERROR"
    PLATFORM_ERROR = "PLATFORM_ERROR"
    FATAL_ERROR = "FATAL_ERROR"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    STOPPED = "STOPPED"
    TIMED_OUT = "TIMED_OUT"
