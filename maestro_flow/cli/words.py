"""Events of a log in words."""

from __future__ import annotations

from maestro_flow.model.events import (
    BreakpointSet,
    Event,
    RunEnded,
    RunQueued,
    RunStarted,
    RunStopping,
    RunUnblocked,
    StepEnded,
    StepInterrupted,
    StepLacking,
    StepPaused,
    StepPermitted,
    StepProgressed,
    StepRestarting,
    StepResumed,
    StepRunning,
    StepStarting,
    StepStopping,
    StepWaiting,
)
from maestro_flow.model.requests import RunRequest

__all__ = ["words"]


def words(event: Event) -> str:
    """One event on one line."""
    match event:
        case RunQueued() | RunStarted() | RunStopping() | RunEnded() | RunUnblocked():
            text = _of_run(event)
        case StepEnded():
            text = _ended(event)
        case _:
            text = f"step {event.step} {_of_step(event)}"
    return " ".join(text.split())


def _of_run(event: RunQueued | RunStarted | RunStopping | RunEnded | RunUnblocked) -> str:
    match event:
        case RunQueued():
            return f"run queued{_asked(event.request)}"
        case RunStarted():
            limit = "" if event.timeout_s is None else f", for {event.timeout_s:g} s at most"
            return f"run began{_asked(event.request)}{limit}"
        case RunStopping():
            return f"run to be ended, its steps as {event.status}: {event.reason or 'by a user'}"
        case RunEnded():
            return f"run ended {event.status}{event.reason and f': {event.reason}'}"
        case RunUnblocked():
            return "run unblocked: it keeps no other run from starting"


def _asked(request: RunRequest | None) -> str:
    """What a start has asked for beside params."""
    if request is None:
        return ""
    parts = []
    if request.previous:
        where = f" from step {request.restart_from}" if request.restart_from else ""
        parts.append(f"{request.policy}{where} after {request.previous}")
    parts += [f"skip {step_id}" for step_id in request.skip_steps]
    parts += [f"breakpoint at {step_id}" for step_id in request.breakpoints]
    return f" ({', '.join(parts)})" if parts else ""


def _ended(event: StepEnded) -> str:
    text = f"step {event.step} ended {event.status}, attempt {event.attempt}"
    if event.error is not None:
        text += f": {event.error.type}: {event.error.message}"
    if event.retry_at is not None:
        text += "; another attempt follows"
    if event.branches:
        text += f"; {', '.join(f'{to}: {str(value).lower()}' for to, value in event.branches.items())}"
    return text


def _of_step(
    event: StepPaused
    | StepResumed
    | StepLacking
    | StepWaiting
    | StepPermitted
    | StepStarting
    | StepRunning
    | StepProgressed
    | StepInterrupted
    | StepStopping
    | StepRestarting
    | BreakpointSet,
) -> str:
    match event:
        case StepPaused():
            return f"paused before attempt {event.attempt}"
        case StepResumed():
            return f"resumed, attempt {event.attempt} follows"
        case StepLacking():
            return "waits: its owner has no code for it"
        case StepWaiting():
            tags = ", ".join(f"{tag} (at most {limit})" for tag, limit in event.permits.items())
            return f"waits for permits, attempt {event.attempt}: {tags}"
        case StepPermitted():
            return f"has its permits, attempt {event.attempt}"
        case StepStarting():
            limit = "" if event.timeout_s is None else f", for {event.timeout_s:g} s at most"
            return f"starting, attempt {event.attempt}{limit}"
        case StepRunning():
            return f"running, attempt {event.attempt}, execution {event.execution}"
        case StepProgressed():
            return f"went on, attempt {event.attempt}: {'; '.join(event.timeline) or 'artifacts'}"
        case StepInterrupted():
            why = "handed over" if event.handed_over else f"interrupted, crashes {event.crashes}"
            return f"{why}, attempt {event.attempt} goes on as execution {event.execution}"
        case StepStopping():
            return f"is terminated, attempt {event.attempt} is to end as {event.status}"
        case StepRestarting():
            return f"restarted{' with params ' + ', '.join(event.params) if event.params else ''}"
        case BreakpointSet():
            return "has a breakpoint" if event.on else "has no breakpoint any more"
