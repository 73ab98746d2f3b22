"""The Storage protocol on a Redis server: each verb is a Lua script, or one for each group that it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Holder, Lease, Owner, Renewal
from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.storage.judge import check_group, check_groups
from maestro_flow.storage.protocol import RunQuery, StoredDefinition
from maestro_flow_redis import catalog, cursors, inbox, log, pruning
from maestro_flow_redis import leases as ownership
from maestro_flow_redis.commit import commit_batch
from maestro_flow_redis.hints import RedisHints
from maestro_flow_redis.listing import list_runs
from maestro_flow_redis.locations import RunLocations
from maestro_flow_redis.server import Server

__all__ = ["RedisStorage"]


class RedisStorage:
    """A store on a server, for any number of processes on any number of hosts; see the Storage protocol.

    Times are by the server's clock. Besides what the protocol lists, every verb raises StorageReset when the server
    has lost the store that was opened; only opening it again helps.
    """

    def __init__(self, server: Server, *, known: int) -> None:
        self._server = server
        self._known = known  # the schema version of this program
        self._locations = RunLocations(server)
        self._hints = RedisHints(server)

    def __repr__(self) -> str:
        return f"<RedisStorage {self._server.target.name}>"

    @property
    def group_count(self) -> int:
        return self._server.group_count

    @property
    def schema_version(self) -> int:
        return int(self._server.call("schema_version", self._server.catalog))

    def close(self) -> None:
        """Let go of the connections. May be called twice."""
        self._hints.close()
        self._server.close()

    # -- ownership ----------------------------------------------------------------------------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        self._server.shorten(lease_s)
        leases = ownership.claim(self._server, owner, lease_s, limit, self._known)
        self._hints.listeners.hold(lease.group_id for lease in leases)
        return leases

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        renewal = ownership.renew(self._server, owner, leases, lease_s, offers)
        self._hints.listeners.release(renewal.lost)
        return renewal

    def release(self, leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        released = ownership.release(self._server, leases, to, keep_s)
        self._hints.listeners.release(released)
        self._hints.tell(released)

    def leave(self, owner: Owner) -> None:
        ownership.leave(self._server, owner)

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        return self._hints.listen(wake)

    def holder(self, group_id: int) -> Holder | None:
        check_group(group_id, self.group_count)
        return ownership.holder(self._server, group_id)

    # -- commit ------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        return commit_batch(self._server, batch)

    # -- the log ------------------------------------------------------------------------------------------------

    def last_position(self, group_id: int) -> int:
        check_group(group_id, self.group_count)
        return log.last_position(self._server, group_id)

    def load_flows(self, group_id: int, *, after: str = "", limit: int = 100) -> list[FlowLog]:
        check_group(group_id, self.group_count)
        return log.load_flows(self._server, group_id, after, limit)

    def read_flow(self, flow_id: str, *, after_revision: int = 0) -> list[LogRecord]:
        group_id = self._locations.group_of(flow_id)
        return [] if group_id is None else log.read_flow(self._server, group_id, flow_id, after_revision)

    def read_log(
        self, group_id: int, *, after: int = 0, limit: int = 1000, accept_gaps: bool = False
    ) -> list[LogRecord]:
        check_group(group_id, self.group_count)
        return log.read_log(self._server, group_id, after, limit, accept_gaps=accept_gaps)

    def prune(self, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
        check_group(lease.group_id, self.group_count)
        return pruning.prune(self._server, self._locations, lease, flow_ids)

    def pruned_through(self, group_id: int) -> int:
        check_group(group_id, self.group_count)
        return pruning.pruned_through(self._server, group_id)

    # -- cursors of sinks ---------------------------------------------------------------------------------------

    def open_cursor(self, group_id: int, sink: str, owner: Owner, *, position: int | None = None) -> Cursor:
        check_group(group_id, self.group_count)
        return cursors.open_cursor(self._server, group_id, sink, owner, position=position)

    def move_cursor(self, cursor: Cursor, position: int) -> Cursor:
        check_group(cursor.group_id, self.group_count)
        return cursors.move_cursor(self._server, cursor, position)

    def cursors(self, *, after: tuple[int, str] = (-1, ""), limit: int = 100) -> list[Cursor]:
        return cursors.cursors(self._server, after, limit)

    def drop_cursor(self, group_id: int, sink: str) -> None:
        check_group(group_id, self.group_count)
        cursors.drop_cursor(self._server, group_id, sink)

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        check_groups(message, self.group_count)
        there = inbox.send(self._server, message)
        self._hints.tell([message.group_id])
        return there

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        check_group(lease.group_id, self.group_count)
        return inbox.receive(self._server, lease, after, limit)

    def message(self, group_id: int, message_id: str) -> Message | None:
        check_group(group_id, self.group_count)
        return inbox.message(self._server, group_id, message_id)

    def dead_letters(self, *, after: tuple[int, int] = (-1, 0), limit: int = 100) -> list[Message]:
        return inbox.dead_letters(self._server, after, limit)

    def redrive(self, group_id: int, message_id: str) -> Message:
        check_group(group_id, self.group_count)
        message = inbox.redrive(self._server, group_id, message_id)
        self._hints.tell([group_id])
        return message

    def purge_messages(self, *, settled_before: float) -> int:
        return inbox.purge(self._server, settled_before)

    # -- the catalog --------------------------------------------------------------------------------------------

    def push(self, workflow_id: str, body: bytes) -> int:
        return catalog.push(self._server, workflow_id, body)

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        return catalog.definition(self._server, workflow_id, version)

    def start(self, requests: Sequence[StartRequest]) -> list[PendingRun]:
        for request in requests:
            check_group(request.group_id, self.group_count)
        runs = catalog.start(self._server, requests)
        for run in runs:
            self._locations.remember(run.flow_id, run.group_id)
        self._hints.tell({run.group_id for run in runs})
        return runs

    def pending_starts(self, group_id: int, *, after: int = 0, limit: int = 100) -> list[PendingRun]:
        check_group(group_id, self.group_count)
        runs = catalog.pending_starts(self._server, group_id, after, limit)
        for run in runs:  # the owner acknowledges them next
            self._locations.remember(run.flow_id, run.group_id)
        return runs

    def acknowledge_starts(self, flow_ids: Sequence[str]) -> None:
        catalog.acknowledge_starts(self._server, self._locations, flow_ids)

    # -- the run index ------------------------------------------------------------------------------------------

    def run(self, flow_id: str) -> RunEntry | None:
        return self._locations.run(flow_id)

    def list_runs(self, query: RunQuery) -> list[RunEntry]:
        return list_runs(self._server, query)
