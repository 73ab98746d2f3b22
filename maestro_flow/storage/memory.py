"""The reference implementation of the Storage protocol: plain dictionaries under one lock.

The store of tests and of the deterministic simulation, and the model that other backends are compared with, so it is
simple rather than fast. Nothing survives the process.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from attrs import evolve

from maestro_flow.clock import Clock
from maestro_flow.errors import MaestroFlowError, SettingsError
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Holder, Lease, NodeEntry, Owner, Renewal
from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.model.numbers import check_number
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.storage.cursors import moved, opened
from maestro_flow.storage.judge import check_group, check_groups, check_same_message, judge_batch, no_longer_held
from maestro_flow.storage.listeners import Listeners
from maestro_flow.storage.memory_state import Group, MemoryState, age, matches
from maestro_flow.storage.open import no_store
from maestro_flow.storage.protocol import GROUP_COUNT, RunQuery, StoredDefinition
from maestro_flow.storage.pruning import IndexedRun, check_not_pruned, prunable
from maestro_flow.storage.starts import check_same_start, new_run
from maestro_flow.storage.url import without_password

__all__ = ["MemoryStorage", "open_memory"]


def open_memory(url: str, clock: Clock, /, *, create: bool = True) -> MemoryStorage:
    """A new, empty store for ``memory://``; a name after the slashes has no effect, and nothing is shared."""
    if not create:
        raise no_store(without_password(url))
    if urlsplit(url).path not in ("", "/"):
        shown = without_password(url)
        raise SettingsError(f"the memory store keeps no files, but the URL {shown!r} has a path; use memory://")
    return MemoryStorage(clock)


