"""``decide(state, inputs, now, capacity) -> Decision``: all of the engine's judgement. Start reading here.

Pure: no clock, no store, no threads. The flow's actor calls it with everything that came in while its last commit was
under way, writes the events, and only then carries out the effects (law 3). A decision never walks the graph: what is
ready is counted by ``evolve``. One that reaches the size limit of a commit stops there and names what is left
(``rest``), which is decided after that commit, from what is then written (PROTOCOL 9).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from math import inf

from attrs import frozen
from msgspec.structs import replace

from maestro_flow.core.evolve import evolve
from maestro_flow.core.inputs import (
    Act,
    Began,
    Capacity,
    ContinueStep,
    Effect,
    FinishRun,
    HandOver,
    Input,
    Load,
    Report,
    RunStep,
    Start,
    TerminateStep,
    Tick,
)
from maestro_flow.core.retry import after_failure
from maestro_flow.core.state import FlowState, StepState
from maestro_flow.model.commit import Settlement
from maestro_flow.model.events import (
    Event,
    RunEnded,
    RunStarted,
    RunStopping,
    StepEnded,
    StepError,
    StepInterrupted,
    StepProgressed,
    StepRunning,
    StepStarting,
)
from maestro_flow.model.status import RunStatus, StepStatus, Verdict

__all__ = ["Decision", "decide"]


@frozen
class Decision:
    """Events to write, effects to carry out once they are durable, and the state that the events lead to.

    ``state.revision`` is one higher than before exactly when there are events.
    """

    state: FlowState
    at: float
    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    settles: tuple[Settlement, ...] = ()
    rest: tuple[Input, ...] = ()


def decide(state: FlowState, inputs: Sequence[Input], now: float, capacity: Capacity) -> Decision:
    """What follows from the inputs, taken together, at store time ``now``."""
    draft = _Draft(state, max(now, state.at), capacity)
    rest = deque(inputs)
    while rest and not draft.is_full and draft.take(rest[0]):
        rest.popleft()
    draft.advance()
    if draft.is_full and not draft.state.status.is_terminal:
        rest.append(Tick())
    if draft.events:
        draft.state = replace(draft.state, revision=state.revision + 1, at=draft.at)
    return Decision(draft.state, draft.at, tuple(draft.events), tuple(draft.effects), tuple(draft.settles), tuple(rest))


class _Draft:
    """A decision in the making: each event is folded at once, so that the next one is judged by its consequence."""

    def __init__(self, state: FlowState, at: float, capacity: Capacity) -> None:
        self.state, self.at, self.capacity = state, at, capacity
        self.starts, self.suspects, self.crashed = capacity.starts, capacity.suspects, capacity.crashed
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.settles: list[Settlement] = []
        self.bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self.events) >= self.capacity.events_max or self.bytes >= self.capacity.bytes_max

    def emit(self, event: Event) -> None:
        self.state = evolve(self.state, event, self.at)
        self.events.append(event)

    # -- one input ----------------------------------------------------------------------------------------------

    def take(self, given: Input) -> bool:
        """Judge one input; False if the commit was full before all of it was judged: the next one goes on with it."""
        match given:
            case Load():
                return self.load(given)
            case HandOver():
                return self.hand_over()
            case Report():
                self.report(given)
            case Began():
                if self.is_current(given) and self.state.steps[given.step].status is StepStatus.STARTING:
                    self.emit(StepRunning(given.step, given.attempt, given.at, given.execution))
            case Tick():
                pass  # what is due is found in ``advance``
            case Act():
                self.stop(given)
            case Start():
                graph = self.state.graph
                self.emit(
                    RunStarted(
                        graph.definition.id,
                        graph.version,
                        given.instance_id,
                        given.run_id,
                        given.created_at,
                        given.request.params,
                    )
                )
        return True

    def report(self, report: Report) -> None:
        if not self.is_current(report):
            return  # a late result of an execution that was given up: it must not be counted twice (law 5)
        step = self.state.steps[report.step]
        self.bytes += report.size_bytes
        if report.verdict is Verdict.CONTINUE:
            if report.began_at is not None and step.status is StepStatus.STARTING:
                self.emit(StepRunning(report.step, report.attempt, report.began_at, report.execution))
            if report.artifacts or report.timeline:
                self.emit(StepProgressed(report.step, report.attempt, report.artifacts, report.timeline))
            self.effects.append(ContinueStep(report.step, report.attempt))
            return
        status, retry_at = StepStatus.SUCCEEDED, None
        if report.verdict is not Verdict.DONE:
            policy = self.state.graph.steps[report.step].retry_policy
            status, retry_at = after_failure(report.verdict, step, policy, self.at)
            if retry_at is not None and self.state.stopping:
                status, retry_at = StepStatus.STOPPED, None
        self.emit(
            StepEnded(
                report.step,
                report.attempt,
                status,
                began_at=report.began_at,
                result=report.result,
                outputs=report.outputs,
                artifacts=report.artifacts,
                timeline=report.timeline,
                error=report.error,
                retry_at=retry_at,
            )
        )

    def stop(self, stop: Act) -> None:
        if self.state.is_settled:
            # What came in before it has ended the last step: the run is as good as ended, and not by the stop.
            self.settles.append(Settlement(stop.message_id, "conflict: the run has ended"))
            return
        self.settles.append(Settlement(stop.message_id, "accepted"))
        if self.state.stopping:
            return
        self.effects.extend(TerminateStep(step_id, step.attempt) for step_id, step in self.running())
        self.emit(RunStopping(stop.message_id))

    def load(self, load: Load) -> bool:
        """Everything active is without a process: see PROTOCOL 23 and 24 for what counts as a crash."""
        for step_id, step in self.running(inline=False):
            if self.is_full:
                return False
            crashes = step.crashes + (step.status is StepStatus.RUNNING)
            if load.same_owner:
                self.interrupt(step_id, step, handed_over=True)
            elif crashes < self.capacity.crashes_max:
                self.interrupt(step_id, step, crashes=crashes)
            else:
                times = "once" if crashes == 1 else f"{crashes} times"
                problem = f"the process that ran the step died {times} while it was running: given up"
                self.emit(
                    StepEnded(step_id, step.attempt, StepStatus.FATALLY_FAILED, error=StepError("CrashLoop", problem))
                )
        for step_id, step in self.running(inline=True):  # once, when all else is judged: the log says nothing of it
            self.effects.append(RunStep(step_id, step.attempt, step.execution))
            if self.state.stopping:
                self.effects.append(TerminateStep(step_id, step.attempt))
        return True

    def hand_over(self) -> bool:
        for step_id, step in self.running(inline=False):
            if self.is_full:
                return False
            self.interrupt(step_id, step, handed_over=True)
        return True

    def interrupt(
        self, step_id: str, step: StepState, *, crashes: int | None = None, handed_over: bool = False
    ) -> None:
        crashes = step.crashes if crashes is None else crashes
        self.emit(StepInterrupted(step_id, step.attempt, step.execution + 1, crashes, handed_over))

    # -- consequences -------------------------------------------------------------------------------------------

    def advance(self) -> None:
        """Start what can start, end what is over. A loop stops at the size limit; what is left stays in the state."""
        while self.state.unsatisfied and not self.is_full:
            self.emit(StepEnded(self.state.unsatisfied[0], 1, StepStatus.UNSATISFIED))
        if self.state.stopping:
            self.stop_waiting()
        else:
            self.resume_interrupted()
            self.start_retries()
            self.start_ready()
        state = self.state
        if state.is_settled and state.status is RunStatus.IN_PROGRESS and not self.is_full:
            # As in Maestro, the steps make the status of the run: a stop that came too late to prevent any is no end.
            is_cut = bool(state.ready) and state.worst is RunStatus.SUCCEEDED
            status = RunStatus.STOPPED if is_cut else state.worst
            self.emit(RunEnded(status))
            self.effects.append(FinishRun(status))

    def stop_waiting(self) -> None:
        for step_id in (*self.state.interrupted, *self.retries(until=inf)):
            if self.is_full:
                return
            step = self.state.steps[step_id]
            attempt = step.attempt if step.is_active else step.attempt + 1
            self.emit(StepEnded(step_id, attempt, StepStatus.STOPPED))

    def resume_interrupted(self) -> None:
        """A suspect's RUNNING is committed before its code is called, so that whoever kills the process is counted."""
        for step_id in self.state.interrupted:
            if self.is_full:
                return
            step = self.state.steps[step_id]
            if step_id in self.capacity.lacking or not self.has_room_for(step):
                continue
            began_at = self.at if step.began_at is None else step.began_at  # its timeout goes on counting
            self.emit(StepRunning(step_id, step.attempt, began_at, step.execution))
            self.effects.append(RunStep(step_id, step.attempt, step.execution))

    def has_room_for(self, suspect: StepState) -> bool:
        if suspect.crashes:
            self.crashed -= 1
            return self.crashed >= 0
        self.suspects -= 1
        return self.suspects >= 0

    def start_retries(self) -> None:
        for step_id in self.retries(until=self.at):
            if self.is_full:
                return
            self.start(step_id, self.state.steps[step_id].attempt + 1)

    def start_ready(self) -> None:
        ready, inline = self.state.ready, self.capacity.inline
        needs_no_room = bool(inline) and not inline.isdisjoint(ready)
        for step_id in ready:
            if self.is_full or (self.starts <= 0 and not needs_no_room):
                return  # thousands may be ready: nothing is to be found by looking at each of them
            self.start(step_id, 1)

    def start(self, step_id: str, attempt: int) -> None:
        if step_id in self.capacity.lacking:
            return
        if step_id not in self.capacity.inline:
            if self.starts <= 0:
                return
            self.starts -= 1
        self.emit(StepStarting(step_id, attempt))
        self.effects.append(RunStep(step_id, attempt, 1))

    # -- questions ----------------------------------------------------------------------------------------------

    def retries(self, *, until: float) -> list[str]:
        """Steps whose next attempt is due by then, the earliest first: a map has no order of its own."""
        retrying = self.state.retrying
        if not retrying:
            return []
        return [step_id for _, step_id in sorted((at, step_id) for step_id, at in retrying.items() if at <= until)]

    def running(self, *, inline: bool | None = None) -> list[tuple[str, StepState]]:
        """Active steps that somebody runs, or ran when the flow was last owned, in the order of the definition.

        All of them, or those that the engine runs itself, or the others.
        """
        state, interrupted = self.state, frozenset(self.state.interrupted)
        found = ((step_id, state.steps.get(step_id)) for step_id in state.graph.steps)
        return [
            (step_id, step)
            for step_id, step in found
            if step
            and step.is_active
            and step_id not in interrupted
            and inline in (None, step_id in self.capacity.inline)
        ]

    def is_current(self, message: Report | Began) -> bool:
        step = self.state.steps.get(message.step)
        return (
            step is not None
            and step.is_active
            and message.step not in self.state.interrupted
            and (step.attempt, step.execution) == (message.attempt, message.execution)
        )
