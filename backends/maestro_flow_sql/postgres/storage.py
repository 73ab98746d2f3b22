"""The Storage protocol on a PostgreSQL schema: each verb is one statement, or a short transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection, func

from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner, Renewal
from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.judge import check_group, check_groups
from maestro_flow_sql.migrations import Admission
from maestro_flow_sql.postgres import catalog, cursors, inbox, pruning
from maestro_flow_sql.postgres import leases as ownership
from maestro_flow_sql.postgres.commit import commit_batch
from maestro_flow_sql.postgres.connections import Connections
from maestro_flow_sql.postgres.hints import PostgresHints
from maestro_flow_sql.reads import SqlReads
from maestro_flow_sql.rows import in_parts

__all__ = ["PostgresStorage"]


class PostgresStorage(SqlReads):
    """A store on a server, for any number of processes on any number of hosts; see the Storage protocol.

    Times are by the server's clock (``store_time``).
    """

    def __init__(self, connections: Connections, hints: PostgresHints, group_count: int, admission: Admission) -> None:
        super().__init__(group_count)
        self._connections = connections
        self._hints = hints
        self._admission = admission

    def _reading(self) -> AbstractContextManager[Connection]:
        return self._connections.reading()

    def _reading_as_owner(self) -> AbstractContextManager[Connection]:
        return self._connections.reading_as_owner()

    def _snapshot_as_owner(self) -> AbstractContextManager[Connection]:
        return self._connections.snapshot_as_owner()

    def _now(self) -> ColumnElement[float]:
        return func.store_time()

    def close(self) -> None:
        """Let go of the connections. May be called twice."""
        self._hints.close()
        self._connections.close()

    # -- ownership ----------------------------------------------------------------------------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        self._connections.shorten(lease_s)
        with self._connections.owning() as db:
            leases = ownership.claim(db, owner, lease_s, limit, self._admission.version)
        self._hints.listeners.hold(lease.group_id for lease in leases)
        if not leases:
            self._admission.check(self._meta())
        return leases

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        with self._connections.owning() as db:
            renewal = ownership.renew(db, owner, leases, lease_s, offers)
        self._hints.listeners.release(renewal.lost)
        return renewal

    def release(self, leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        with self._connections.owning() as db:
            released = ownership.release(db, leases, to, keep_s)
            self._hints.listeners.release(released)
            self._hints.tell(db, released)

    def leave(self, owner: Owner) -> None:
        with self._connections.owning() as db:
            ownership.leave(db, owner)

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        return self._hints.listen(wake)

    # -- commit ------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        for commit in batch:
            check_group(commit.lease.group_id, self._group_count)
        with self._connections.owning() as db:
            return commit_batch(db, batch, self._group_count)

    # -- pruning, and cursors of sinks --------------------------------------------------------------------------

    def prune(self, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
        check_group(lease.group_id, self._group_count)
        gone: set[str] = set()
        for part in in_parts(flow_ids):
            with self._connections.direct() as db:
                gone |= pruning.prune(db, lease, part)
        return frozenset(gone)

    def open_cursor(self, group_id: int, sink: str, owner: Owner, *, position: int | None = None) -> Cursor:
        check_group(group_id, self._group_count)
        with self._connections.direct() as db:
            return cursors.open_cursor(db, group_id, sink, owner, position=position)

    def move_cursor(self, cursor: Cursor, position: int) -> Cursor:
        check_group(cursor.group_id, self._group_count)
        with self._connections.direct() as db:
            return cursors.move_cursor(db, cursor, position)

    def drop_cursor(self, group_id: int, sink: str) -> None:
        check_group(group_id, self._group_count)
        with self._connections.direct() as db:
            cursors.drop_cursor(db, group_id, sink)

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        check_groups(message, self._group_count)
        with self._connections.direct() as db:
            there = inbox.send(db, message)
            self._hints.tell(db, [message.group_id])
        return there

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        check_group(lease.group_id, self._group_count)
        with self._connections.owning() as db:
            return inbox.receive(db, lease, after, limit)

    def redrive(self, group_id: int, message_id: str) -> Message:
        check_group(group_id, self._group_count)
        with self._connections.direct() as db:
            message = inbox.redrive(db, group_id, message_id)
            self._hints.tell(db, [group_id])
        return message

    def purge_messages(self, *, settled_before: float) -> int:
        with self._connections.direct() as db:
            return inbox.purge(db, settled_before)

    # -- the catalog --------------------------------------------------------------------------------------------

    def push(self, workflow_id: str, body: bytes) -> int:
        with self._connections.direct() as db:
            return catalog.push(db, workflow_id, body)

    def start(self, requests: Sequence[StartRequest]) -> list[PendingRun]:
        for request in requests:
            check_group(request.group_id, self._group_count)
        with self._connections.direct() as db:
            runs = catalog.start(db, requests)
            self._hints.tell(db, {run.group_id for run in runs})
        return runs

    def acknowledge_starts(self, flow_ids: Sequence[str]) -> None:
        with self._connections.owning() as db:
            catalog.acknowledge_starts(db, flow_ids)
