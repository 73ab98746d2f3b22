"""The loader: reads the store for the actors, which never wait for it themselves (PROTOCOL 10).

After a claim, in this order: the last position, the live flows page by page, the pending runs; only then messages.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from maestro_flow.actors.base import post
from maestro_flow.actors.messages import (
    Answered,
    FlowLost,
    FlowsLoaded,
    GroupLoaded,
    NothingToLoad,
    Received,
    TakeUp,
)
from maestro_flow.actors.runtime import Runtime
from maestro_flow.core.state import FlowState
from maestro_flow.core.system_flow import SystemFlows
from maestro_flow.core.workflow_queue import Question
from maestro_flow.errors import MaestroFlowError, OwnershipLost, StorageError
from maestro_flow.model.actions import Action
from maestro_flow.model.inbox import Message
from maestro_flow.model.log import FlowLog
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.node.acknowledgements import StartAcknowledgements
from maestro_flow.node.health import StoreHealth
from maestro_flow.node.journal import GroupCommitJournal
from maestro_flow.node.ownership import OwnedGroup
from maestro_flow.node.store_jobs import StoreJobs
from maestro_flow.reading.flows import FlowReader
from maestro_flow.reading.pages import all_pending_starts, all_runs, live_flow_pages, pending_start_pages
from maestro_flow.reading.system import read_runs
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Loader"]

logger = logging.getLogger("maestro_flow.engine")

T = TypeVar("T")

_PAGE = 200
_PENDING_MAX = 1000
_ON_THE_WAY_MAX = 500
"""How many pending runs of a group may be between the store and their first commit; the rest waits in the store.
Without this limit, each look at a long queue would read all of it again."""
_HANDED_OVER_S = 60.0
"""A pending run without a commit for this long is handed to the actor again, which ignores it if already known."""


class Loader:
    """See the module. Its jobs run one at a time on a dedicated worker, so the store is read in order."""

    def __init__(
        self,
        runtime: Runtime,
        storage: Storage,
        reader: FlowReader,
        *,
        health: StoreHealth,
        journal: GroupCommitJournal,
        acknowledged: StartAcknowledgements,
        system_flows: SystemFlows,
    ) -> None:
        self._storage, self._reader, self._clock = storage, reader, runtime.clock
        self._system_flows = system_flows
        self._journal, self._acknowledged = journal, acknowledged
        self._jobs = StoreJobs(runtime, health, "loader", 1)

    def open(self, owned: OwnedGroup) -> None:
        """Load a group that was just claimed, then serve it."""
        self._jobs.submit(owned.held, lambda: self._open(owned))

    def look_at(self, owned: OwnedGroup) -> None:
        """Fetch pending runs and messages, in this order, because messages may be about the runs."""
        if not owned.is_looked_at:  # a look that has not begun finds this, too
            owned.is_looked_at = True
            self._jobs.submit(owned.held, lambda: self._look_at(owned), again=False)  # a scan repeats it

    def load_again(self, owned: OwnedGroup, flow_id: str) -> None:
        """Reload one flow whose actor gave up."""
        self._jobs.submit(owned.held, lambda: self._load_again(owned, flow_id))

    def receive_again(self, owned: OwnedGroup) -> None:
        """Let the next look at the inbox start from its first message, to receive unsettled ones again."""
        self._jobs.submit(owned.held, lambda: setattr(owned, "last_sequence", 0))

    def answer(self, owned: OwnedGroup, question: Question) -> None:
        """Answer a question of one of the group's queues."""
        self._jobs.submit(owned.held, lambda: self._answer(owned, question))

    def unblock(self, owned: OwnedGroup, restart: str, previous: str) -> None:
        """Unblock the run that a restart follows. Idempotent: it is always the same message (PROTOCOL 16)."""
        message = Message(owned.held.lease.group_id, f"unblock/{restart}", previous, Action.UNBLOCK.lower())
        self._jobs.submit(owned.held, lambda: self._send(owned, message))

    def close(self) -> None:
        """Stop reading."""
        self._jobs.close()

    def _open(self, owned: OwnedGroup) -> None:
        group_id = owned.held.lease.group_id
        self._journal.open_group(owned.held, self._storage.last_position(group_id))
        for page in live_flow_pages(self._storage, group_id, after=owned.loaded_through, limit=_PAGE):
            self._load(owned, page)
            owned.loaded_through = page[-1].entry.flow_id  # if a page fails, the next try resumes there
        self._take_up_pending(owned)
        post(owned.ref, GroupLoaded())
        owned.is_serving = True

    def _load(self, owned: OwnedGroup, logs: list[FlowLog]) -> None:
        states: list[FlowState] = []
        own: set[str] = set()
        for name in dict.fromkeys(log.entry.workflow_id for log in logs):
            if name in self._system_flows:
                self._load_system(owned, name)
        for log in logs:
            entry = log.entry
            if entry.workflow_id in self._system_flows:
                continue
            try:
                states.append(self._reader.state(entry, log.records))
                if log.records[-1].owner_id == owned.held.lease.owner_id:
                    own.add(entry.flow_id)
            except StorageError:
                raise
            except MaestroFlowError as error:
                post(owned.ref, FlowLost(entry.flow_id, str(error), is_active=_is_active(entry)))
            except Exception as defect:  # a defect in this flow's log must not hold up the other flows of its group
                logger.exception("the log of flow %s cannot be read", entry.flow_id)
                post(owned.ref, FlowLost(entry.flow_id, repr(defect), is_active=_is_active(entry)))
        post(owned.ref, FlowsLoaded(tuple(states), frozenset(own)))

    def _take_up_pending(self, owned: OwnedGroup) -> None:
        """Take up some of the pending runs, skipping all that are on the way or unreadable."""
        horizon = self._clock.monotonic() - _HANDED_OVER_S
        for flow_id, handed_over_at in list(owned.on_the_way.items()):
            if handed_over_at < horizon or flow_id in self._acknowledged:
                del owned.on_the_way[flow_id]
        if len(owned.on_the_way) >= _ON_THE_WAY_MAX:
            return
        count = 0
        for page in pending_start_pages(self._storage, owned.held.lease.group_id, limit=_PENDING_MAX):
            taken_up = sum(self._take_up(owned, pending) for pending in page)
            count += taken_up
            if taken_up == len(page) or count >= _PENDING_MAX:
                break

    def _take_up(self, owned: OwnedGroup, pending: PendingRun) -> bool:
        """Hand a run to the group; False if it is on the way already, or cannot be read."""
        flow_id = pending.flow_id
        if flow_id in owned.on_the_way or flow_id in owned.unreadable or flow_id in self._acknowledged:
            return False
        take_up = self._read(owned, pending, lambda: TakeUp(*self._reader.take_up(pending)))
        if take_up is None:
            return False
        owned.on_the_way[flow_id] = self._clock.monotonic()
        post(owned.ref, take_up)
        return True

    def _load_system(self, owned: OwnedGroup, name: str) -> None:
        try:
            runs = read_runs(self._storage, self._system_flows.flows[name])
        except StorageError:
            raise
        except MaestroFlowError as error:
            post(owned.ref, FlowLost(name, str(error)))
        except Exception as defect:
            logger.exception("the log of flow %s cannot be read", name)
            post(owned.ref, FlowLost(name, repr(defect)))
        else:
            post(owned.ref, FlowsLoaded(system=(runs,)))

    def _answer(self, owned: OwnedGroup, question: Question) -> None:
        for pending in all_pending_starts(self._storage, owned.held.lease.group_id):
            self._take_up(owned, pending)
        blocking = None
        if question.of_blocking:
            failed = frozenset({RunStatus.FAILED})
            query = RunQuery(workflow_id=question.workflow_id, statuses=failed, blocking=True, limit=_PAGE)
            blocking = frozenset(entry.flow_id for entry in all_runs(self._storage, query))
        post(owned.ref, Answered(question.workflow_id, blocking))

    def _send(self, owned: OwnedGroup, message: Message) -> None:
        self._storage.send(message)
        self.look_at(owned)

    def _look_at(self, owned: OwnedGroup) -> None:
        owned.is_looked_at = False
        try:
            messages = self._storage.receive(owned.held.lease, after=owned.last_sequence, limit=_PAGE)
        except OwnershipLost:
            return  # the next renewal says so too
        # Pending runs are read after the messages: a run starts before any message to it is sent, so it is known before
        # its messages arrive, or they wait for it.
        self._take_up_pending(owned)
        if messages:
            owned.last_sequence = messages[-1].sequence
            post(owned.ref, Received(tuple(messages)))
        if len(messages) == _PAGE:
            self.look_at(owned)

    def _load_again(self, owned: OwnedGroup, flow_id: str) -> None:
        if flow_id in self._system_flows:
            self._load_system(owned, flow_id)
            return
        entry = self._storage.run(flow_id)
        records = self._storage.read_flow(flow_id)
        if entry is not None and records:
            self._load(owned, [FlowLog(entry, tuple(records))])
        else:
            self._no_commit_yet(owned, flow_id, entry)

    def _no_commit_yet(self, owned: OwnedGroup, flow_id: str, entry: RunEntry | None) -> None:
        """A pending run: a scan takes it up, unless its definition still cannot be read."""
        if entry is None or self._read(owned, entry, lambda: self._reader.state(entry, ())) is not None:
            owned.unreadable.discard(flow_id)
            owned.on_the_way.pop(flow_id, None)
            post(owned.ref, NothingToLoad(flow_id, exists=entry is not None))

    def _read(self, owned: OwnedGroup, run: PendingRun | RunEntry, read: Callable[[], T]) -> T | None:
        """The result of ``read`` for a run without a commit; None if it cannot be read: the run is reported lost."""
        try:
            return read()
        except StorageError:
            raise
        except MaestroFlowError as error:
            owned.unreadable.add(run.flow_id)
            post(owned.ref, FlowLost(run.flow_id, str(error)))
            return None


def _is_active(entry: RunEntry) -> bool:
    return entry.status is RunStatus.IN_PROGRESS
