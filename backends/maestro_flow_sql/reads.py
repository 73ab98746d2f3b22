"""The verbs of the Storage protocol that only read, once for every dialect."""

from __future__ import annotations

from abc import abstractmethod
from contextlib import AbstractContextManager

from sqlalchemy import ColumnElement, Connection

from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Holder
from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.storage.judge import check_group
from maestro_flow.storage.protocol import RunQuery, StoredDefinition
from maestro_flow.storage.pruning import check_not_pruned
from maestro_flow_sql import queries
from maestro_flow_sql.migrations import Meta

__all__ = ["SqlReads"]


class SqlReads:
    """Base of the stores, which provide the connections."""

    def __init__(self, group_count: int) -> None:
        self._group_count = group_count

    @abstractmethod
    def _reading(self) -> AbstractContextManager[Connection]:
        """A connection for callers. Each statement sees what was committed when it began."""

    @abstractmethod
    def _reading_as_owner(self) -> AbstractContextManager[Connection]:
        """A connection for owners, which do not wait for callers."""

    @abstractmethod
    def _snapshot_as_owner(self) -> AbstractContextManager[Connection]:
        """A connection whose statements all see one snapshot of the store."""

    @abstractmethod
    def _now(self) -> ColumnElement[float]:
        """The store's clock, as an SQL expression."""

    @property
    def group_count(self) -> int:
        return self._group_count

    @property
    def schema_version(self) -> int:
        return self._meta().version

    def _meta(self) -> Meta:
        with self._reading_as_owner() as connection:
            return queries.meta(connection)

    # -- ownership ----------------------------------------------------------------------------------------------

    def holder(self, group_id: int) -> Holder | None:
        check_group(group_id, self._group_count)
        with self._reading() as connection:
            return queries.holder(connection, group_id, self._now())

    # -- the log ------------------------------------------------------------------------------------------------

    def last_position(self, group_id: int) -> int:
        check_group(group_id, self._group_count)
        with self._reading_as_owner() as connection:
            return queries.last_position(connection, group_id)

    def load_flows(self, group_id: int, *, after: str = "", limit: int = 100) -> list[FlowLog]:
        check_group(group_id, self._group_count)
        with self._snapshot_as_owner() as connection:
            return queries.load_flows(connection, group_id, after, limit)

    def read_flow(self, flow_id: str, *, after_revision: int = 0) -> list[LogRecord]:
        with self._reading() as connection:
            return queries.read_flow(connection, flow_id, after_revision)

    def read_log(
        self, group_id: int, *, after: int = 0, limit: int = 1000, accept_gaps: bool = False
    ) -> list[LogRecord]:
        check_group(group_id, self._group_count)
        with self._reading() as connection:
            records = queries.read_log(connection, group_id, after, limit)
            if not accept_gaps:  # checked after reading the records, so that concurrent pruning is noticed, too
                check_not_pruned(group_id, after, queries.pruned_through(connection, group_id))
        return records

    def pruned_through(self, group_id: int) -> int:
        check_group(group_id, self._group_count)
        with self._reading() as connection:
            return queries.pruned_through(connection, group_id)

    def cursors(self, *, after: tuple[int, str] = (-1, ""), limit: int = 100) -> list[Cursor]:
        with self._reading() as connection:
            return queries.cursors(connection, after, limit)

    # -- the inbox and the catalog ------------------------------------------------------------------------------

    def message(self, group_id: int, message_id: str) -> Message | None:
        check_group(group_id, self._group_count)
        with self._reading() as connection:
            return queries.message(connection, group_id, message_id)

    def dead_letters(self, *, after: tuple[int, int] = (-1, 0), limit: int = 100) -> list[Message]:
        with self._reading() as connection:
            return queries.dead_letters(connection, after, limit)

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        with self._reading() as connection:
            return queries.definition(connection, workflow_id, version)

    def pending_starts(self, group_id: int, *, after: int = 0, limit: int = 100) -> list[PendingRun]:
        check_group(group_id, self._group_count)
        with self._reading_as_owner() as connection:
            return queries.pending_starts(connection, group_id, after, limit)

    # -- the run index ------------------------------------------------------------------------------------------

    def run(self, flow_id: str) -> RunEntry | None:
        with self._reading() as connection:
            return queries.run_entry(connection, flow_id)

    def list_runs(self, query: RunQuery) -> list[RunEntry]:
        with self._reading() as connection:
            return queries.list_runs(connection, query)
