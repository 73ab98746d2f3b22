"""The actions that users take on runs and steps, and two tables of when each is allowed (Maestro: Actions.java)."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from maestro_flow.model.params import Param
from maestro_flow.model.status import RunStatus, StepStatus

__all__ = ["RUN_ACTIONS", "STEP_ACTIONS", "Action", "ActionOrder"]


class Action(StrEnum):
    """What a user requests of a run, or of one of its steps. In Maestro, BREAKPOINT is a resource, not an action."""

    STOP = "STOP"
    KILL = "KILL"
    PAUSE = "PAUSE"
    RESUME = "RESUME"
    SKIP = "SKIP"
    RESTART = "RESTART"
    UNBLOCK = "UNBLOCK"
    BYPASS_STEP_DEPENDENCIES = "BYPASS_STEP_DEPENDENCIES"
    BREAKPOINT = "BREAKPOINT"


class ActionOrder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of the message that requests an action; without ``step`` it concerns the run.

    ``params`` go with RESTART of a step; ``on`` sets or clears a BREAKPOINT.
    """

    step: str = ""
    params: dict[str, Param] = {}
    on: bool = True


_A, _R, _S = Action, RunStatus, StepStatus

_NONE: frozenset[Action] = frozenset()
_END = frozenset({_A.STOP, _A.KILL})
_END_OR_SKIP = _END | {_A.SKIP}
_AGAIN = frozenset({_A.RESTART, _A.SKIP})

RUN_ACTIONS: dict[RunStatus, frozenset[Action]] = {
    _R.CREATED: _END,
    _R.IN_PROGRESS: _END,
    _R.SUCCEEDED: frozenset({_A.RESTART}),
    _R.STOPPED: frozenset({_A.RESTART}),
    _R.TIMED_OUT: frozenset({_A.RESTART}),
    _R.FAILED: frozenset({_A.RESTART, _A.UNBLOCK}),
}
"""The actions allowed on a run in each status."""

STEP_ACTIONS: dict[StepStatus, frozenset[Action]] = {
    _S.NOT_CREATED: _NONE,
    _S.CREATED: _END | {_A.PAUSE},
    _S.INITIALIZED: _END_OR_SKIP | {_A.PAUSE},
    _S.PAUSED: _END_OR_SKIP | {_A.RESUME},
    _S.WAITING_FOR_SIGNALS: _END_OR_SKIP | {_A.BYPASS_STEP_DEPENDENCIES},
    _S.EVALUATING_PARAMS: _END_OR_SKIP,
    _S.WAITING_FOR_PERMITS: _END_OR_SKIP,
    _S.STARTING: _END_OR_SKIP,
    _S.RUNNING: _END_OR_SKIP,
    _S.FINISHING: _END_OR_SKIP,
    _S.USER_FAILED: _END_OR_SKIP,
    _S.PLATFORM_FAILED: _END_OR_SKIP,
    _S.TIMEOUT_FAILED: _END_OR_SKIP,
    _S.DISABLED: frozenset({_A.RESTART}),
    _S.UNSATISFIED: frozenset({_A.RESTART}),
    _S.SKIPPED: _AGAIN,
    _S.SUCCEEDED: _AGAIN,
    _S.COMPLETED_WITH_ERROR: _AGAIN,
    _S.FATALLY_FAILED: _AGAIN,
    _S.INTERNALLY_FAILED: _AGAIN,
    _S.STOPPED: _AGAIN,
    _S.TIMED_OUT: _AGAIN,
}
"""The actions allowed on a step in each status. RESTART and SKIP of a step that has ended: a complete step is restarted
only by a new run; one that is not complete may be retried, or skipped, while its run is still active."""
