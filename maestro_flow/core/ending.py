"""Ending a run early: nothing new starts, what runs is terminated, what waits ends at once."""

from __future__ import annotations

from maestro_flow.core.draft import Draft
from maestro_flow.model.events import RunStopping
from maestro_flow.model.status import StepStatus

__all__ = ["end_early"]


def end_early(draft: Draft, status: StepStatus, reason: str, message_id: str = "") -> None:
    """From now on everything unfinished ends in this status; what waits is ended by ``advance``."""
    if draft.state.ending is None:  # otherwise all of them are told already
        for step_id, step in draft.running():
            draft.terminate(step_id, step)
    draft.emit(RunStopping(message_id, status, reason))
