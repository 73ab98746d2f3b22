"""The actor of one execution of one attempt: it calls the step's code, again and again, until there is a verdict."""

from __future__ import annotations

from typing import Any

from attrs import evolve as replace
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
from maestro_flow.steps.python import describe

__all__ = ["StepActor"]


class StepActor(BaseActor):
    """See the module. Child of a flow, which it tells ``Began`` and ``Report``; it ends with its verdict."""

    def __init__(
        self, services: Services, flow: ActorRef[Any], attempt: Attempt, share: Share, place: Place | None
    ) -> None:
        super().__init__()
        self.services, self.flow, self.attempt = services, flow, attempt
        self.share, self.place = share, place
        self.is_inline = isinstance(attempt.step_type, InlineStepType)
        self.began_at: float | None = attempt.step.began_at
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
            case Continue():
                self.poll_later()
            case Terminate():
                self.terminate(message.verdict)
            case TimeIsUp():
                self.time_is_up()
            case CodeBegan():
                self.code_began(message.at)
            case StillRunning():
                self.still_running(message.at)
            case Phase():
                self.call(message)
            case Disband():
                self.attempt.cancelled.set()
                self.end()

    def on_defect(self, defect: BaseException) -> None:
        self.report(self.attempt.failure(Verdict.INTERNAL_ERROR, describe(defect)))

    # -- calls --------------------------------------------------------------------------------------------------

    def call(self, phase: Phase) -> None:
        if self.is_inline:
            now = self.services.now()
            self.code_began(now)
            self.returned(self.attempt.call(phase, now))
        else:
            self.ticket = self.services.workers.submit(lambda: self.run(phase))

    def run(self, phase: Phase) -> None:
        """On a worker: the call, and the hand-over of its report, without waking another thread where that can be."""
        services, ref = self.services, self.actor_ref
        began_at = services.now()
        if self.attempt.definition.timeout_s is not None:
            post(ref, CodeBegan(began_at))
        reminder = services.runtime.call_later(services.limits.announce_s, lambda: post(ref, StillRunning(began_at)))
        returned = self.attempt.call(phase, began_at)
        reminder.cancel()
        if self.place is not None:
            self.share.give_back(self.place)
        with services.runtime.caller_runs():
            post(ref, returned)

    def code_began(self, at: float) -> None:
        """The attempt's code really began: from here its timeout counts, also after a takeover (DESIGN 2)."""
        if self.began_at is None:
            self.began_at = at
        timeout_s = self.attempt.definition.timeout_s
        if timeout_s is not None and "timeout" not in self.timers:
            self.remind("timeout", self.began_at + timeout_s - self.services.now(), TimeIsUp())

    def still_running(self, at: float) -> None:
        """Under way for a second: its RUNNING is worth a commit now, and it is no sudden killer of processes."""
        if self.began_at is None:
            self.began_at = at
        attempt = self.attempt
        post(self.flow, Began(attempt.definition.id, attempt.step.attempt, attempt.step.execution, self.began_at))
        if self.place is Place.SUSPECT:
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
        self.code_began(message.began_at)
        report = replace(message.report, began_at=self.began_at)
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
            self.remind("announce", limits.announce_s, StillRunning(self.services.now()))

    def report(self, report: Report) -> None:
        post(self.flow, report)
        self.end()

    def end(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
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
        self.attempt.cancelled.set()
        if self.ticket is not None:
            self.ticket.give_up()
        self.remind("grace", self.services.limits.terminate_grace_s, TimeIsUp())
        self.call(Phase.TERMINATE)

    def finish_termination(self, error: StepError | None) -> None:
        verdict = self.verdict or Verdict.STOPPED
        if error is None and verdict is Verdict.TIMED_OUT:
            error = StepError("TimedOut", f"the attempt was not done after {self.attempt.definition.timeout_s:g} s")
        report = self.attempt.failure(verdict, error or StepError("Stopped", "the run was stopped"))
        self.report(replace(report, began_at=self.began_at))
