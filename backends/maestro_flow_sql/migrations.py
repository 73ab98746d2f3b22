"""Migrations from one schema version to the next, for stores written by an older maestro-flow.

A store is migrated when it is opened: under a lock, so that nodes which open it at once wait for each other, and each
migration in one transaction with the change of ``store_meta``, so that a store is at one version or at the next. Nodes
that already have the store open continue with the statements of their own version.

How to write the next one:

0. Freeze stores with live runs, written by the code before the change: ``python -m pytest tests/storage/freezing.py``.
1. Change the tables in ``schema.py``, from which new stores are created.
2. Append a ``Migration`` to ``MIGRATIONS``, with the next version and the statements that change an existing store in
   the same way, for each dialect. ``tests/storage/test_migrations.py`` compares the outcome with a new store, from the
   oldest schema on (``tests/storage/schemas/``).
3. If programs of the previous version can work with the migrated store (a new column has a default or may be null, a
   new table or index does not concern them), ``oldest_reader`` stays the same. Otherwise it is the new version: then
   the migration also ends the leases of all running programs, whose commits are refused from that moment on
   (PROTOCOL 3), and which cannot claim groups any more (PROTOCOL 27).
4. A statement locks its table while it runs. Split what takes long on a large table over several versions: first the
   column or the table, then the code that fills it, then the constraint.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from attrs import frozen

from maestro_flow.errors import SchemaMismatch, StorageUnusable
from maestro_flow.storage.upgrades import PERMIT_FLOW_HASH

__all__ = [
    "END_LEASES",
    "META",
    "MIGRATIONS",
    "Admission",
    "Meta",
    "Migration",
    "current",
    "failed",
    "log_done",
    "next_migration",
]

logger = logging.getLogger("maestro_flow.storage")


META = "SELECT schema_version, oldest_reader, group_count FROM store_meta"


@frozen
class Meta:
    """The metadata of a store, as selected by ``META``."""

    version: int
    oldest_reader: int
    group_count: int


@frozen
class Migration:
    """The statements that turn the previous schema into ``version``."""

    version: int
    oldest_reader: int
    """The oldest version whose programs may use a store of this one."""
    sqlite: Sequence[str] = ()
    postgres: Sequence[str] = ()

    def excludes(self, meta: Meta) -> bool:
        """Whether programs that may have the store open now can no longer use it afterwards."""
        return self.oldest_reader > meta.oldest_reader


_TO_2 = (
    "ALTER TABLE runs RENAME COLUMN params TO body",
    "ALTER TABLE runs ADD COLUMN blocking INTEGER DEFAULT 0 NOT NULL",
    "CREATE INDEX runs_blocking ON runs (blocking, workflow_id) WHERE blocking = 1",
    "CREATE INDEX messages_dead ON messages (group_id, sequence) WHERE state = 'dead'",
)
"""Starts have a body that includes the params, and runs may block: a program of schema 1 would miss both."""

_TO_2_SQLITE = (
    """UPDATE runs SET body = CAST('{"params":' || body || '}' AS BLOB) WHERE body <> x'7b7d'""",
    "ALTER TABLE leases ADD COLUMN kept_for TEXT DEFAULT '' NOT NULL",
    "ALTER TABLE leases ADD COLUMN kept_until REAL DEFAULT 0 NOT NULL",
    """CREATE TABLE nodes ( owner_id TEXT NOT NULL, process TEXT NOT NULL, offers TEXT NOT NULL,
       expires_at REAL NOT NULL, PRIMARY KEY (owner_id) ) WITHOUT ROWID, STRICT""",
)

_TO_2_POSTGRES = (
    r"""UPDATE runs SET body = '{"params":'::bytea || body || '}' WHERE body <> '{}'""",
    """ALTER TABLE leases ADD COLUMN kept_for TEXT COLLATE "C" DEFAULT '' NOT NULL""",
    "ALTER TABLE leases ADD COLUMN kept_until DOUBLE PRECISION DEFAULT 0 NOT NULL",
    """CREATE TABLE nodes (owner_id TEXT COLLATE "C" NOT NULL, process TEXT COLLATE "C" NOT NULL,
       offers TEXT COLLATE "C" NOT NULL, expires_at DOUBLE PRECISION NOT NULL, PRIMARY KEY (owner_id))
       WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02,
             autovacuum_vacuum_cost_delay = 0)""",
)
"""Nodes advertise themselves, and a group can be kept for one of them."""

_TO_3 = (
    "ALTER TABLE messages ADD COLUMN destination INTEGER",
    f"""UPDATE messages SET destination = {PERMIT_FLOW_HASH} % (SELECT group_count FROM store_meta)
        WHERE flow_id = 'maestro_permits'""",  # noqa: S608 - the number is ours
    "DROP INDEX runs_by_status",
    "CREATE INDEX runs_by_parent ON runs (parent, status, created_at, flow_id)",
    "CREATE INDEX runs_of_parent ON runs (parent, instance_id) WHERE parent <> ''",
)
"""Messages name their destination. Schema 2 derived it from the content of permit messages: requests go to the permit
flow, a grant goes to the group in its body. All others are already at their destination, which is null.

