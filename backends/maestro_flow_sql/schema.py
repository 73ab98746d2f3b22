"""The current tables, for all dialects; ``migrations`` brings older ones to this schema.

The constraints enforce the guarantees.

    store_meta     one row: schema version, oldest version that may read it, number of groups
    leases         one row per group: generation, owner, expiry; the fence of every commit
    nodes          one row per live node: what it offers, until when
    log            one row per commit of a flow; append-only, except for pruning
    cursors        one row per sink and group: how far the sink has read the log
    messages       inboxes and their tombstones
    workflows      counters of a workflow: latest version, latest instance
    definitions    the versions
    runs           one row per run: the request (of its start) and its state (the index entry)

Times are seconds since the epoch. Bodies and events are JSON as bytes, which the store never parses.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

__all__ = [
    "cursors",
    "definitions",
    "leases",
    "log",
    "messages",
    "metadata",
    "nodes",
    "runs",
    "store_meta",
    "workflows",
]

metadata = MetaData()


# The types that a STRICT table of SQLite knows, at full width elsewhere.
_Number: Any = BigInteger().with_variant(Integer(), "sqlite")
_Seconds: Any = Double().with_variant(REAL(), "sqlite")

# Ids are ordered by their bytes, as in Python, whatever the collation of the database.
_Text: Any = Text().with_variant(Text(collation="C"), "postgresql")


def _column(name: str, kind: Any, *, key: bool = False, null: bool = False, default: Any = None) -> Column[Any]:
    return Column(name, kind, primary_key=key, nullable=null, autoincrement=False, server_default=default)


def _partial(name: str, *columns: str, where: str) -> Index:
    """An index over the few rows that still matter, so that finished ones cost nothing."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def _busy(*, fillfactor: int) -> dict[str, Any]:
    """Storage options in PostgreSQL for a frequently updated table: vacuum early, at full speed, with free page space.

    With free space (fillfactor, in percent), an update that changes no indexed column stays in its page and touches no
    index; later transactions clean up the old row.
    """
    return {
        "fillfactor": fillfactor,
        "autovacuum_vacuum_scale_factor": 0.01,
        "autovacuum_analyze_scale_factor": 0.02,
        "autovacuum_vacuum_cost_delay": 0,
    }


store_meta = Table(
    "store_meta",
    metadata,
    _column("id", Integer, key=True),
    _column("schema_version", Integer),
    _column("oldest_reader", Integer),
    _column("group_count", Integer),
    _column("created_at", _Seconds),
    CheckConstraint("id = 1", name="one_row"),
    sqlite_strict=True,
)

leases = Table(
    "leases",
    metadata,
    _column("group_id", Integer, key=True),
    _column("generation", _Number),
    _column("owner_id", _Text),  # empty: nobody
    _column("process", _Text),  # lets another process prove that the owner is dead; empty: it cannot
    _column("expires_at", _Seconds),
    _column("kept_for", _Text, default=""),  # the node that the group was released to; empty: any
    _column("kept_until", _Seconds, default=text("0")),
    _column("pruned_through", _Number, default=text("0")),  # the highest position ever removed from its log
    # On Postgres, makes a claim wait for a commit that has locked the row, and lets a renewal pass (PROTOCOL 11).
    UniqueConstraint("group_id", "generation", name="one_owner_per_generation").ddl_if(dialect="postgresql"),
    postgresql_with=_busy(fillfactor=20),
    sqlite_strict=True,
)

