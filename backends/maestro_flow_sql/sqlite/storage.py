"""The Storage protocol on one SQLite file: each verb is a transaction of the writer or a snapshot of the reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection, literal

from maestro_flow.clock import Clock
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner, Renewal
from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.judge import check_group, check_groups
from maestro_flow.storage.listeners import Listeners
from maestro_flow_sql.migrations import META, Admission, Meta
from maestro_flow_sql.reads import SqlReads
from maestro_flow_sql.rows import in_parts
from maestro_flow_sql.sqlite import catalog, cursors, inbox, pruning
from maestro_flow_sql.sqlite import leases as ownership
from maestro_flow_sql.sqlite.append import APPEND, append_values
from maestro_flow_sql.sqlite.commit import commit_batch
from maestro_flow_sql.sqlite.reader import Reader
from maestro_flow_sql.sqlite.writer import Writer

__all__ = ["SqliteStorage"]


class SqliteStorage(SqlReads):
    """A store in a file, for any number of processes on one host; see the Storage protocol.

    Times are by the given clock, which is the host's: all processes on a file share it.
    """

    def __init__(self, writer: Writer, reader: Reader, clock: Clock, group_count: int, admission: Admission) -> None:
        super().__init__(group_count)
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._admission = admission
        self._listeners = Listeners()

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._reader.snapshot()

    _reading_as_owner = _snapshot_as_owner = _reading

    def _now(self) -> ColumnElement[float]:
        return literal(self._clock.time())

    def close(self) -> None:
        """Wait for the write under way, and close the file. May be called twice."""
        self._reader.close()
        self._writer.close()

    # -- ownership: urgent, so that no lease is lost behind many commits (PROTOCOL 12) ----------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        with self._writer.transaction(urgent=True) as db:
            self._admission.check(Meta(*db.execute(META).fetchone()))
            leases = ownership.claim(db, owner, self._clock.time(), lease_s, limit)
        self._listeners.hold(lease.group_id for lease in leases)
        return leases

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        with self._writer.transaction(urgent=True) as db:
            now = self._clock.time()
            if offers is not None:
                ownership.advertise(db, owner, now, lease_s, offers)
            renewal = ownership.renew(db, owner, leases, now, lease_s)
        self._listeners.release(renewal.lost)
        return renewal

    def release(self, leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        with self._writer.transaction(urgent=True) as db:
            released = ownership.release(db, leases, to, self._clock.time() + keep_s)
        self._listeners.release(released)
        self._listeners.tell_of_others(released)

    def leave(self, owner: Owner) -> None:
        with self._writer.transaction(urgent=True) as db:
            ownership.leave(db, owner)

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """Only hears of calls through this handle; a scan finds what other processes do."""
        return self._listeners.add(wake)

    # -- commit ------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        for commit in batch:
            check_group(commit.lease.group_id, self._group_count)
        alone = append_values(batch)
        if alone is not None and self._writer.statement(APPEND, alone):
            return [Outcome.DONE]
        with self._writer.transaction() as db:
            return commit_batch(db, batch, self._group_count, self._clock.time())

    # -- pruning, and cursors of sinks --------------------------------------------------------------------------

    def prune(self, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
        check_group(lease.group_id, self._group_count)
        gone: set[str] = set()
        for part in in_parts(flow_ids):
            with self._writer.transaction() as db:
                gone |= pruning.prune(db, lease, part)
        return frozenset(gone)

    def open_cursor(self, group_id: int, sink: str, owner: Owner, *, position: int | None = None) -> Cursor:
        check_group(group_id, self._group_count)
        with self._writer.transaction() as db:
            return cursors.open_cursor(db, group_id, sink, owner, position=position, now=self._clock.time())

    def move_cursor(self, cursor: Cursor, position: int) -> Cursor:
        check_group(cursor.group_id, self._group_count)
        with self._writer.transaction() as db:
            return cursors.move_cursor(db, cursor, position, self._clock.time())

    def drop_cursor(self, group_id: int, sink: str) -> None:
        check_group(group_id, self._group_count)
        with self._writer.transaction() as db:
            cursors.drop_cursor(db, group_id, sink)

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        check_groups(message, self._group_count)
        with self._writer.transaction() as db:
            there = inbox.send(db, message, self._clock.time())
        self._listeners.tell_of_others([message.group_id])
        return there

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        check_group(lease.group_id, self._group_count)
        with self._writer.transaction() as db:
            return inbox.receive(db, lease, after, limit)

    def redrive(self, group_id: int, message_id: str) -> Message:
        check_group(group_id, self._group_count)
        with self._writer.transaction() as db:
            message = inbox.redrive(db, group_id, message_id)
        self._listeners.tell_of_others([group_id])
        return message

    def purge_messages(self, *, settled_before: float) -> int:
        purged = 0
        while True:
            with self._writer.transaction() as db:
                count = inbox.purge(db, settled_before)
            purged += count
            if count < inbox.PURGED_AT_ONCE:
                return purged

    # -- the catalog --------------------------------------------------------------------------------------------

    def push(self, workflow_id: str, body: bytes) -> int:
        with self._writer.transaction() as db:
            return catalog.push(db, workflow_id, body, self._clock.time())

    def start(self, requests: Sequence[StartRequest]) -> list[PendingRun]:
        for request in requests:
            check_group(request.group_id, self._group_count)
        with self._writer.transaction() as db:
            runs = catalog.start(db, requests, self._clock.time())
        self._listeners.tell_of_others(run.group_id for run in runs)
        return runs

    def acknowledge_starts(self, flow_ids: Sequence[str]) -> None:
        with self._writer.transaction() as db:
            catalog.acknowledge_starts(db, flow_ids)
