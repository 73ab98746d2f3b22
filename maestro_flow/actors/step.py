"""The actor of one execution of one attempt: it calls the step's code, again and again, until there is a verdict."""

from __future__ import annotations

from typing import Any

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.calls import Attempt, Phase
from maestro_flow.actors.messages import (
    Begin,
    CodeBegan,
    Continue,
    Disband,
    Returned,
    StillRunning,
    Terminate,
    TimeIsUp,
)
from maestro_flow.actors.room import Place, Share
from maestro_flow.actors.runtime import Ticket, Timer
from maestro_flow.actors.services import Services
from maestro_flow.core.inputs import Began, Report
from maestro_flow.model.events import StepError
from maestro_flow.model.status import Verdict
from maestro_flow.steps.builtin import InlineStepType
from maestro_flow.steps.failures import describe

__all__ = ["StepActor"]


_ASK_AGAIN_S = 0.1
"""After this, code that was due past the deadline of its group's lease is looked at again, if the group is not lost."""


class StepActor(BaseActor):
    """See the module. Child of a flow, which it tells ``Began`` and ``Report``; it ends with its verdict."""

    def __init__(
        self, services: Services, flow: ActorRef[Any], attempt: Attempt, share: Share, place: Place | None
    ) -> None:
        super().__init__()
        self.services, self.flow, self.attempt = services, flow, attempt
        self.share, self.place = share, place
        self.is_inline = isinstance(attempt.step_type, InlineStepType)
        self.next_poll_s: float | None = None
        self.verdict: Verdict | None = None  # set when the attempt is being terminated
        self.ticket: Ticket | None = None
        self.timers: dict[str, Timer] = {}

    def handle(self, message: Any) -> None:
        match message:
            case Begin():
                self.call(Phase.START)
            case Returned():
                self.returned(message)
            case Continue() if self.verdict is None:
                self.poll_later()
            case Terminate():
                self.terminate(message.verdict)
            case TimeIsUp():
                self.time_is_up()
            case CodeBegan():
                self.start_timeout()
            case StillRunning():
                self.still_running()
            case Phase() if self.verdict is None:
                self.call(message)
            case Disband():
                self.attempt.is_cancelled = True
                if self.ticket is not None:
                    self.ticket.give_up()
                self.end()

    def on_defect(self, defect: BaseException) -> None:
        self.report(self.attempt.failure(Verdict.INTERNAL_ERROR, describe(defect)))

    # -- calls --------------------------------------------------------------------------------------------------

    def call(self, phase: Phase) -> None:
        if self.is_inline:
            self.returned(self.attempt.call(phase, self.services.now()))
        else:
            self.ticket = self.services.workers.submit(lambda: self.run(phase))

    def run(self, phase: Phase) -> None:
        """On a worker: the call, and the hand-over of its report, without waking another thread where that can be."""
        services, ref, attempt = self.services, self.actor_ref, self.attempt
        if services.runtime.clock.monotonic() >= attempt.held.deadline:
            # This process was frozen, or the store is away: another owner may be at work. The next scan knows.
            services.runtime.call_later(_ASK_AGAIN_S, lambda: post(ref, phase))
            return
        now = services.now()
        if attempt.began_at is None:
            attempt.began_at = now
        if attempt.timeout_s is not None:
            post(ref, CodeBegan())
        reminder = services.runtime.call_later(services.limits.announce_s, lambda: post(ref, StillRunning()))
        returned = attempt.call(phase, now)
        reminder.cancel()
        with services.runtime.caller_runs():
            post(ref, returned)

    def start_timeout(self) -> None:
        """The timeout counts from when the attempt's code actually started, also after a takeover."""
        timeout_s, began_at = self.attempt.timeout_s, self.attempt.began_at
        if self.verdict is not None:
            return  # from here the grace for its termination counts
        if timeout_s is not None and began_at is not None and "timeout" not in self.timers:
            self.remind("timeout", began_at + timeout_s - self.services.now(), TimeIsUp())

    def still_running(self) -> None:
        """Under way for a second: its RUNNING is worth a commit now, and it is no sudden killer of processes."""
        attempt, step = self.attempt, self.attempt.step
        if attempt.began_at is not None:
            post(self.flow, Began(attempt.definition.id, step.attempt, step.execution, attempt.began_at))
        if self.place is Place.SUSPECT:
            self.leave_place()

    def leave_place(self) -> None:
        if self.place is not None:
            self.share.give_back(self.place)
            self.place = None

    def remind(self, name: str, delay_s: float, message: Any) -> None:
        """Send oneself a message later; one timer a name."""
        ref = self.actor_ref
        self.timers[name] = self.services.runtime.call_later(delay_s, lambda: post(ref, message))

    # -- answers ------------------------------------------------------------------------------------------------

    def returned(self, message: Returned) -> None:
        if self.verdict is not None:
            if message.phase is Phase.TERMINATE:
                self.finish_termination(message.report.error)
            return  # what a call says after it was given up does not count
        self.ticket = None
        self.leave_place()
        self.start_timeout()
        report = message.report
        if report.verdict is not Verdict.CONTINUE:
            self.report(report)
            return
        self.next_poll_s = message.next_poll_s
        if report.artifacts or report.timeline:
            post(self.flow, report)  # it answers Continue when the artifacts are durable
        else:
            self.poll_later()

    def poll_later(self) -> None:
        limits = self.services.limits
        delay_s = limits.poll_s if self.next_poll_s is None else self.next_poll_s
        if delay_s <= 0:
            self.call(Phase.EXECUTE)
            return
        self.remind("poll", delay_s, Phase.EXECUTE)
        if "announce" not in self.timers and delay_s > limits.announce_s:
            self.remind("announce", limits.announce_s, StillRunning())

    def report(self, report: Report) -> None:
        post(self.flow, report)
        self.end()

    def end(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        self.leave_place()
        self.actor_stopped.set()

    # -- an early end -------------------------------------------------------------------------------------------

    def time_is_up(self) -> None:
        if self.verdict is None:
            self.terminate(Verdict.TIMED_OUT)
        else:
            self.finish_termination(None)  # the termination itself hangs

    def terminate(self, verdict: Verdict) -> None:
        if self.verdict is not None:
            return
        self.verdict = verdict
        self.attempt.is_cancelled = True
        if self.ticket is not None:
            self.ticket.give_up()
        if "timeout" in self.timers:
            self.timers["timeout"].cancel()
        self.remind("grace", self.services.limits.terminate_grace_s, TimeIsUp())
        self.call(Phase.TERMINATE)

    def finish_termination(self, error: StepError | None) -> None:
        verdict = self.verdict or Verdict.STOPPED
        if error is None and verdict is Verdict.TIMED_OUT:
            error = StepError("TimedOut", f"the attempt was not done after {self.attempt.timeout_s:g} s")
        self.report(self.attempt.failure(verdict, error or StepError("Stopped", "the attempt was ended early")))
