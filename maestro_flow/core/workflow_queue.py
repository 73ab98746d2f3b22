"""The queue of one workflow in its group: which runs wait, which are active, and whose turn it is (PROTOCOL 19).

It is in memory only (law 1): an owner rebuilds it from the live flows, and ``core.strategy`` gives the same answer. An
order to a flow counts as carried out until the flow is read again from the store: then the store's state counts.

Any process may start runs of a workflow, so the owner may hear of instance 8 before instance 7. The queue therefore
remembers up to which instance it has heard of all; while one is missing, nothing moves until the store has been asked.
The strategy in force is that of the newest version among the live runs. Runs of a version without a limit begin at once
and count as active.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection
from typing import TypeAlias

from attrs import define, frozen

from maestro_flow.core.inputs import Displace, Launch
from maestro_flow.core.strategy import LiveRun, turn
from maestro_flow.model.definition import RunRule, RunStrategy

__all__ = ["Entrant", "Order", "Question", "WorkflowQueue"]

Order: TypeAlias = tuple[str, Launch | Displace]
"""A flow's id, and the input for its actor."""


@frozen
class Question:
    """A question to the store, before the queue can move: pending starts and, if ``of_blocking``, runs that block."""

    workflow_id: str
    of_blocking: bool


@frozen
class Entrant:
    """A live run that enters the queue: just taken up (``is_fresh``), or read from the store."""

    flow_id: str
    version: int
    strategy: RunStrategy
    is_queued: bool
    is_ending: bool = False
    is_fresh: bool = False


@define
class _Version:
    strategy: RunStrategy
    live: int = 0


