"""A handle of one run: from any process that reaches the store, whoever owns the run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from maestro_flow.client.actions import ANSWER_S, ask
from maestro_flow.client.polling import poll
from maestro_flow.client.restart import RestartOptions, follow_up, order_within
from maestro_flow.client.session import Session
from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.errors import RunFailed
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.definition import WorkflowDefinition
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.views.attempts import AttemptView, attempts
from maestro_flow.views.explain import explain
from maestro_flow.views.explanation import Explanation
from maestro_flow.views.history import RecordedEvent, recorded_events
from maestro_flow.views.run import RunView, StepView
from maestro_flow.views.timeline import TimelineEntry, timeline

__all__ = ["Run"]


class Run:
    """One run of a workflow instance. Every read is fresh from the store; a run that has ended no longer changes."""

    def __init__(self, session: Session, entry: RunEntry | PendingRun) -> None:
        self._session = session
        self.workflow_id, self.version = entry.workflow_id, entry.version
        self.instance_id, self.run_id = entry.instance_id, entry.run_id
        self.flow_id, self.group_id = entry.flow_id, entry.group_id
        self._entry = entry
        self._state: FlowState | None = None

    def __repr__(self) -> str:
        return f"<Run {self.flow_id}>"

    @property
    def status(self) -> RunStatus:
        """CREATED, IN_PROGRESS, or how the run ended."""
        return self._refresh().status

    @property
    def definition(self) -> WorkflowDefinition:
        """The version of the workflow that it runs; of a loop's child, the body of the loop."""
        return self._session.graphs.of_run(self.flow_id, self.version).definition

    @property
    def steps(self) -> dict[str, StepView]:
        """Every step of the definition by id, in its order."""
        return self.view().steps

    @property
    def outputs(self) -> dict[str, Any]:
        """Results by step id, of the steps that have one."""
        return self.view().outputs

    def view(self) -> RunView:
        """The run at this moment."""
        state = self._refresh()
        return RunView.of(state, self._session.unsupported(state.graph))

    def explain(self, step: str = "") -> Explanation:
        """Why the run, or one of its steps, is in its status, and since when.

        Raises:
            NotFound: there is no such step.
        """
        self._session.check()
        return explain(self._session.storage, self._refresh(), self.group_id, step)

    def events(self, after_revision: int = 0) -> Iterator[RecordedEvent]:
        """The recorded events of the run after a revision (0: all of them), oldest first."""
        self._session.check()
        return recorded_events(self._session.storage.read_flow(self.flow_id, after_revision=after_revision))

    def timeline(self, step: str) -> list[TimelineEntry]:
        """What happened to a step in this run, through all its attempts and executions, oldest entry first.

        Raises:
            NotFound: there is no such step.
        """
        self._session.graphs.of_run(self.flow_id, self.version).known([step])
        return timeline(self.events(), step)

    def attempts(self, step: str) -> list[AttemptView]:
        """All attempts of a step in this run, first to latest, each with its timeline; it reads the whole log.

        The list is empty for a step that has not become ready yet, or that a restart took over from an earlier run.

        Raises:
            NotFound: there is no such step.
        """
        self._session.check()
        records = self._session.storage.read_flow(self.flow_id)
        initial = self._session.reader.initial(self._entry, records)
        initial.graph.known([step])
        return attempts(initial, recorded_events(records), step)

    def wait(self, timeout_s: float | None = None) -> RunStatus:
        """Block until the run has ended; returns its final status.

        Raises:
            WaitTimeout: it has not ended after ``timeout_s`` seconds; it is still active.
            StorageFailed: the store has failed permanently. (One that is only unavailable is waited for.)
            Closed: the engine or client was closed before the run ended.
        """

        def read_entry() -> RunEntry | None:
            return self._session.storage.run(self.flow_id)

        for entry in poll(self._session, self.flow_id, read_entry, timeout_s, only_the_end=True):
            if entry is not None and entry.status.is_terminal:
                return entry.status
        raise AssertionError("unreachable")

    def follow(self, timeout_s: float | None = None) -> Iterator[RunView]:
        """The run now, and again after every change, until it has ended; the last view shows its end.

        Raises:
            WaitTimeout, StorageFailed, Closed: see ``wait``.
        """
        seen = -1
        for state in poll(self._session, self.flow_id, self._refresh, timeout_s, only_the_end=False):
            if state.revision != seen:
                seen = state.revision
                yield RunView.of(state, self._session.unsupported(state.graph))
            if state.status.is_terminal:
                return

    def raise_for_status(self) -> None:
        """Raise an error unless the run has succeeded.

        Raises:
            RunFailed: it has not; the message names the first step to blame.
        """
        view = self.view()
        if view.status is RunStatus.SUCCEEDED:
            return
        culprits = (step for step in view.steps.values() if step.error and not step.status.is_complete)
        blame = next((f": step {step.id} {step.status}: {step.error.message}" for step in culprits if step.error), "")
        raise RunFailed(f"run {self.flow_id} is {view.status}{blame}")

    # -- actions ------------------------------------------------------------------------------------------------
    #
    # Each asks the run's owner, waits until it has answered, and raises:
    #   Conflict       it cannot be done now; the message has the status, and what is allowed. Of two racing actions
    #                  one gets this
    #   NotFound       there is no such step
    #   WaitTimeout    no owner has answered in time; the request stands
    #   StorageUnavailable: it may not have been sent. StorageFailed, Closed: see ``wait``

    def stop(self, step: str = "", *, timeout_s: float = ANSWER_S) -> None:
        """End the run, or one step of it, as STOPPED; what runs is terminated.

        The status of a run follows from its steps: if the last one succeeds nevertheless, the run has SUCCEEDED.
        """
        self._ask(Action.STOP, ActionOrder(step), timeout_s)

    def kill(self, step: str = "", *, timeout_s: float = ANSWER_S) -> None:
        """End the run as FAILED, or one step of it as FATALLY_FAILED; what runs is terminated."""
        self._ask(Action.KILL, ActionOrder(step), timeout_s)

    def skip(self, step: str, *, timeout_s: float = ANSWER_S) -> Run:
        """End a step as SKIPPED: its successors can run. Returns the run in which it is skipped.

        That is this run or, if it has ended, a new run that begins with the step (``restart``).
        """
        if self.status.is_terminal:
            return self.restart(step=step, skip_steps=[step], timeout_s=timeout_s)
        self._ask(Action.SKIP, ActionOrder(step), timeout_s)
        return self

    def pause(self, step: str, *, timeout_s: float = ANSWER_S) -> None:
        """Keep a step whose turn has come from starting, until it is resumed."""
        self._ask(Action.PAUSE, ActionOrder(step), timeout_s)

    def resume(self, step: str, *, timeout_s: float = ANSWER_S) -> None:
        """Let a paused step continue, whether it was paused by a user or at a breakpoint."""
        self._ask(Action.RESUME, ActionOrder(step), timeout_s)

    def set_breakpoint(self, step: str, *, timeout_s: float = ANSWER_S) -> None:
        """From now on, each attempt of the step is paused before it begins. Setting it twice is the same as once."""
        self._ask(Action.BREAKPOINT, ActionOrder(step), timeout_s)

    def clear_breakpoint(self, step: str, *, timeout_s: float = ANSWER_S) -> None:
        """Pause no further attempts; an attempt that is paused stays paused until it is resumed."""
        self._ask(Action.BREAKPOINT, ActionOrder(step, on=False), timeout_s)

    def unblock(self, *, timeout_s: float = ANSWER_S) -> None:
        """Let the runs after this one, which has failed, start (run strategy STRICT_SEQUENTIAL)."""
        self._ask(Action.UNBLOCK, ActionOrder(), timeout_s)

    def restart(
        self,
        *,
        step: str = "",
        from_beginning: bool = False,
        params: Mapping[str, Any] | None = None,
        step_params: Mapping[str, Mapping[str, Any]] | None = None,
        skip_steps: Collection[str] = (),
        breakpoints: Collection[str] = (),
        request_id: str | None = None,
        timeout_s: float = ANSWER_S,
    ) -> Run:
        """Run it again: what is not complete, or all of it, or ``step`` and what follows it.

        A run that has ended is followed by a new run of its instance and version, which is returned; it waits for its
        turn like any other. While the run is active, only a step that has failed can be restarted, in this run; its
        params may be changed (``step_params``), and ``timeout_s`` is for the owner's answer. The same ``request_id``
        again returns the same run. ``skip_steps`` are not run, and become SKIPPED when their turn comes.

        Raises:
            Conflict: the run is active; or all its steps are complete; or it is not the latest run of its instance; or
                the step is in a status that allows no restart.
            NotFound: there is no such step.
            DefinitionError: a param does not fit, or must not be changed by a restart.
            StorageUnavailable: it may have been restarted: repeat it with the same ``request_id``.
        """
        options = RestartOptions(
            step, from_beginning, params or {}, step_params or {}, skip_steps, breakpoints, request_id
        )
        if step and not self.status.is_terminal:
            self._ask(Action.RESTART, order_within(self._refresh(), options), timeout_s)
            return self
        return Run(self._session, follow_up(self._session, self._refresh(), self.group_id, options))

    def _ask(self, action: Action, order: ActionOrder, timeout_s: float) -> None:
        self._session.check()
        ask(self._session, self._refresh(), self.group_id, action, order, timeout_s=timeout_s)

    # -- reading ------------------------------------------------------------------------------------------------

    def _refresh(self) -> FlowState:
        """Fold the records that the log has gained since the last read."""
        state = self._state
        if state is None or not state.revision:
            state = self._session.reader.state(self._entry, self._session.storage.read_flow(self.flow_id))
        elif not state.status.is_terminal or state.is_blocking:
            state = fold(state, self._session.storage.read_flow(self.flow_id, after_revision=state.revision))
        self._state = state
        return state