Runs know the step that started them; under schema 2 it was always a user. Sinks have cursors, and groups know up to
where they were pruned: nothing so far."""

_GRANTS_ELSEWHERE = "UPDATE messages SET destination = {group} WHERE kind = 'permit_granted' AND {group} <> group_id"
_BELONG_HERE = "UPDATE messages SET destination = NULL WHERE destination = group_id"

_TO_3_SQLITE = (
    "ALTER TABLE leases ADD COLUMN pruned_through INTEGER DEFAULT 0 NOT NULL",
    """CREATE TABLE cursors ( group_id INTEGER NOT NULL, sink TEXT NOT NULL, position INTEGER NOT NULL,
       generation INTEGER NOT NULL, owner_id TEXT NOT NULL, moved_at REAL NOT NULL, PRIMARY KEY (group_id, sink) )
       WITHOUT ROWID, STRICT""",
    "ALTER TABLE runs ADD COLUMN parent TEXT DEFAULT '' NOT NULL",
    *_TO_3,
    _GRANTS_ELSEWHERE.format(group="json_extract(CAST(body AS TEXT), '$.group')"),
    _BELONG_HERE,
)

_TO_3_POSTGRES = (
    "ALTER TABLE leases ADD COLUMN pruned_through BIGINT DEFAULT 0 NOT NULL",
    """CREATE TABLE cursors (group_id INTEGER NOT NULL, sink TEXT COLLATE "C" NOT NULL, position BIGINT NOT NULL,
       generation BIGINT NOT NULL, owner_id TEXT COLLATE "C" NOT NULL, moved_at DOUBLE PRECISION NOT NULL,
       PRIMARY KEY (group_id, sink))
       WITH (fillfactor = 20, autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.02,
             autovacuum_vacuum_cost_delay = 0)""",
    """ALTER TABLE runs ADD COLUMN parent TEXT COLLATE "C" DEFAULT '' NOT NULL""",
    *_TO_3,
    _GRANTS_ELSEWHERE.format(group="(convert_from(body, 'UTF8')::json ->> 'group')::integer"),
    _BELONG_HERE,
)

MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, oldest_reader=1),  # the original tables
    Migration(
        2,
        oldest_reader=2,
        sqlite=(*_TO_2, *_TO_2_SQLITE),
        postgres=(*_TO_2, *_TO_2_POSTGRES),
    ),
    Migration(3, oldest_reader=3, sqlite=_TO_3_SQLITE, postgres=_TO_3_POSTGRES),
)
"""Without gaps, from version 1; the last one is the schema in ``schema.py``."""

END_LEASES = "UPDATE leases SET generation = generation + 1, owner_id = '', process = '', expires_at = 0"
"""The additional statement of an excluding migration, in every dialect."""


def current() -> Migration:
    """The version that this maestro-flow writes."""
    return MIGRATIONS[-1]


@frozen
class Admission:
    """Whether a program that knows schema ``version`` may use a store."""

    store: str
    version: int

    def check(self, meta: Meta) -> None:
        """Raises SchemaMismatch: the store is too new for the program."""
        if self.version < meta.oldest_reader:
            raise SchemaMismatch(
                f"the store {self.store} has schema {meta.version}, which needs a maestro-flow that knows schema "
                f"{meta.oldest_reader}; this one knows schema {self.version}: upgrade it"
            )


def next_migration(store: str, meta: Meta) -> Migration | None:
    """The next migration that a store needs; None if it can be used as it is.

    Raises:
        SchemaMismatch: this maestro-flow is too old for the store.
    """
    known = current().version
    Admission(store, known).check(meta)
    return MIGRATIONS[meta.version] if meta.version < known else None


def log_done(store: str, migration: Migration) -> None:
    logger.info("the store %s: schema %d -> %d", store, migration.version - 1, migration.version)


def failed(store: str, migration: Migration, error: Exception, *, advice: str) -> StorageUnusable:
    """The error that tells that a store is unchanged, and why."""
    return StorageUnusable(
        f"the store {store} stays at schema {migration.version - 1}: its migration to schema {migration.version} "
        f"failed ({error}); {advice}"
    )
