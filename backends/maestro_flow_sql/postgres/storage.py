"""The Storage protocol on a PostgreSQL schema: each verb is one statement, or a short transaction."""

from __future__ import annotations

from collections.abc import Sequence

from maestro_flow.model.commit import (
    Commit,
    FlowLog,
    GivenRun,
    Lease,
    LogRecord,
    Message,
    Outcome,
    Owner,
    Renewal,
    RunEntry,
    StartRequest,
)
from maestro_flow.storage.judge import check_group
from maestro_flow.storage.protocol import RunQuery, StoredDefinition
from maestro_flow_sql import queries
from maestro_flow_sql.migrations import Admission
from maestro_flow_sql.postgres import catalog, inbox
from maestro_flow_sql.postgres import leases as ownership
from maestro_flow_sql.postgres.commit import commit_batch
from maestro_flow_sql.postgres.connections import Connections

__all__ = ["PostgresStorage"]


class PostgresStorage:
    """A store on a server, for any number of processes on any number of hosts; see the Storage protocol.

    Times are by the server's clock (``store_time``).
    """

    def __init__(self, connections: Connections, group_count: int, admission: Admission) -> None:
        self._connections = connections
        self._group_count = group_count
        self._admission = admission

    @property
    def group_count(self) -> int:
        return self._group_count

    @property
    def schema_version(self) -> int:
        with self._connections.reading() as connection:
            return queries.meta(connection).version

    def close(self) -> None:
        """Let go of the connections. May be called twice."""
        self._connections.close()

    # -- ownership ----------------------------------------------------------------------------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        self._connections.shorten(lease_s)
        with self._connections.owning() as db:
            leases = ownership.claim(db, owner, lease_s, limit, self._admission.version)
        if not leases:
            with self._connections.reading_as_owner() as connection:
                self._admission.check(queries.meta(connection))
        return leases

    def renew(self, owner: Owner, leases: Sequence[Lease], *, lease_s: float) -> Renewal:
        with self._connections.owning() as db:
            return ownership.renew(db, owner, leases, lease_s)

    def release(self, leases: Sequence[Lease]) -> None:
        with self._connections.owning() as db:
            ownership.release(db, leases)

    # -- the one write door -------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        for commit in batch:
            check_group(commit.lease.group_id, self._group_count)
        with self._connections.owning() as db:
            return commit_batch(db, batch)

    # -- the log ------------------------------------------------------------------------------------------------

    def last_position(self, group_id: int) -> int:
        check_group(group_id, self._group_count)
        with self._connections.reading_as_owner() as connection:
            return queries.last_position(connection, group_id)

    def load_flows(self, group_id: int, *, after: str = "", limit: int = 100) -> list[FlowLog]:
        check_group(group_id, self._group_count)
        with self._connections.snapshot_as_owner() as connection:
            return queries.load_flows(connection, group_id, after, limit)

    def read_flow(self, flow_id: str, *, after_revision: int = 0) -> list[LogRecord]:
        with self._connections.reading() as connection:
            return queries.read_flow(connection, flow_id, after_revision)

    def read_log(self, group_id: int, *, after: int = 0, limit: int = 1000) -> list[LogRecord]:
        check_group(group_id, self._group_count)
        with self._connections.reading() as connection:
            return queries.read_log(connection, group_id, after, limit)

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        check_group(message.group_id, self._group_count)
        with self._connections.direct() as db:
            return inbox.send(db, message)

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        check_group(lease.group_id, self._group_count)
        with self._connections.owning() as db:
            return inbox.receive(db, lease, after, limit)

    def message(self, group_id: int, message_id: str) -> Message | None:
        check_group(group_id, self._group_count)
        with self._connections.reading() as connection:
            return queries.message(connection, group_id, message_id)

    def purge_messages(self, *, settled_before: float) -> int:
        with self._connections.direct() as db:
            return inbox.purge(db, settled_before)

    # -- the catalog --------------------------------------------------------------------------------------------

    def push(self, workflow_id: str, body: bytes) -> int:
        with self._connections.direct() as db:
            return catalog.push(db, workflow_id, body)

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        with self._connections.reading() as connection:
            return queries.definition(connection, workflow_id, version)

    def start(self, requests: Sequence[StartRequest]) -> list[GivenRun]:
        for request in requests:
            check_group(request.group_id, self._group_count)
        with self._connections.direct() as db:
            return catalog.start(db, requests)

    def given(self, group_id: int, *, limit: int = 100) -> list[GivenRun]:
        check_group(group_id, self._group_count)
        with self._connections.reading_as_owner() as connection:
            return queries.given_runs(connection, group_id, limit)

    def taken(self, flow_ids: Sequence[str]) -> None:
        with self._connections.owning() as db:
            catalog.taken(db, flow_ids)

    # -- the run index ------------------------------------------------------------------------------------------

    def run(self, flow_id: str) -> RunEntry | None:
        with self._connections.reading() as connection:
            return queries.run_entry(connection, flow_id)

    def list_runs(self, query: RunQuery) -> list[RunEntry]:
        with self._connections.reading() as connection:
            return queries.list_runs(connection, query)
