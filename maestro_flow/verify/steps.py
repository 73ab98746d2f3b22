"""The lives of attempts, replayed by the published table alone (I3 to I7, I17, I18, I22 to I24).

Nothing here is shared with ``decide`` and ``evolve``, which it checks, except the statuses and their table. Each event
is compared with the events before it; the first impossible one ends the replay of the flow, because all later
violations would only be its consequences.
"""

from __future__ import annotations

from attrs import define

from maestro_flow.core.holds import Interrupted, Paused, Permits, Ready, Retry
from maestro_flow.model.definition import RetryPolicy
from maestro_flow.model.events import (
    StepEnded,
    StepInterrupted,
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
from maestro_flow.model.status import STEP_TRANSITIONS, StepStatus
from maestro_flow.verify.history import Violated
from maestro_flow.verify.needs import Needs

__all__ = ["RETRYABLE", "Attempt", "Steps"]

RETRYABLE = frozenset({StepStatus.USER_FAILED, StepStatus.PLATFORM_FAILED, StepStatus.TIMEOUT_FAILED})
"""Ends of attempts after which another attempt follows automatically."""

_NEEDS_CODE = RETRYABLE | {StepStatus.SUCCEEDED}
"""Ends that only the step's code can cause."""


@define
class Attempt:
    """The latest attempt of a step."""

    status: StepStatus
    attempt: int
    execution: int = 1
    crashes: int = 0
    is_suspect: bool = False
    """Interrupted, and not run again yet."""
    is_permitted: bool = False
    ending: StepStatus | None = None
    retry_at: float | None = None
    branches: dict[str, bool] | None = None
    user_failed: int = 0
    platform_failed: int = 0
    timeout_failed: int = 0

    @property
    def waits_for(self) -> type | None:
        """The kind of hold that the step has (``core.holds``); None if it runs or has ended permanently."""
        match self.status:
            case StepStatus.STARTING | StepStatus.RUNNING:
                return Interrupted if self.is_suspect else None
            case StepStatus.PAUSED:
                return Paused
            case StepStatus.WAITING_FOR_PERMITS:
                return Ready if self.is_permitted else Permits
            case StepStatus.CREATED | StepStatus.INITIALIZED:
                return Ready
            case _:
                return None if self.retry_at is None else Retry

    def next(self) -> Attempt:
        """The next attempt, with the budgets that all attempts share."""
        budgets = (self.user_failed, self.platform_failed, self.timeout_failed)
        after = Attempt(self.status, self.attempt + 1)
        after.user_failed, after.platform_failed, after.timeout_failed = budgets
        return after


class Steps:
    """The steps of one run. ``ending`` is the status in which its steps end, if it is being ended."""

    def __init__(self, needs: Needs) -> None:
        self.needs = needs
        self.graph = needs.graph
        self.known: dict[str, Attempt] = {}
        self.active = 0
        self.begun = 0
        self.ending: StepStatus | None = None
        self.limit = self.graph.definition.instance_step_concurrency

    def take(self, event: object, at: float) -> None:
        """One event of a step, recorded at time ``at``."""
        match event:
            case StepStarting():
                self.starting(event, at)
            case StepEnded():
                self.ended(event, at)
            case StepRunning():
                self.running(event)
            case StepProgressed():
                self.under_way(event.step, event.attempt)
            case StepInterrupted():
                self.interrupted(event)
            case StepStopping():
                self.stopping(event)
            case StepPaused():
                self.none_after_stop(event.step, "is paused")
                self.waits(event.step, event.attempt, StepStatus.PAUSED, at)
            case StepWaiting():
                self.waiting(event, at)
            case StepResumed():
                self.none_after_stop(event.step, "is resumed")
                self.of_pending(event.step, event.attempt, StepStatus.PAUSED).status = StepStatus.INITIALIZED
            case StepPermitted():
                self.permitted(event)
            case StepRestarting():
                self.restarting(event.step)

    # -- before an attempt --------------------------------------------------------------------------------------

    def starting(self, event: StepStarting, at: float) -> None:
        self.none_after_stop(event.step, f"begins attempt {event.attempt}")
        attempt = self.to_begin(event.step, event.attempt, StepStatus.STARTING, at)
        if event.step in self.graph.permits and not attempt.is_permitted:
            raise Violated("I18", f"attempt {event.attempt} begins without the permits that it needs", event.step)
        if self.limit is not None and self.active >= self.limit:
            problem = f"attempt {event.attempt} begins while {self.active} steps are under way, of at most {self.limit}"
            raise Violated("I18", problem, event.step)
        attempt.status = StepStatus.STARTING
        attempt.retry_at = None
        self.active += 1
        self.begun += 1

    def waits(self, step: str, number: int, status: StepStatus, at: float) -> Attempt:
        attempt = self.to_begin(step, number, status, at)
        attempt.status = status
        attempt.is_permitted = False
        attempt.retry_at = None
        return attempt

    def waiting(self, event: StepWaiting, at: float) -> None:
        self.none_after_stop(event.step, "asks for permits")
        if event.permits != self.graph.permits.get(event.step):
            raise Violated("I18", f"it asks for the permits {event.permits}, not for those of its version", event.step)
        self.waits(event.step, event.attempt, StepStatus.WAITING_FOR_PERMITS, at)

    def permitted(self, event: StepPermitted) -> None:
        attempt = self.of_pending(event.step, event.attempt, StepStatus.WAITING_FOR_PERMITS)
        if attempt.is_permitted:
            raise Violated("I13", "its permits are granted a second time", event.step)
        attempt.is_permitted = True

    def restarting(self, step: str) -> None:
        self.none_after_stop(step, "is restarted")
        attempt = self.of_this_run(step)
        if attempt is None or not attempt.status.is_terminal or attempt.retry_at is not None:
            was = "has not begun" if attempt is None else f"is {attempt.status}"
            raise Violated("I5", f"it is restarted while it {was}", step)
        self.check_edge(step, attempt, StepStatus.CREATED)
        after = attempt.next()
        after.status = StepStatus.CREATED
        self.known[step] = after

    def to_begin(self, step: str, number: int, status: StepStatus, at: float) -> Attempt:
        """The attempt that begins, or ends before it has begun, with this event."""
        before = self.of_this_run(step)
        if before is None:
            self.needs.check(step, self.known, status)
            if number != 1:
                raise Violated("I6", f"its first attempt is number {number}", step)
            before = Attempt(StepStatus.NOT_CREATED, 1)
            self.check_edge(step, before, status)
            self.known[step] = before
            return before
        if before.status.is_pending:
            self.check_number(step, number, before.attempt)
            self.check_edge(step, before, status)
            return before
        if before.status.is_active:
            if number > before.attempt:
                problem = f"attempt {number} begins while attempt {before.attempt} is {before.status}"
                raise Violated("I6", problem, step)
            self.check_number(step, number, before.attempt)
            raise Violated("I5", f"attempt {number} cannot go from {before.status} to {status}", step)
        return self.to_follow(step, number, status, at, before)

    def to_follow(self, step: str, number: int, status: StepStatus, at: float, before: Attempt) -> Attempt:
        """The attempt after one that has ended."""
        if number <= before.attempt:
            problem = f"attempt {number} becomes {status} after attempt {before.attempt} has ended as {before.status}"
            raise Violated("I4", problem, step)
        if before.status.is_complete:
            problem = f"attempt {number} follows, though the step is complete: {before.status}"
            raise Violated("I7", problem, step)
        if number > before.attempt + 1:
            raise Violated("I6", f"attempt {number} follows attempt {before.attempt}", step)
        if before.retry_at is None and status in (
            StepStatus.STARTING,
            StepStatus.PAUSED,
            StepStatus.WAITING_FOR_PERMITS,
        ):
            raise Violated("I6", f"attempt {number} follows one that has ended permanently: {before.status}", step)
        if before.retry_at is not None and at < before.retry_at and not status.is_terminal:
            problem = f"attempt {number} begins {before.retry_at - at:.3f} s before it is due"
            raise Violated("I24", problem, step)
        self.check_edge(step, before, status)
        after = before.next()
        self.known[step] = after
        return after

    # -- an attempt ---------------------------------------------------------------------------------------------

    def running(self, event: StepRunning) -> None:
        attempt = self.under_way(event.step, event.attempt)
        self.check_edge(event.step, attempt, StepStatus.RUNNING)
        if event.execution != attempt.execution:
            problem = f"attempt {event.attempt} runs as execution {event.execution}, not {attempt.execution}"
            raise Violated("I23", problem, event.step)
        attempt.status, attempt.is_suspect = StepStatus.RUNNING, False

    def interrupted(self, event: StepInterrupted) -> None:
        attempt = self.under_way(event.step, event.attempt)
        if event.execution != attempt.execution + 1:
            problem = f"execution {event.execution} of attempt {event.attempt} follows execution {attempt.execution}"
            raise Violated("I23", problem, event.step)
        has_crashed = attempt.status is StepStatus.RUNNING and not event.handed_over
        if event.crashes != attempt.crashes + has_crashed:
            how = "was handed over" if event.handed_over else f"was {attempt.status} when its owner died"
            problem = f"attempt {event.attempt} {how}, and counts {event.crashes} crashes after {attempt.crashes}"
            raise Violated("I22", problem, event.step)
        attempt.status, attempt.is_suspect = StepStatus.STARTING, True
        attempt.execution, attempt.crashes = event.execution, event.crashes

    def stopping(self, event: StepStopping) -> None:
        attempt = self.under_way(event.step, event.attempt)
        ending = attempt.ending or self.ending
        if ending is not None:
            problem = f"attempt {event.attempt} is told to end as {event.status}, and is being ended as {ending}"
            raise Violated("I17", problem, event.step)
        attempt.ending = event.status

    def ended(self, event: StepEnded, at: float) -> None:
        step, status = event.step, event.status
        attempt = self.of_this_run(step)
        if attempt is not None and attempt.status.is_terminal and attempt.attempt == event.attempt:
            problem = f"attempt {event.attempt} ends as {status}, and had ended as {attempt.status}"
            raise Violated("I3", problem, step)
        if attempt is not None and attempt.status.is_active and attempt.attempt == event.attempt:
            self.check_edge(step, attempt, status)
            self.check_end(event, attempt)
            self.active -= 1
        else:
            attempt = self.to_begin(step, event.attempt, status, at)
            if self.ending is not None and status not in (self.ending, StepStatus.UNSATISFIED):
                raise Violated("I17", f"attempt {event.attempt} ends as {status}, not as {self.ending}", step)
        self.check_retry(event, attempt)
        if status.is_complete and status is not StepStatus.UNSATISFIED:
            self.needs.check_branches(step, event.branches)
        attempt.status, attempt.retry_at, attempt.branches = status, event.retry_at, event.branches
        attempt.ending, attempt.is_suspect = None, False

    def check_end(self, event: StepEnded, attempt: Attempt) -> None:
        """The end of an attempt that was under way."""
        wanted = attempt.ending or self.ending
        if wanted is not None and event.status in RETRYABLE:
            raise Violated("I17", f"attempt {event.attempt} is to be retried after it was told to end", event.step)
        if attempt.is_suspect and event.status in _NEEDS_CODE:
            problem = f"execution {attempt.execution} of attempt {event.attempt} ends as {event.status} before it ran"
            raise Violated("I5", problem, event.step)

    def check_retry(self, event: StepEnded, attempt: Attempt) -> None:
        """Check that an attempt to be retried has a time for it, and its budget is not used up."""
        is_retried = event.status in RETRYABLE
        if is_retried is (event.retry_at is None):
            what = "without a time for its retry" if is_retried else "permanently, and has a time for its retry"
            raise Violated("I6", f"attempt {event.attempt} ends as {event.status} {what}", event.step)
        policy: RetryPolicy = self.graph.steps[event.step].retry_policy
        match event.status:
            case StepStatus.USER_FAILED:
                attempt.user_failed += 1
                used, limit = attempt.user_failed, policy.error_retry_limit
            case StepStatus.PLATFORM_FAILED:
                attempt.platform_failed += 1
                used, limit = attempt.platform_failed, policy.platform_retry_limit
            case StepStatus.TIMEOUT_FAILED:
                attempt.timeout_failed += 1
                used, limit = attempt.timeout_failed, policy.timeout_retry_limit
            case _:
                return
        if isinstance(limit, int) and used > limit:
            raise Violated("I6", f"retry {used} after {event.status}, of at most {limit}", event.step)

    # -- checks -------------------------------------------------------------------------------------------------

    def check_exists(self, step: str) -> None:
        """Check that there is such a step, whether it is part of this run or stands from an earlier one."""
        if step not in self.graph.steps:
            raise Violated("I5", f"version {self.graph.version} has no such step", step)

    def of_this_run(self, step: str) -> Attempt | None:
        """The latest attempt, or None before the first one."""
        self.check_exists(step)
        if step in self.needs.carried:
            raise Violated("I7", "it stands from an earlier run of the instance, and is not part of this one", step)
        return self.known.get(step)

    def under_way(self, step: str, number: int) -> Attempt:
        """The attempt, after checking that it is under way."""
        attempt = self.of_this_run(step)
        if attempt is None or (number > attempt.attempt):
            raise Violated("I5", f"attempt {number} continues before it began", step)
        self.check_number(step, number, attempt.attempt)
        if attempt.status.is_terminal:
            raise Violated("I4", f"attempt {number} continues after it has ended as {attempt.status}", step)
        if not attempt.status.is_active:
            raise Violated("I5", f"attempt {number} continues before it began: it is {attempt.status}", step)
        return attempt

    def of_pending(self, step: str, number: int, status: StepStatus) -> Attempt:
        """The attempt, after checking that it waits in this status."""
        attempt = self.of_this_run(step)
        if attempt is None:
            raise Violated("I5", f"attempt {number} was never {status}", step)
        self.check_number(step, number, attempt.attempt)
        if attempt.status.is_terminal:
            raise Violated("I4", f"attempt {number} continues after it has ended as {attempt.status}", step)
        if attempt.status is not status:
            raise Violated("I5", f"attempt {number} is {attempt.status}, not {status}", step)
        return attempt

    def none_after_stop(self, step: str, what: str) -> None:
        if self.ending is not None:
            raise Violated("I17", f"it {what} after the run was told to end as {self.ending}", step)

    def check_number(self, step: str, number: int, latest: int) -> None:
        if number < latest:
            raise Violated("I4", f"an event of attempt {number} comes after attempt {latest} began", step)
        if number > latest:
            raise Violated("I6", f"attempt {number} comes before attempt {latest} has ended", step)

    def check_edge(self, step: str, attempt: Attempt, status: StepStatus) -> None:
        if status not in STEP_TRANSITIONS.get(attempt.status, ()):
            raise Violated("I5", f"attempt {attempt.attempt} cannot go from {attempt.status} to {status}", step)
