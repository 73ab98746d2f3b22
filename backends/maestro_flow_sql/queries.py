"""Queries that are the same in every dialect: SQLAlchemy Core on a connection that the caller has opened.

Columns are selected under the names of the model's fields, so that a row can be converted to a model object.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import accumulate, groupby, starmap
from typing import Any, TypeAlias

import attrs
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    RowMapping,
    Select,
    Text,
    bindparam,
    func,
    literal_column,
    select,
    text,
    tuple_,
    union_all,
)

from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Holder
from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.model.numbers import check_number
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.protocol import RunQuery, StoredDefinition
from maestro_flow_sql.migrations import META, Meta
from maestro_flow_sql.schema import cursors as cursors_of_sinks
from maestro_flow_sql.schema import definitions, leases, log, messages, runs

__all__ = [
    "cursors",
    "dead_letters",
    "definition",
    "holder",
    "last_position",
    "list_runs",
    "load_flows",
    "message",
    "meta",
    "pending_starts",
    "pruned_through",
    "read_flow",
    "read_log",
    "run_entry",
]

Statement: TypeAlias = Select[tuple[Any, ...]]


def _select(table: FromClause, model: type[attrs.AttrsInstance], *, without: Collection[str] = ()) -> Statement:
    return select(*(table.c[field.name] for field in attrs.fields(model) if field.name not in without))


# -- the store --------------------------------------------------------------------------------------------------


def meta(connection: Connection) -> Meta:
    return Meta(*connection.exec_driver_sql(META).one())


# -- ownership --------------------------------------------------------------------------------------------------

_HOLDER = _select(leases, Holder, without=["now"]).where(
    leases.c.group_id == bindparam("group_id"), leases.c.owner_id != ""
)


def holder(connection: Connection, group_id: int, now: ColumnElement[float]) -> Holder | None:
    row = connection.execute(_HOLDER.add_columns(now), {"group_id": group_id}).first()
    return None if row is None else Holder(*row)


# -- the log ----------------------------------------------------------------------------------------------------

_RECORDS = _select(log, LogRecord)
_FLOW = _RECORDS.where(log.c.flow_id == bindparam("flow_id"), log.c.revision > bindparam("after")).order_by(
    log.c.revision
)
_LOG = (
    _RECORDS.where(log.c.group_id == bindparam("group_id"), log.c.position > bindparam("after"))
    .order_by(log.c.position)
    .limit(bindparam("limit"))
)
_LAST = select(
    select(func.coalesce(func.max(log.c.position), 0)).where(log.c.group_id == bindparam("group_id")).scalar_subquery(),
    leases.c.pruned_through,
).where(leases.c.group_id == bindparam("group_id"))
_PRUNED = select(leases.c.pruned_through).where(leases.c.group_id == bindparam("group_id"))
_LIVE = (
    _select(runs, RunEntry)
    .where(text("is_live = 1"), runs.c.group_id == bindparam("group_id"), runs.c.flow_id > bindparam("after"))
    .order_by(runs.c.flow_id)
    .limit(bindparam("limit"))
)
_PAGE_BYTES = 8 * 1024 * 1024
"""Bytes of records in a page of flows, which must be read within a statement's timeout, however short the lease."""
_SIZES = (
    select(log.c.flow_id, func.sum(func.length(log.c.events)))
    .where(log.c.flow_id.in_(bindparam("flow_ids", expanding=True)))
    .group_by(log.c.flow_id)
)
_FLOWS = _RECORDS.where(log.c.flow_id.in_(bindparam("flow_ids", expanding=True))).order_by(
    log.c.flow_id, log.c.revision
)


def last_position(connection: Connection, group_id: int) -> int:
    """The highest position ever written; pruned positions are never assigned again."""
    return int(max(*connection.execute(_LAST, {"group_id": group_id}).one()))


def pruned_through(connection: Connection, group_id: int) -> int:
    return int(connection.execute(_PRUNED, {"group_id": group_id}).scalar_one())


def read_flow(connection: Connection, flow_id: str, after: int) -> list[LogRecord]:
    return _records(connection, _FLOW, flow_id=flow_id, after=after)


