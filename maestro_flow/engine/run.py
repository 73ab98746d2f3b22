"""A handle of one run: from any process that reaches the store, whoever owns the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.engine.view import RunView, StepView
from maestro_flow.errors import Conflict, RunFailed, StorageError, StorageUnavailable, WaitTimeout
from maestro_flow.model.commit import GivenRun, Message, MessageState, RunEntry
from maestro_flow.model.status import RunStatus

if TYPE_CHECKING:
    from maestro_flow.engine.client import Client

__all__ = ["Run"]

T = TypeVar("T")

_LOOK_EVERY_S = 0.1
"""The safety net under the hints of this process, and all there is for a run that another process owns."""


class Run:
    """One run of a workflow instance. Every reading is fresh from the store; a run that has ended never changes."""

    def __init__(self, client: Client, entry: RunEntry | GivenRun) -> None:
        self._client = client
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
        return RunView.of(state, self._client.lacking(state.graph))

    def wait(self, timeout_s: float | None = None) -> RunStatus:
        """Block until the run has ended, and say how.

        Raises:
            WaitTimeout: it has not ended after ``timeout_s`` seconds; it goes on.
            StorageFailed: it will not end here. (A store that is only away is waited for.)
            Closed: the engine or client was closed, before the run has ended.
        """
        for entry in self._looks(lambda: self._client.storage.run(self.flow_id), timeout_s, only_the_end=True):
            if entry is not None and entry.status.is_terminal:
                return entry.status
        raise AssertionError("unreachable")

    def follow(self, timeout_s: float | None = None) -> Iterator[RunView]:
        """The run now, and again after every change, until it has ended; the last view is of its end.

        Raises:
            WaitTimeout, StorageFailed, Closed: see ``wait``.
        """
        seen = -1
        for state in self._looks(self._refresh, timeout_s, only_the_end=False):
            if state.revision != seen:
                seen = state.revision
                yield RunView.of(state, self._client.lacking(state.graph))
            if state.status.is_terminal:
                return

    def raise_for_status(self) -> None:
        """Do nothing if the run has succeeded.

        Raises:
            RunFailed: it has not; the message names the first step that is to blame.
        """
        view = self.view()
        if view.status is RunStatus.SUCCEEDED:
            return
        culprits = (step for step in view.steps.values() if step.error and not step.status.is_complete)
        blame = next((f": step {step.id} {step.status}: {step.error.message}" for step in culprits if step.error), "")
        raise RunFailed(f"run {self.flow_id} is {view.status}{blame}")

    def stop(self, timeout_s: float = 30.0) -> None:
        """Ask the owner to end the run as STOPPED, and wait until it has agreed: running steps are then terminated.

        The steps make the status of a run: one whose last step has succeeded all the same has SUCCEEDED.

        Raises:
            Conflict: the run has ended already.
            WaitTimeout: no owner has answered in time; the request stands.
            StorageUnavailable: the request may not have been sent.
            StorageFailed: see ``wait``.
        """
        client = self._client
        client.check()
        status = self.status
        if status.is_terminal:
            raise Conflict(f"run {self.flow_id} cannot be stopped: it is {status}")
        message = Message(self.group_id, client.environment.new_id(), self.flow_id, "stop")
        client.send(message)
        try:
            sent = (self.group_id, message.message_id)
            for answer in self._looks(lambda: client.storage.message(*sent), timeout_s, only_the_end=False):
                if answer is not None and answer.state is not MessageState.WAITING:
                    outcome = answer.outcome
                    break
        except WaitTimeout:
            problem = f"no owner of run {self.flow_id} has answered the stop after {timeout_s:g} s; the request stands"
            raise WaitTimeout(problem) from None
        if outcome != "accepted":
            raise Conflict(f"run {self.flow_id} cannot be stopped: {outcome.removeprefix('conflict: ')}")

    # -- reading ------------------------------------------------------------------------------------------------

    def _refresh(self) -> FlowState:
        """Fold what the log has grown by since the last look."""
        state = self._state
        if state is None or not state.revision:
            state = self._client.reader.state(self._entry, self._client.storage.read_flow(self.flow_id))
        elif not state.status.is_terminal:
            state = fold(state, self._client.storage.read_flow(self.flow_id, after_revision=state.revision))
        self._state = state
        return state

    def _looks(self, look: Callable[[], T], timeout_s: float | None, *, only_the_end: bool) -> Iterator[T]:
        """What there is to see now, and again whenever it is worth another look; raises WaitTimeout in the end.

        Or Closed: nobody here makes the run go on any more. That is said after a last look.
        """
        client, clock = self._client, self._client.environment.clock
        deadline = None if timeout_s is None else clock.monotonic() + timeout_s
        with client.waiting(self.flow_id, only_the_end=only_the_end) as changed:
            while True:
                changed.clear()
                is_closed = client.is_closed
                if not is_closed:
                    client.check()
                away: StorageUnavailable | None = None
                try:
                    seen = look()
                except StorageUnavailable as error:
                    away = error
                except StorageError:
                    client.check()  # what failed may have been closed meanwhile
                    raise
                else:
                    yield seen
                if is_closed:
                    client.check()
                left = _LOOK_EVERY_S if deadline is None else min(_LOOK_EVERY_S, deadline - clock.monotonic())
                if left <= 0:
                    goes_on = f"it is not known, because {away}" if away else "it goes on"
                    raise WaitTimeout(f"run {self.flow_id} has not ended after {timeout_s:g} s; {goes_on}") from away
                changed.wait(left)
