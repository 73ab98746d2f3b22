"""The loader: reads from the store for the actors, which never wait for it themselves (PROTOCOL 10).

After a claim, in this order: the last position, the live flows page by page, the runs that are given; only then mail.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from maestro_flow.actors.base import post
from maestro_flow.actors.messages import FlowLost, FlowsLoaded, Mail, NothingToLoad, TakeUp
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held
from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.engine.journal import GroupCommitJournal
from maestro_flow.engine.library import Library
from maestro_flow.engine.ownership import OwnedGroup
from maestro_flow.errors import MaestroFlowError, NotFound, OwnershipLost, StorageUnavailable
from maestro_flow.model.commit import FlowLog
from maestro_flow.storage.protocol import Storage

__all__ = ["Loader"]

logger = logging.getLogger("maestro_flow.engine")

_PAGE = 200
_GIVEN_MAX = 1000
_RETRY_S = 0.5


class Loader:
    """See the module. Its jobs run on workers of their own, one at a time: the store is read in order."""

    def __init__(self, runtime: Runtime, storage: Storage, library: Library, journal: GroupCommitJournal) -> None:
        self._runtime, self._storage, self._library, self._journal = runtime, storage, library, journal
        self._workers = runtime.workers("loader", 1)

    def open(self, owned: OwnedGroup) -> None:
        """Load a group that was just claimed, then serve it."""
        self._submit(owned.held, lambda: self._open(owned))

    def look_at(self, owned: OwnedGroup) -> None:
        """Fetch what came in: given runs first, because mail may be about them."""
        self._submit(owned.held, lambda: self._look_at(owned))

    def load_again(self, owned: OwnedGroup, flow_id: str) -> None:
        """Load one flow whose actor gave up."""
        self._submit(owned.held, lambda: self._load_again(owned, flow_id))

    def receive_again(self, owned: OwnedGroup) -> None:
        """Let the next look at the inbox begin at its first message, for those that were received and not settled."""
        self._submit(owned.held, lambda: setattr(owned, "last_sequence", 0))

    def _submit(self, held: Held, job: Callable[[], None]) -> None:
        def run() -> None:
            if held.lost:
                return
            try:
                job()
            except StorageUnavailable as error:
                logger.warning("the store does not answer, it is read again in %.1f s: %s", _RETRY_S, error)
                self._runtime.call_later(_RETRY_S, lambda: self._submit(held, job))
            except Exception:
                logger.exception("group %d could not be read, it is tried again", held.lease.group_id)
                self._runtime.call_later(_RETRY_S, lambda: self._submit(held, job))

        self._workers.submit(run)

    def _open(self, owned: OwnedGroup) -> None:
        group_id = owned.held.lease.group_id
        self._journal.open_group(owned.held, self._storage.last_position(group_id))
        after = ""
        while page := self._storage.load_flows(group_id, after=after, limit=_PAGE):
            self._load(owned, page)
            after = page[-1].entry.flow_id
        self._take_up_given(owned)
        owned.is_serving = True

    def _load(self, owned: OwnedGroup, logs: list[FlowLog]) -> None:
        states: list[FlowState] = []
        own: set[str] = set()
        for log in logs:
            entry = log.entry
            try:
                graph = self._library.graph(entry.workflow_id, entry.version)
                states.append(fold(FlowState(entry.flow_id, graph), log.records))
                if log.records[-1].owner_id == owned.held.lease.owner_id:
                    own.add(entry.flow_id)
            except StorageUnavailable:
                raise
            except MaestroFlowError as error:
                post(owned.ref, FlowLost(entry.flow_id, str(error)))
        post(owned.ref, FlowsLoaded(tuple(states), frozenset(own)))

    def _take_up_given(self, owned: OwnedGroup) -> None:
        for given in self._storage.given(owned.held.lease.group_id, limit=_GIVEN_MAX):
            try:
                graph = self._library.graph(given.workflow_id, given.version)
            except NotFound:
                logger.exception("run %s cannot be taken up", given.flow_id)
                continue
            post(owned.ref, TakeUp(given, graph))

    def _look_at(self, owned: OwnedGroup) -> None:
        try:
            messages = self._storage.receive(owned.held.lease, after=owned.last_sequence, limit=_PAGE)
        except OwnershipLost:
            return  # the next renewal says so too
        # Read after the mail: a run that is written to was given before, so it is known before its mail arrives.
        self._take_up_given(owned)
        if messages:
            owned.last_sequence = messages[-1].sequence
            post(owned.ref, Mail(tuple(messages)))

    def _load_again(self, owned: OwnedGroup, flow_id: str) -> None:
        entry = self._storage.run(flow_id)
        records = self._storage.read_flow(flow_id)
        if entry is not None and records:
            self._load(owned, [FlowLog(entry, tuple(records))])
        else:
            post(owned.ref, NothingToLoad(flow_id))