def read_log(connection: Connection, group_id: int, after: int, limit: int) -> list[LogRecord]:
    return _records(connection, _LOG, group_id=group_id, after=after, limit=limit)


def load_flows(connection: Connection, group_id: int, after: str, limit: int) -> list[FlowLog]:
    page = connection.execute(_LIVE, {"group_id": group_id, "after": after, "limit": limit}).mappings()
    entries = _as_many_as_fit(connection, [_entry(row) for row in page])
    records = _records(connection, _FLOWS, flow_ids=[entry.flow_id for entry in entries])
    of_flow = {flow_id: tuple(group) for flow_id, group in groupby(records, key=lambda record: record.flow_id)}
    return [FlowLog(entry, of_flow[entry.flow_id]) for entry in entries]


def _as_many_as_fit(connection: Connection, entries: list[RunEntry]) -> list[RunEntry]:
    """The first flows, at least one, whose records together do not exceed ``_PAGE_BYTES``."""
    sizes = connection.execute(_SIZES, {"flow_ids": [entry.flow_id for entry in entries]})
    size_of = {flow_id: int(size) for flow_id, size in sizes}
    ends = accumulate(size_of[entry.flow_id] for entry in entries)
    return [
        entry for number, (entry, end) in enumerate(zip(entries, ends, strict=True)) if not number or end <= _PAGE_BYTES
    ]


def _records(connection: Connection, statement: Statement, **values: Any) -> list[LogRecord]:
    return list(starmap(LogRecord, connection.execute(statement, values)))


# -- cursors of sinks -------------------------------------------------------------------------------------------

_CURSORS = (
    _select(cursors_of_sinks, Cursor)
    .where(
        tuple_(cursors_of_sinks.c.group_id, cursors_of_sinks.c.sink)
        > tuple_(bindparam("after_group", type_=Integer), bindparam("after_sink", type_=Text))
    )
    .order_by(cursors_of_sinks.c.group_id, cursors_of_sinks.c.sink)
    .limit(bindparam("limit"))
)


def cursors(connection: Connection, after: tuple[int, str], limit: int) -> list[Cursor]:
    values = {"after_group": after[0], "after_sink": after[1], "limit": limit}
    return list(starmap(Cursor, connection.execute(_CURSORS, values)))


# -- the inbox --------------------------------------------------------------------------------------------------

_DESTINATION = func.coalesce(messages.c.destination, messages.c.group_id).label("destination")
_MESSAGES = _select(messages, Message, without=["destination"]).add_columns(_DESTINATION)
_MESSAGE = _MESSAGES.where(
    messages.c.group_id == bindparam("group_id"), messages.c.message_id == bindparam("message_id")
)


def message(connection: Connection, group_id: int, message_id: str) -> Message | None:
    row = connection.execute(_MESSAGE, {"group_id": group_id, "message_id": message_id}).mappings().first()
    return None if row is None else Message(**{**row, "state": MessageState(row["state"])})


_PLACE = tuple_(messages.c.group_id, messages.c.sequence)
_AFTER = tuple_(bindparam("after_group", type_=Integer), bindparam("after_sequence", type_=BigInteger))
_DEAD = (
    _MESSAGES.where(text("state = 'dead'"), _PLACE > _AFTER)
    .order_by(messages.c.group_id, messages.c.sequence)
    .limit(bindparam("limit"))
)


def dead_letters(connection: Connection, after: tuple[int, int], limit: int) -> list[Message]:
    rows = connection.execute(_DEAD, {"after_group": after[0], "after_sequence": after[1], "limit": limit}).mappings()
    return [Message(**{**row, "state": MessageState(row["state"])}) for row in rows]


# -- the catalog ------------------------------------------------------------------------------------------------