nodes = Table(
    "nodes",
    metadata,
    _column("owner_id", _Text, key=True),
    _column("process", _Text),
    _column("offers", _Text),  # names as a JSON array
    _column("expires_at", _Seconds),
    postgresql_with=_busy(fillfactor=20),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

log = Table(
    "log",
    metadata,
    _column("flow_id", _Text),
    _column("revision", _Number),
    _column("group_id", Integer),
    _column("generation", _Number),  # the fence it was written under, for verify
    _column("owner_id", _Text),
    _column("position", _Number),
    _column("commit_id", _Text),
    _column("at", _Seconds),
    _column("schema_version", Integer),
    _column("events", LargeBinary),
    UniqueConstraint("flow_id", "revision", name="one_commit_per_revision"),  # PROTOCOL 4
    UniqueConstraint("group_id", "position", name="one_commit_per_position"),  # PROTOCOL 7
    sqlite_strict=True,
)

messages = Table(
    "messages",
    metadata,
    Column("sequence", _Number, primary_key=True, autoincrement=True),
    _column("group_id", Integer),
    _column("message_id", _Text),
    _column("flow_id", _Text),
    _column("kind", _Text),
    _column("body", LargeBinary),
    _column("sent_at", _Seconds),
    _column("deliveries", Integer),
    _column("delivered_to", _Number),  # the latest generation that received it
    _column("state", _Text),
    _column("outcome", _Text),
    _column("settled_at", _Seconds, null=True),
    _column("destination", Integer, null=True),  # the group that it is for; null: the one whose inbox it is in
    UniqueConstraint("group_id", "message_id", name="one_message_per_id"),  # PROTOCOL 16
    _partial("messages_waiting", "group_id", "sequence", where="state = 'waiting'"),
    _partial("messages_settled", "settled_at", where="state = 'settled'"),
    _partial("messages_dead", "group_id", "sequence", where="state = 'dead'"),
    postgresql_with=_busy(fillfactor=80),
    sqlite_strict=True,
    sqlite_autoincrement=True,  # the sequence of a purged message is never reused: a reader may be past it
)

cursors = Table(
    "cursors",
    metadata,
    _column("group_id", Integer, key=True),
    _column("sink", _Text, key=True),
    _column("position", _Number),
    _column("generation", _Number),  # the fence of the sink
    _column("owner_id", _Text),
    _column("moved_at", _Seconds),
    postgresql_with=_busy(fillfactor=20),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

workflows = Table(
    "workflows",
    metadata,
    _column("workflow_id", _Text, key=True),
    _column("latest_version", Integer),
    _column("latest_instance", _Number),
    postgresql_with=_busy(fillfactor=50),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

definitions = Table(
    "definitions",
    metadata,
    _column("workflow_id", _Text, key=True),
    _column("version", Integer, key=True),
    _column("body", LargeBinary),
    _column("created_at", _Seconds),
    sqlite_strict=True,
)

runs = Table(
    "runs",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),  # order of starting
    _column("flow_id", _Text),
    _column("workflow_id", _Text),
    _column("version", Integer),
    _column("instance_id", _Number),
    _column("run_id", _Number),
    _column("group_id", Integer),
    _column("status", _Text),
    _column("created_at", _Seconds),
    _column("started_at", _Seconds, null=True),
    _column("ended_at", _Seconds, null=True),
    _column("request_id", _Text, null=True),  # null: not made by a start
    _column("body", LargeBinary, null=True),
    _column("is_given", Integer),  # its start is pending
    _column("is_live", Integer),  # has a log and has not ended
    _column("blocking", Integer, default=text("0")),  # has failed, and blocks its workflow
    _column("parent", _Text, default=""),  # the step that started it; empty: a user did
    UniqueConstraint("flow_id", name="one_row_per_run"),
    UniqueConstraint("workflow_id", "request_id", name="one_run_per_request"),  # PROTOCOL 18
    Index("runs_of_instance", "instance_id", "workflow_id"),
    Index("runs_by_parent", "parent", "status", "created_at", "flow_id"),
    Index("runs_of_workflow", "workflow_id", "status", "created_at", "flow_id"),
    _partial("runs_given", "group_id", "number", where="is_given = 1"),
    _partial("runs_live", "group_id", "flow_id", where="is_live = 1"),
    _partial("runs_of_parent", "parent", "instance_id", where="parent <> ''"),
    # The condition is also the first column, so that a planner without statistics does not take another index.
    _partial("runs_blocking", "blocking", "workflow_id", where="blocking = 1"),
    postgresql_with=_busy(fillfactor=80),
    sqlite_strict=True,
)