class MemoryStorage:
    """A store in memory. Deterministic: it starts no threads and only reads the given clock."""

    def __init__(self, clock: Clock, groups: int = GROUP_COUNT) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._state = MemoryState([Group() for _ in range(groups)])
        self._definitions: dict[str, list[StoredDefinition]] = {}
        self._instances: dict[str, int] = {}
        self._starts: dict[tuple[str, str], PendingRun] = {}
        self._runs: dict[str, PendingRun] = {}
        self._pending: dict[str, PendingRun] = {}
        self._sequence = 0
        self._nodes: dict[str, NodeEntry] = {}
        self._listeners = Listeners()

    @property
    def group_count(self) -> int:
        return len(self._state.groups)

    @property
    def schema_version(self) -> int:
        return 1

    def close(self) -> None:
        """Nothing to close."""

    # -- ownership ----------------------------------------------------------------------------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        with self._lock:
            leases = []
            for group_id in self._claimable(owner)[:limit]:
                group = self._state.groups[group_id]
                group.generation += 1
                group.kept_for = ""
                group.owner_id, group.process = owner.id, owner.process
                group.expires_at = self._clock.time() + lease_s
                leases.append(Lease(group_id, group.generation, owner.id))
        self._listeners.hold(lease.group_id for lease in leases)
        return leases

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        with self._lock:
            now = self._clock.time()
            ours = {lease.group_id for lease in leases if lease.owner_id == owner.id and self._state.is_current(lease)}
            for group_id in ours:
                self._state.groups[group_id].expires_at = now + lease_s
            held = {group_id for group_id, group in enumerate(self._state.groups) if group.owner_id == owner.id}
            if offers is not None:
                self._nodes[owner.id] = NodeEntry(owner.id, owner.process, offers, 0, now + lease_s)
            return Renewal(
                now=now,
                lost=frozenset(lease.group_id for lease in leases) - ours,
                claimable=len(self._claimable(owner)),
                messages=frozenset(group_id for group_id in held if self._state.groups[group_id].waiting()),
                pending=frozenset(run.group_id for run in self._pending.values()) & held,
                nodes=self._alive(now),
            )

    def _alive(self, now: float) -> tuple[NodeEntry, ...]:
        self._nodes = {owner_id: node for owner_id, node in self._nodes.items() if node.expires_at > now}
        held = Counter(group.owner_id for group in self._state.groups)
        return tuple(evolve(self._nodes[owner_id], groups=held[owner_id]) for owner_id in sorted(self._nodes))

    def release(self, leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        with self._lock:
            released = [lease.group_id for lease in leases if self._state.is_current(lease)]
            for group_id in released:
                group = self._state.groups[group_id]
                group.owner_id, group.expires_at = "", 0.0
                group.kept_for, group.kept_until = to, self._clock.time() + keep_s
        self._listeners.release(released)
        self._listeners.tell_of_others(released)

    def leave(self, owner: Owner) -> None:
        with self._lock:
            self._nodes.pop(owner.id, None)

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        return self._listeners.add(wake)

    def holder(self, group_id: int) -> Holder | None:
        with self._lock:
            group = self._state.group(group_id)
            if not group.owner_id:
                return None
            now = self._clock.time()
            return Holder(group_id, group.generation, group.owner_id, group.process, group.expires_at, now)

    def _claimable(self, owner: Owner) -> list[int]:
        now = self._clock.time()
        return [group_id for group_id, group in enumerate(self._state.groups) if group.is_free(owner, now)]

    # -- commit ------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        for commit in batch:
            check_group(commit.lease.group_id, self.group_count)
        with self._lock:
            now = self._clock.time()
            return judge_batch(batch, self._state, lambda commit: self._state.apply(commit, now))

    # -- the log ------------------------------------------------------------------------------------------------

    def last_position(self, group_id: int) -> int:
        with self._lock:
            return self._state.last_position(group_id)

    def load_flows(self, group_id: int, *, after: str = "", limit: int = 100) -> list[FlowLog]:
        with self._lock:
            check_group(group_id, self.group_count)
            live = sorted(
                flow_id
                for flow_id, entry in self._state.entries.items()
                if entry.group_id == group_id and not entry.status.is_terminal and flow_id > after
            )
            state = self._state
            return [FlowLog(state.entries[flow_id], tuple(state.flows[flow_id])) for flow_id in live[:limit]]

    def read_flow(self, flow_id: str, *, after_revision: int = 0) -> list[LogRecord]:
        with self._lock:
            return self._state.flows.get(flow_id, [])[max(after_revision, 0) :]

    def read_log(
        self, group_id: int, *, after: int = 0, limit: int = 1000, accept_gaps: bool = False
    ) -> list[LogRecord]:
        with self._lock:
            log = self._state.group(group_id).log
            if not accept_gaps:
                check_not_pruned(group_id, after, self._state.group(group_id).pruned_through)
            first = bisect_right(log, after, key=lambda record: record.position)
            return log[first : first + limit]

    def prune(self, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
        with self._lock:
            check_group(lease.group_id, self.group_count)
            if not self._state.is_current(lease):
                raise no_longer_held(lease)
            entries = {flow_id: entry for flow_id in flow_ids if (entry := self._entry(flow_id))}
            instances = {(entry.workflow_id, entry.instance_id) for entry in entries.values()}
            others = [run for run in self._runs.values() if (run.workflow_id, run.instance_id) in instances]
            known = {**entries, **{run.flow_id: self._entry(run.flow_id) or run.entry for run in others}}
            here = {flow_id for flow_id, entry in entries.items() if entry.group_id == lease.group_id}
            for flow_id in prunable(here, [self._indexed(entry) for entry in known.values()]):
                self._state.remove(flow_id)
                run = self._runs.pop(flow_id, None)
                if run is not None:
                    del self._starts[run.workflow_id, run.request_id]
            return frozenset(flow_id for flow_id in flow_ids if self._entry(flow_id) is None)

    def _indexed(self, entry: RunEntry) -> IndexedRun:
        return IndexedRun(
            entry.flow_id,
            entry.workflow_id,
            entry.instance_id,
            entry.run_id,
            is_finished=entry.status.is_terminal and not entry.blocking,
            is_ended=entry.status.is_terminal,
            is_pending=entry.flow_id in self._pending,
            is_start=entry.flow_id in self._runs,
        )

    def pruned_through(self, group_id: int) -> int:
        with self._lock:
            return self._state.group(group_id).pruned_through

    # -- cursors of sinks ---------------------------------------------------------------------------------------

    def open_cursor(self, group_id: int, sink: str, owner: Owner, *, position: int | None = None) -> Cursor:
        with self._lock:
            cursors, last = self._state.group(group_id).cursors, self._state.last_position(group_id)
            now = self._clock.time()
            cursors[sink] = opened(
                cursors.get(sink), group_id, sink, owner, position=position, last_position=last, now=now
            )
            return cursors[sink]

    def move_cursor(self, cursor: Cursor, position: int) -> Cursor:
        with self._lock:
            cursors = self._state.group(cursor.group_id).cursors
            last = self._state.last_position(cursor.group_id)
            now = self._clock.time()
            cursors[cursor.sink] = moved(cursors.get(cursor.sink), cursor, position, last_position=last, now=now)
            return cursors[cursor.sink]

    def cursors(self, *, after: tuple[int, str] = (-1, ""), limit: int = 100) -> list[Cursor]:
        with self._lock:
            everywhere = [cursor for group in self._state.groups for cursor in group.cursors.values()]
        ordered = sorted(everywhere, key=lambda cursor: (cursor.group_id, cursor.sink))
        return [cursor for cursor in ordered if (cursor.group_id, cursor.sink) > after][:limit]

    def drop_cursor(self, group_id: int, sink: str) -> None:
        with self._lock:
            self._state.group(group_id).cursors.pop(sink, None)

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        check_groups(message, self.group_count)
        with self._lock:
            there = self._state.put(message, self._clock.time())
            check_same_message(there, message)
        self._listeners.tell_of_others([message.group_id])
        return there

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        check_group(lease.group_id, self.group_count)
        with self._lock:
            if not self._state.is_current(lease):
                raise no_longer_held(lease)
            waiting = [x for x in self._state.groups[lease.group_id].waiting() if x.message.sequence > after][:limit]
            for stored in waiting:
                if stored.delivered_to < lease.generation:
                    stored.delivered_to = lease.generation
                    stored.message = evolve(stored.message, deliveries=stored.message.deliveries + 1)
            return [stored.message for stored in waiting]

    def message(self, group_id: int, message_id: str) -> Message | None:
        with self._lock:
            return self._state.message(group_id, message_id)

    def dead_letters(self, *, after: tuple[int, int] = (-1, 0), limit: int = 100) -> list[Message]:
        with self._lock:
            messages = [stored.message for group in self._state.groups for stored in group.inbox.values()]
        dead = (message for message in messages if message.state is MessageState.DEAD)
        return [message for message in dead if (message.group_id, message.sequence) > after][:limit]

    def redrive(self, group_id: int, message_id: str) -> Message:
        with self._lock:
            message = self._state.redrive(group_id, message_id)
        self._listeners.tell_of_others([group_id])
        return message

    def purge_messages(self, *, settled_before: float) -> int:
        with self._lock:
            purged = 0
            for group in self._state.groups:
                for message_id, stored in list(group.inbox.items()):
                    is_old = stored.settled_at is not None and stored.settled_at < settled_before
                    if is_old and stored.message.state is MessageState.SETTLED:
                        del group.inbox[message_id]
                        purged += 1
            return purged

    # -- the catalog --------------------------------------------------------------------------------------------

    def push(self, workflow_id: str, body: bytes) -> int:
        with self._lock:
            versions = self._definitions.setdefault(workflow_id, [])
            if not versions or versions[-1].body != body:
                versions.append(StoredDefinition(workflow_id, len(versions) + 1, body, self._clock.time()))
            return versions[-1].version

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        with self._lock:
            versions = self._definitions.get(workflow_id, [])
            wanted = len(versions) if version is None else version
            check_number("version", wanted)
            return versions[wanted - 1] if 1 <= wanted <= len(versions) else None

    def start(self, requests: Sequence[StartRequest]) -> list[PendingRun]:
        for request in requests:
            check_group(request.group_id, self.group_count)
        answers: list[PendingRun] = []
        with self._lock:
            try:
                for request in requests:
                    answers.append(self._start(request))
            except MaestroFlowError:
                self._undo(answers)
                raise
        self._listeners.tell_of_others(run.group_id for run in answers)
        return answers

    def _start(self, request: StartRequest) -> PendingRun:
        there = self._starts.get((request.workflow_id, request.request_id))
        if there is not None:
            check_same_start(there, request)
            return evolve(there, sequence=0)
        run = new_run(
            request,
            latest_version=len(self._definitions.get(request.workflow_id, [])),
            latest_instance=self._instances.get(request.workflow_id, 0),
            latest_run=None if request.after is None else self._latest_run(request.workflow_id, request.after[0]),
            now=self._clock.time(),
        )
        if run.run_id == 1:
            self._instances[request.workflow_id] = run.instance_id
        self._sequence += 1
        known = evolve(run, fresh=False, sequence=self._sequence)
        self._starts[request.workflow_id, request.request_id] = known
        self._runs[run.flow_id] = self._pending[run.flow_id] = known
        return run

    def _latest_run(self, workflow_id: str, instance_id: int) -> PendingRun | None:
        runs = (r for r in self._runs.values() if (r.workflow_id, r.instance_id) == (workflow_id, instance_id))
        return max(runs, key=lambda run: run.run_id, default=None)

    def _undo(self, answers: Sequence[PendingRun]) -> None:
        """All or nothing: remove the runs that this call has created, latest first."""
        for run in reversed([answer for answer in answers if answer.fresh]):
            del self._starts[run.workflow_id, run.request_id], self._runs[run.flow_id], self._pending[run.flow_id]
            self._instances[run.workflow_id] -= run.run_id == 1

    def pending_starts(self, group_id: int, *, after: int = 0, limit: int = 100) -> list[PendingRun]:
        with self._lock:
            check_group(group_id, self.group_count)
            return [run for run in self._pending.values() if run.group_id == group_id and run.sequence > after][:limit]

    def acknowledge_starts(self, flow_ids: Sequence[str]) -> None:
        with self._lock:
            for flow_id in flow_ids:
                self._pending.pop(flow_id, None)

    # -- the run index ------------------------------------------------------------------------------------------

    def run(self, flow_id: str) -> RunEntry | None:
        with self._lock:
            return self._entry(flow_id)

    def list_runs(self, query: RunQuery) -> list[RunEntry]:
        with self._lock:
            entries = [entry for entry in map(self._entry, {**self._runs, **self._state.entries}) if entry is not None]
        matching = [entry for entry in entries if matches(entry, query)]
        return sorted(matching, key=age, reverse=True)[: query.limit]

    def _entry(self, flow_id: str) -> RunEntry | None:
        """The entry that commits have written, otherwise that of the start."""
        if flow_id in self._state.entries:
            return self._state.entries[flow_id]
        return self._runs[flow_id].entry if flow_id in self._runs else None