_DEFINITION = _select(definitions, StoredDefinition).where(definitions.c.workflow_id == bindparam("workflow_id"))
_VERSION = _DEFINITION.where(definitions.c.version == bindparam("version", type_=BigInteger))
_LATEST = _DEFINITION.order_by(definitions.c.version.desc()).limit(1)
_PENDING = (
    _select(runs, PendingRun, without=["fresh", "sequence"])
    .add_columns(runs.c.number)
    .where(text("is_given = 1"), runs.c.group_id == bindparam("group_id"), runs.c.number > bindparam("after"))
    .order_by(runs.c.number)
    .limit(bindparam("limit"))
)


def definition(connection: Connection, workflow_id: str, version: int | None) -> StoredDefinition | None:
    if version is not None:
        check_number("version", version)
    statement = _LATEST if version is None else _VERSION
    row = connection.execute(statement, {"workflow_id": workflow_id, "version": version}).mappings().first()
    return None if row is None else StoredDefinition(**row)


def pending_starts(connection: Connection, group_id: int, after: int, limit: int) -> list[PendingRun]:
    rows = connection.execute(_PENDING, {"group_id": group_id, "after": after, "limit": limit})
    return [attrs.evolve(PendingRun(*run), sequence=number) for *run, number in rows]


# -- the run index ----------------------------------------------------------------------------------------------

_ENTRIES = _select(runs, RunEntry)
_ENTRY = _ENTRIES.where(runs.c.flow_id == bindparam("flow_id"))


def run_entry(connection: Connection, flow_id: str) -> RunEntry | None:
    row = connection.execute(_ENTRY, {"flow_id": flow_id}).mappings().first()
    return None if row is None else _entry(row)


def list_runs(connection: Connection, query: RunQuery) -> list[RunEntry]:
    return [_entry(row) for row in connection.execute(_page(query)).mappings()]


def _page(query: RunQuery) -> Statement:
    """One page per status, each read from the end of an index, then merged: no page walks over runs of another status.

    The runs of one instance are few, and so are those that block, but there a planner would prefer the slow way by
    status.
    """
    wanted = _ENTRIES
    for condition in _whose(query):
        wanted = wanted.where(condition)
    if query.blocking:
        wanted = wanted.where(text("blocking = 1"))
    if query.instance_id is not None:
        wanted = wanted.where(runs.c.instance_id == query.instance_id)
    if query.blocking or query.instance_id is not None:
        few = wanted.cte("few").prefix_with("MATERIALIZED")
        wanted = _select(few, RunEntry)
        if query.statuses:
            wanted = wanted.where(few.c.status.in_(sorted(map(str, query.statuses))))
        return _newest(wanted, few, query)
    pages = [
        _newest(wanted.where(runs.c.status == str(status)), runs, query).subquery()
        for status in sorted(query.statuses or RunStatus)
    ]
    merged = union_all(*map(select, pages)).subquery()
    return _newest(select(merged), merged, query)


def _whose(query: RunQuery) -> Iterator[ColumnElement[bool]]:
    """Conditions on parent and workflow. A condition on an expression cannot use an index.

    So the best index is used: for the children of a step the index by parent, because they are nearly always of one
    workflow, which may have any number of other runs; for the few that block, or are of one instance, their own.
    """
    if query.parent is not None:
        leads = not query.blocking
        yield (runs.c.parent if leads else runs.c.parent.concat("")) == query.parent
        if leads:
            yield runs.c.parent != literal_column("''")  # otherwise planners ignore the index of such runs
    elif query.workflow_id is None:
        leads = not query.blocking and query.instance_id is None
        yield (runs.c.parent if leads else runs.c.parent.concat("")) == ""
    if query.workflow_id is not None:
        yield (runs.c.workflow_id if query.parent is None else runs.c.workflow_id.concat("")) == query.workflow_id


def _newest(statement: Statement, source: FromClause, query: RunQuery) -> Statement:
    if query.before is not None:
        statement = statement.where(tuple_(source.c.created_at, source.c.flow_id) < tuple_(*query.before))
    return statement.order_by(source.c.created_at.desc(), source.c.flow_id.desc()).limit(query.limit)


def _entry(row: RowMapping) -> RunEntry:
    return RunEntry(**{**row, "status": RunStatus(row["status"]), "blocking": bool(row["blocking"])})
