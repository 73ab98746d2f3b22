"""The tables of a store on Postgres: found, created, or migrated to the schema of this maestro-flow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import psycopg
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from maestro_flow.errors import StorageUnusable
from maestro_flow.storage.open import no_store
from maestro_flow.storage.protocol import GROUP_COUNT
from maestro_flow_sql.migrations import END_LEASES, META, Meta, Migration, current, failed, log_done, next_migration
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.postgres.target import Target
from maestro_flow_sql.schema import metadata

__all__ = ["find_or_make"]

# Not to_regclass and to_regnamespace: even under an advisory lock they answer from the session's cache.
_TABLE = "SELECT 1 FROM pg_tables WHERE schemaname = %s AND tablename = 'store_meta'"
_SCHEMA = "SELECT 1 FROM pg_namespace WHERE nspname = %s"

_SET_META = "UPDATE store_meta SET schema_version = %s, oldest_reader = %s"

# The first process creates or migrates the store; the others wait for it and find it done. A statement of a migration
# may take long, but while it waits for a table, all others queue behind it, so it soon gives up and tries again.
_WAIT_FOR_OTHERS = ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '15min'")
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('maestro_flow ' || %s, 0))"
_ALONE = ("SET LOCAL lock_timeout = '1s'", "SET LOCAL search_path = {namespace}")
# Claims that have begun have then ended, and later ones see the new store_meta.
_STOP_CLAIMS = "LOCK TABLE leases IN ACCESS EXCLUSIVE MODE"

# A long transaction uses the table, or two tables in another order.
_BUSY = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)
_TRIES = 60
_PAUSE_S = 0.5

# The only clock: seconds since the epoch, read anew at each use within a statement.
_STORE_TIME = """
    CREATE FUNCTION store_time() RETURNS double precision LANGUAGE sql VOLATILE
    AS 'SELECT extract(epoch FROM clock_timestamp())::double precision'
"""

_NOT_ALLOWED = "run `maestro-flow migrate` as the owner of the tables, or let this user do it"
_WRONG = "nothing was changed; report it with this message"


def find_or_make(db: Direct, target: Target, *, create: bool) -> int:
    """The number of groups of the store, which afterwards exists with a usable schema, whichever process created it.

    A store that is up to date is only read, so a user without the rights of its owner can open it.

    Raises:
        SchemaMismatch: the store is newer and excludes us.
        StorageUnusable: it does not exist and must not be created, or a migration failed or is not permitted.
    """
    again = Retrying(
        retry=retry_if_exception_type(_BUSY),
        wait=wait_fixed(_PAUSE_S),
        stop=stop_after_attempt(_TRIES),
        sleep=sleep,
        reraise=True,
    )
    while True:
        meta = _read(db, target)
        if meta is not None and next_migration(target.name, meta) is None:
            return meta.group_count
        if meta is None and not create:
            raise no_store(target.name)
        again(_make_or_migrate, db, target)


def _read(db: Direct, target: Target) -> Meta | None:
    """None if there is no store."""
    if db.execute(_TABLE, (target.namespace,)).fetchone() is None:
        return None
    row = db.execute(META.replace("store_meta", f"{target.namespace}.store_meta").encode()).fetchone()
    if row is None:
        raise StorageUnusable(f"the store {target.name} has lost its first row; restore it from a backup")
    return Meta(*row)


def _make_or_migrate(db: Direct, target: Target) -> None:
    """Create the store or run one migration, unless another process did while we waited for it."""
    migration = None
    with _alone(db, target):
        meta = _read(db, target)
        if meta is None:
            _create(db, target)
        elif (migration := next_migration(target.name, meta)) is not None:
            _migrate(db, target, migration, meta)
    if migration is not None:
        log_done(target.name, migration)


@contextmanager
def _alone(db: Direct, target: Target) -> Iterator[None]:
    """A transaction that excludes others that create or migrate this store; its lock ends with it (PgBouncer)."""
    with db.transaction():
        for setting in _WAIT_FOR_OTHERS:
            db.execute(setting)
        db.execute(_LOCK, (target.namespace,))
        for setting in _ALONE:
            db.execute(setting.format(namespace=target.namespace).encode())
        yield


def _migrate(db: Direct, target: Target, migration: Migration, meta: Meta) -> None:
    try:
        for statement in migration.postgres:
            db.execute(statement.encode())
        if migration.excludes(meta):
            db.execute(_STOP_CLAIMS)
            db.execute(END_LEASES)
        db.execute(_SET_META, (migration.version, migration.oldest_reader))
    except psycopg.errors.InsufficientPrivilege as error:
        raise failed(target.name, migration, error, advice=_NOT_ALLOWED) from error
    except psycopg.OperationalError:  # a lock, the connection, the disk: not the statements
        raise
    except psycopg.Error as error:
        raise failed(target.name, migration, error, advice=_WRONG) from error


def _create(db: Direct, target: Target) -> None:
    """All tables and the first rows: a store exists as a whole or not at all."""
    if (
        db.execute(_SCHEMA, (target.namespace,)).fetchone() is None
    ):  # a user without the privilege to create schemas may be given one
        db.execute(f"CREATE SCHEMA {target.namespace}".encode())
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    db.execute(_STORE_TIME)
    for table in metadata.sorted_tables:
        db.execute(str(CreateTable(table).compile(dialect=dialect)).encode())
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            db.execute(str(CreateIndex(index).compile(dialect=dialect)).encode())
    made = current()
    db.execute(
        "INSERT INTO store_meta VALUES (1, %s, %s, %s, store_time())",
        (made.version, made.oldest_reader, GROUP_COUNT),
    )
    db.execute(
        "INSERT INTO leases SELECT number, 0, '', '', 0, '', 0, 0 FROM generate_series(0, %s - 1) AS number",
        (GROUP_COUNT,),
    )
