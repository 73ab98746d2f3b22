"""The actor of one execution of an attempt: calls the step's code repeatedly until there is a verdict."""

from __future__ import annotations

from typing import Any

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.executions import Execution
from maestro_flow.actors.listening import StepListener
from maestro_flow.actors.messages import (
    Begin,
    CodeBegan,
    Continue,
    Disband,
    MadeProgress,
    Silent,
    StillRunning,
    Terminate,
    TimeIsUp,
)
from maestro_flow.actors.runtime import Timer
from maestro_flow.actors.services import Held, Services
from maestro_flow.actors.slots import HeldSlot
from maestro_flow.core.inputs import Began, Report
from maestro_flow.core.slots import SlotKind
from maestro_flow.model.events import StepError
from maestro_flow.model.status import Verdict
from maestro_flow.steps.calls import StepReturn
from maestro_flow.steps.contract import Phase
from maestro_flow.steps.executors import CallHandle
from maestro_flow.steps.failures import describe

__all__ = ["StepActor"]


class StepActor(BaseActor):
    """See the module. Child of a flow, which it tells ``Began`` and ``Report``; ends after its verdict.

    Its calls go to the executor of its ``slot``; without a slot, the engine makes them itself.
    """

    def __init__(
        self, services: Services, held: Held, flow: ActorRef[Any], execution: Execution, slot: HeldSlot | None
    ) -> None:
        super().__init__()
        self.services, self.held, self.flow, self.execution, self.slot = services, held, flow, execution, slot
        self.next_poll_s: float | None = None
        self.verdict: Verdict | None = None  # set when the attempt is being terminated
        self.has_hung = False
        self.under_way: tuple[CallHandle, StepListener] | None = None
        self.timers: dict[str, Timer] = {}

    def handle(self, message: Any) -> None:
        match message:
            case Begin():
                self.call(Phase.START)
            case StepReturn():
                self.returned(message)
            case Continue() if self.verdict is None:
                self.poll_later()
            case Terminate():
                self.terminate(message.verdict)
            case TimeIsUp():
                self.time_is_up()
            case CodeBegan():
                self.start_timeout()
                self.watch()
            case MadeProgress():
                self.made_progress(is_due=message.is_due)
            case Silent():
                self.watch()
            case StillRunning():
                self.still_running()
            case Phase() if self.verdict is None or message is Phase.TERMINATE:
                self.call(message)
            case Disband():
                self.cancel()
                self.end()

    def on_defect(self, defect: BaseException) -> None:
        self.report(self.execution.failure(Verdict.INTERNAL_ERROR, describe(defect)))

    # -- calls --------------------------------------------------------------------------------------------------

    def call(self, phase: Phase) -> None:
        services, now = self.services, self.services.now()
        if self.slot is None:
            self.returned(services.step_types.perform(self.execution.call_begun(phase, now)))
            return
        call = self.execution.call(phase, now)
        listener = StepListener(services, self.held, self.actor_ref, call)
        self.under_way = services.executors.submit(self.slot.executor, call, listener), listener

    def cancel(self) -> None:
        """Tell the running call, if there is one, that its result is no longer wanted."""
        if self.under_way is not None:
            handle, _ = self.under_way
            handle.cancel()

    def began_at(self) -> float | None:
        """When the attempt's code began, if that is known by now."""
        execution = self.execution
        if execution.began_at is None and self.under_way is not None:
            _, listener = self.under_way
            execution.began_at = listener.began_at
        return execution.began_at

    def start_timeout(self) -> None:
        """Start the timeout, which counts from when the attempt's code actually began, even after a takeover."""
        timeout_s, began_at = self.execution.timeout_s, self.began_at()
        if self.verdict is not None:
            return  # the grace period of its termination counts now
        if timeout_s is not None and began_at is not None and "timeout" not in self.timers:
            self.remind("timeout", began_at + timeout_s - self.services.now(), TimeIsUp())

    def still_running(self) -> None:
        """It has run for a second: RUNNING is worth a commit, and it evidently did not crash the process at once."""
        execution, step, began_at = self.execution, self.execution.step, self.began_at()
        if began_at is not None:
            post(self.flow, Began(execution.definition.id, step.attempt, step.execution, began_at))
        if self.slot is not None and self.slot.kind is SlotKind.SUSPECT:
            self.leave_slot()

    def made_progress(self, *, is_due: bool) -> None:
        """Tell the flow, at most once per ``progress_s``; further progress waits in the listener."""
        if is_due:
            self.timers.pop("progress", None)
        if self.verdict is None and self.under_way is not None and "progress" not in self.timers:
            _, listener = self.under_way
            progress = listener.take_progress()
            if progress is not None:
                post(self.flow, self.execution.progressed(progress, self.began_at()))
                self.remind("progress", self.services.settings.progress_s, MadeProgress(is_due=True))

    def watch(self) -> None:
        """Terminate a call that has been silent for as long as its type allows; otherwise check again later."""
        limit_s = self.execution.step_type.heartbeat_timeout_s
        if limit_s is None or self.verdict is not None or self.under_way is None:
            return
        _, listener = self.under_way
        silent_s = self.services.runtime.clock.monotonic() - (listener.heard_at or 0.0)
        if silent_s >= limit_s:
            self.has_hung = True
            self.terminate(Verdict.TIMED_OUT)
            return
        if "silence" in self.timers:
            self.timers["silence"].cancel()
        self.remind("silence", limit_s - silent_s, Silent())

    def leave_slot(self) -> None:
        if self.slot is not None:
            self.slot.give_back()

    def remind(self, name: str, delay_s: float, message: Any) -> None:
        """Send this actor a message later; one timer per name."""
        ref = self.actor_ref
        self.timers[name] = self.services.runtime.call_later(delay_s, lambda: post(ref, message))

    # -- answers ------------------------------------------------------------------------------------------------

    def returned(self, message: StepReturn) -> None:
        if self.verdict is not None:
            if message.phase is Phase.TERMINATE:
                self.finish_termination(message.error)
            return  # the result of a call that was given up does not count
        report = self.execution.report(message)
        if self.under_way is not None:
            _, listener = self.under_way
            if progress := listener.take_progress():
                report = self.execution.after(progress, report)
        self.under_way = None
        self.leave_slot()
        self.start_timeout()
        if message.verdict is not Verdict.CONTINUE:
            self.report(report)
            return
        self.next_poll_s = message.next_poll_s
        if report.artifacts or report.timeline:
            post(self.flow, report)  # the flow answers Continue when the artifacts are durable
        else:
            self.poll_later()

    def poll_later(self) -> None:
        settings = self.services.settings
        delay_s = settings.poll_s if self.next_poll_s is None else self.next_poll_s
        if delay_s <= 0:
            self.call(Phase.EXECUTE)
            return
        self.remind("poll", delay_s, Phase.EXECUTE)
        if "announce" not in self.timers and delay_s > settings.announce_s:
            self.remind("announce", settings.announce_s, StillRunning())

    def report(self, report: Report) -> None:
        post(self.flow, report)
        self.end()

    def end(self) -> None:
        for timer in self.timers.values():
            timer.cancel()
        self.leave_slot()
        self.actor_stopped.set()

    # -- an early end -------------------------------------------------------------------------------------------

    def time_is_up(self) -> None:
        if self.verdict is None:
            self.terminate(Verdict.TIMED_OUT)
        else:
            self.finish_termination(None)  # the termination hangs, too

    def terminate(self, verdict: Verdict) -> None:
        if self.verdict is not None:
            return
        self.began_at()
        self.verdict = verdict
        self.cancel()
        if "timeout" in self.timers:
            self.timers["timeout"].cancel()
        self.remind("grace", self.services.settings.terminate_grace_s, TimeIsUp())
        self.call(Phase.TERMINATE)

    def finish_termination(self, error: StepError | None) -> None:
        verdict = self.verdict or Verdict.STOPPED
        if error is None and verdict is Verdict.TIMED_OUT:
            execution = self.execution
            problem = (
                f"the code gave no sign of life for {execution.step_type.heartbeat_timeout_s:g} s"
                if self.has_hung
                else f"the attempt was not done after {execution.timeout_s:g} s"
            )
            error = StepError("TimedOut", problem)
        self.report(self.execution.failure(verdict, error or StepError("Stopped", "the attempt was ended early")))
