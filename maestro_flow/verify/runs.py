"""The life of one run, replayed: its beginning, its end, and its status by its steps (I5, I9, I10, I17, I24)."""

from __future__ import annotations

from collections.abc import Mapping

from maestro_flow.core.evolve import evolve
from maestro_flow.core.graph import Graph
from maestro_flow.core.holds import Ready, Unsatisfied
from maestro_flow.core.state import SEVERITY, FlowState
from maestro_flow.core.steps import Steps as FoldedSteps
from maestro_flow.model.events import (
    BreakpointSet,
    Event,
    RunEnded,
    RunQueued,
    RunStarted,
    RunStopping,
    RunUnblocked,
    StepEvent,
    StepUnsupported,
)
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.log import LogRecord
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.verify.history import Violated
from maestro_flow.verify.needs import Needs
from maestro_flow.verify.steps import Attempt, Steps

__all__ = ["RunReplay"]

_ENDED_EARLY = {
    StepStatus.STOPPED: RunStatus.STOPPED,
    StepStatus.FATALLY_FAILED: RunStatus.FAILED,
    StepStatus.TIMED_OUT: RunStatus.TIMED_OUT,
}


class RunReplay:
    """One run, fed with its events; ``previous`` is the replay of the run that a restart follows."""

    def __init__(
        self, record: LogRecord, begin: RunQueued | RunStarted, graph: Graph, previous: RunReplay | None
    ) -> None:
        self.flow_id, self.graph, self.previous_id = record.flow_id, graph, ""
        self.workflow_id = begin.workflow_id
        self.at = record.at
        self.status = RunStatus.CREATED
        self._is_queued = False
        self.started_at: float | None = None
        self.ended_at: float | None = None
        self.created_at = begin.created_at
        self.deadline: float | None = None
        self.is_blocking = False
        self.message_ids: set[str] = set()
        self.commit_ids: set[str] = set()
        request = begin.request or RunRequest()
        self.parent = request.parent
        before: Mapping[str, Attempt] = {}
        if request.previous:
            self.previous_id = request.previous
            before = self._standing_from(begin, previous)
        self.steps = Steps(Needs(graph, request, before))
        self.folded: FlowState | None = FlowState.new(
            record.flow_id, graph, previous=None if previous is None else previous.folded
        )

    def standing(self) -> dict[str, Attempt]:
        """All steps as this run left them, including those that it did not touch."""
        needs = self.steps.needs
        if self.started_at is None and self.previous_id:
            return dict(needs.before)  # type: ignore[arg-type]  # it never began, and left its steps as they were
        carried = {step_id: step for step_id, step in needs.before.items() if step_id in needs.carried}
        return carried | self.steps.known  # type: ignore[return-value]  # what stands is attempts of earlier runs

    def _standing_from(self, begin: RunQueued | RunStarted, previous: RunReplay | None) -> dict[str, Attempt]:
        assert previous is not None  # noqa: S101 - a source that does not have it has said so
        if not previous.status.is_terminal:
            raise Violated("I9", f"it continues {self.previous_id}, which has not ended but is {previous.status}")
        follows = FlowId(begin.workflow_id, begin.instance_id, begin.run_id - 1)
        if previous.flow_id != str(follows):
            raise Violated("I14", f"it continues {previous.flow_id}, and not {follows}, the run before it")
        return previous.standing()

    def take(self, event: Event, at: float) -> None:
        """One event: checked by the rules of this package, then by the engine's own fold, which must accept it."""
        self.at = at
        self._take(event, at)
        assert self.folded is not None  # noqa: S101 - nothing takes it away
        try:
            self.folded = evolve(self.folded, event, at)
        except Exception as problem:  # whatever it is, no owner can load this flow
            raise Violated("I21", f"the engine cannot read what it wrote: {problem}") from problem

    def _take(self, event: Event, at: float) -> None:
        if self.status.is_terminal and not isinstance(event, RunUnblocked):
            raise Violated("I9", f"{type(event).__name__} after the run has ended as {self.status}", _step_of(event))
        match event:
            case RunQueued() | RunStarted():
                self._begins(event, at)
            case RunStopping():
                self._stopping(event, at)
            case RunEnded():
                self._ended(event, at)
            case RunUnblocked():
                self._unblocked(event)
            case BreakpointSet():  # also in a run that waits for its turn, which may not include all steps
                self.steps.check_exists(event.step)
            case _ if self.status is not RunStatus.IN_PROGRESS:
                raise Violated("I5", f"{type(event).__name__} before the run began", _step_of(event))
            case StepUnsupported():
                self.steps.of_this_run(event.step)
            case _:
                self.steps.take(event, at)

    def _begins(self, event: RunQueued | RunStarted, at: float) -> None:
        is_second = isinstance(event, RunQueued) and self._is_queued
        if self.status is not RunStatus.CREATED or is_second:
            raise Violated("I5", f"{type(event).__name__} while the run is {self.status}")
        says = FlowId(event.workflow_id, event.instance_id, event.run_id)
        if str(says) != self.flow_id or event.version != self.graph.version:
            raise Violated("I14", f"the log of {self.flow_id} says that it is version {event.version} of {says}")
        parent = FlowId.parse(self.flow_id).parent
        if parent is not None and str(parent) != self.parent:
            raise Violated("I14", f"the log of {self.flow_id} says that step {self.parent!r} started it, not {parent}")
        self._is_queued = True
        if isinstance(event, RunStarted):
            self.status, self.started_at = RunStatus.IN_PROGRESS, at
            self.deadline = None if event.timeout_s is None else at + event.timeout_s

    def _stopping(self, event: RunStopping, at: float) -> None:
        if self.status is not RunStatus.IN_PROGRESS:
            raise Violated("I5", f"the run is told to end as {event.status} while it is {self.status}")
        self._message(event.message_id)
        ending = self.steps.ending
        if ending is not None and (event.status is not StepStatus.FATALLY_FAILED or ending is event.status):
            raise Violated("I17", f"the run is told to end as {event.status}, and is being ended as {ending}")
        if event.status is StepStatus.TIMED_OUT and (self.deadline is None or at < self.deadline):
            early = "has no timeout" if self.deadline is None else f"had {self.deadline - at:.3f} s left"
            raise Violated("I24", f"the run is ended as TIMED_OUT, and {early}")
        self.steps.ending = event.status

    def _ended(self, event: RunEnded, at: float) -> None:
        if self.status is RunStatus.CREATED:
            if event.status not in (RunStatus.FAILED, RunStatus.STOPPED):
                raise Violated("I5", f"the run has ended as {event.status} before it began")
        else:
            self._check_steps_are_over(event.status)
            self._check_result(event.status)
        strategy = self.graph.definition.run_strategy
        self.status, self.ended_at = event.status, at
        self.is_blocking = event.status is RunStatus.FAILED and strategy.is_limited

    def _check_steps_are_over(self, status: RunStatus) -> None:
        for step_id, step in self.steps.known.items():
            if not step.status.is_terminal:
                raise Violated("I9", f"the run has ended as {status} while the step is {step.status}", step_id)
            if step.retry_at is not None:
                raise Violated("I9", f"the run has ended as {status} while the step waits for its retry", step_id)
        for step_id in self.steps.needs.left(self.steps.known):
            is_wanted = self.steps.needs.is_wanted(step_id, self.steps.known)
            if self.steps.ending is None or not is_wanted:
                turn = "to run" if is_wanted else "to become UNSATISFIED"
                raise Violated("I9", f"the run has ended as {status}, and it was the step's turn {turn}", step_id)

    def _check_result(self, status: RunStatus) -> None:
        steps, ending = self.steps, self.steps.ending
        worst = max((step.status.run_status for step in steps.known.values()), key=SEVERITY.index, default=SEVERITY[0])
        if ending is not None and worst is RunStatus.SUCCEEDED and any(steps.needs.left(steps.known)):
            worst = _ENDED_EARLY[ending]
        if status is not worst:
            raise Violated("I10", f"the run has ended as {status}, and its steps make it {worst}")

    def _unblocked(self, event: RunUnblocked) -> None:
        if not self.is_blocking:
            what = "though it does not block" if self.status.is_terminal else f"while it is {self.status}"
            raise Violated("I5", f"the run is unblocked {what}")
        self._message(event.message_id)
        self.is_blocking = False

    def _message(self, message_id: str) -> None:
        if message_id and message_id in self.message_ids:
            raise Violated("I13", f"message {message_id} has taken effect twice")
        self.message_ids.add(message_id)

    def check_fold(self) -> None:
        """The engine's fold has the same steps, each waiting for what the log says it waits for."""
        state = self.folded
        assert state is not None  # noqa: S101 - nothing takes it away
        if state.status is not self.status:
            raise Violated("I21", f"by the engine's own fold the run is {state.status}, not {self.status}")
        for step_id, step in self.steps.known.items():
            same = state.steps[step_id]
            if (same.status, same.attempt, same.execution) != (step.status, step.attempt, step.execution):
                problem = f"by the engine's own fold it is {same.status} in attempt {same.attempt}.{same.execution}"
                raise Violated("I21", f"{problem}, not {step.status} in {step.attempt}.{step.execution}", step_id)
        self._check_holds(state.steps)

    def _check_holds(self, steps: FoldedSteps) -> None:
        waits = {step_id: kind for step_id, step in self.steps.known.items() if (kind := step.waits_for) is not None}
        if self.status is RunStatus.IN_PROGRESS:
            for step_id in self.steps.needs.left(self.steps.known):
                is_wanted = self.steps.needs.is_wanted(step_id, self.steps.known)
                waits[step_id] = Ready if is_wanted else Unsatisfied
        queued = {step_id: kind for kind, queue in steps.queues.items() for step_id in queue}
        looked_at = self.graph.steps if self.status is RunStatus.IN_PROGRESS else self.steps.known
        for step_id in looked_at:
            kind = waits.get(step_id)
            if queued.get(step_id) is not kind or (kind is not None and not steps.is_in(kind, step_id)):
                wanted = "nothing" if kind is None else kind.__name__
                problem = f"by the engine's own fold it waits for {steps.hold(step_id)}, but by the log for {wanted}"
                raise Violated("I21", problem, step_id)


def _step_of(event: Event) -> str:
    """Id of the step that an event concerns; empty for one of the run."""
    return event.step if isinstance(event, StepEvent) else ""