class WorkflowQueue:
    """See the module. Call ``move`` after any change."""

    def __init__(self, workflow_id: str, *, is_loaded: bool) -> None:
        self.workflow_id = workflow_id
        self.is_loaded = is_loaded
        self.queued: list[LiveRun] = []  # in order, without those ordered to end
        self.active: set[LiveRun] = set()
        self.ending: set[LiveRun] = set()  # of the active ones
        self.runs: dict[str, int] = {}  # versions of all live runs
        self.versions: dict[int, _Version] = {}
        self.strategy = RunStrategy()
        self.through = 0
        self.ahead: set[int] = set()  # instances beyond ``through`` that it has heard of
        self.blocking: set[str] = set()
        self.knows_blocking = False
        self.unblocked: set[str] = set()  # while the store is asked
        self.asked_through: int | None = None

    @property
    def is_idle(self) -> bool:
        """It can be forgotten: it has no live run and waits for no answer from the store."""
        is_empty = not self.runs and not self.active
        return is_empty and not self.through and not self.knows_blocking and self.asked_through is None

    # -- inputs -------------------------------------------------------------------------------------------------

    def enter(self, entrant: Entrant) -> None:
        """A run is live; a run that is read again from the store enters again."""
        self._forget(entrant.flow_id)
        run = LiveRun.of(entrant.flow_id)
        self.runs[entrant.flow_id] = entrant.version
        version = self.versions.setdefault(entrant.version, _Version(entrant.strategy))
        version.live += 1
        if version.live == 1:
            self._choose()
        if entrant.is_queued:
            insort(self.queued, run)
        else:
            self.active.add(run)
            if entrant.is_ending:
                self.ending.add(run)
        if entrant.strategy.is_limited and run.run_id == 1:
            self._hear_of(run.instance_id, is_fresh=entrant.is_fresh)

    def is_being_ended(self, flow_id: str) -> None:
        """The end of an active run is durable: it is being stopped."""
        run = LiveRun.of(flow_id)
        if run in self.active:
            self.ending.add(run)

    def leave(self, flow_id: str, *, is_blocking: bool) -> None:
        """A run has ended, durably; or one that ended before no longer blocks."""
        self._forget(flow_id)
        if is_blocking:
            self.blocking.add(flow_id)
        else:
            self.blocking.discard(flow_id)
            if self.asked_through is not None:
                self.unblocked.add(flow_id)

    def pass_over(self, flow_id: str) -> None:
        """The run is parked: it stays active if it may have begun; if queued, it leaves."""
        run = LiveRun.of(flow_id)
        if run not in self.active:
            self._forget(flow_id)

    def occupy(self, flow_id: str) -> None:
        """A run is active in the store, but cannot be read: it counts as active."""
        self._forget(flow_id)
        self.active.add(LiveRun.of(flow_id))

    def loaded(self) -> None:
        """All live runs were read: an instance that is missing before the last of them has ended."""
        self.is_loaded = True
        if any(version.strategy.is_limited for version in self.versions.values()):
            self.through = max(LiveRun.of(flow_id).instance_id for flow_id in self.runs)

    def answered(self, blocking: Collection[str] | None) -> None:
        """All runs started before ``ask`` have entered; ``blocking`` are the failed runs that block, if it asked."""
        self.through = max(self.through, self.asked_through or 0)
        self.asked_through = None
        self.ahead = {instance_id for instance_id in self.ahead if instance_id > self.through}
        self._advance()
        if blocking is not None:
            self.blocking.update(set(blocking) - self.unblocked)
            self.knows_blocking = True
        self.unblocked.clear()

    # -- outputs ------------------------------------------------------------------------------------------------

    def ask(self) -> Question | None:
        """The question that the store must answer now, if any."""
        if not self.is_loaded or self.asked_through is not None or not self._is_waiting_for_an_answer:
            return None
        self.asked_through = max(self.ahead, default=self.through)
        return Question(self.workflow_id, of_blocking=self._needs_blocking)

    def move(self) -> list[Order]:
        """Which runs begin and which end, counted as done from now on. While it waits for an answer, nothing moves."""
        if not (self.queued or self.strategy.rule is RunRule.LAST_ONLY):
            return []
        if not self.is_loaded or self._is_waiting_for_an_answer:
            return []
        now = turn(self.strategy, self.queued, self.active, self.ending, is_blocked=bool(self.blocking))
        for run in now.launch:
            self._dequeue(run)
            self.active.add(run)
        if len(now.displace) > 1:
            gone = set(now.displace)
            self.queued = [run for run in self.queued if run not in gone]
        for run in now.displace:
            if run in self.active:
                self.ending.add(run)
            else:
                self._dequeue(run)
        orders: list[Order] = [(run.flow_id, Displace(now.reason)) for run in now.displace]
        return orders + [(run.flow_id, Launch()) for run in now.launch]

    # -- parts --------------------------------------------------------------------------------------------------

    @property
    def _needs_blocking(self) -> bool:
        return self.strategy.rule is RunRule.STRICT_SEQUENTIAL and not self.knows_blocking

    @property
    def _is_waiting_for_an_answer(self) -> bool:
        return bool(self.queued) and (bool(self.ahead) or self._needs_blocking)

    def _hear_of(self, instance_id: int, *, is_fresh: bool) -> None:
        if instance_id == 1 and is_fresh:
            self.knows_blocking = True  # no earlier run exists
        if self.is_loaded and instance_id > self.through:
            self.ahead.add(instance_id)
            self._advance()

    def _advance(self) -> None:
        while self.through + 1 in self.ahead:
            self.through += 1
            self.ahead.remove(self.through)

    def _forget(self, flow_id: str) -> None:
        version = self.runs.pop(flow_id, None)
        run = LiveRun.of(flow_id)
        self._dequeue(run)
        self.active.discard(run)
        self.ending.discard(run)
        if version is not None:
            self.versions[version].live -= 1
            if not self.versions[version].live:
                del self.versions[version]
                self._choose()

    def _dequeue(self, run: LiveRun) -> None:
        index = bisect_left(self.queued, run)
        if index < len(self.queued) and self.queued[index] == run:
            del self.queued[index]

    def _choose(self) -> None:
        if self.versions:
            self.strategy = self.versions[max(self.versions)].strategy
