"""The tables of a store in a file: found, created, or migrated to the schema of this maestro-flow."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from maestro_flow.clock import Clock
from maestro_flow.errors import StorageUnusable
from maestro_flow.storage.open import no_store
from maestro_flow.storage.protocol import GROUP_COUNT
from maestro_flow_sql.migrations import (
    END_LEASES,
    META,
    Admission,
    Meta,
    Migration,
    current,
    failed,
    log_done,
    next_migration,
)
from maestro_flow_sql.schema import metadata
from maestro_flow_sql.sqlite.connection import patiently

__all__ = ["find_or_make"]

_COUNT_META_COLUMNS = """
    SELECT count(*) FROM pragma_table_info('store_meta') WHERE name IN ('schema_version', 'oldest_reader')
"""
_SET_META = "UPDATE store_meta SET schema_version = ?, oldest_reader = ?"


def find_or_make(connection: sqlite3.Connection, path: str, clock: Clock, *, create: bool) -> int:
    """The number of groups of the store, which afterwards exists with a usable schema, whichever process created it.

    Raises:
        SchemaMismatch: the store is newer and excludes us.
        StorageUnusable: it does not exist and must not be created, the file belongs to another program or cannot be
            written, or a migration failed.
    """
    found = patiently(lambda: _read(connection, path))  # before writing: the file may belong to another program
    if found is None and not create:
        raise no_store(path)
    (mode,) = patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
    if mode != "wal":
        raise StorageUnusable(f"the store {path} cannot have a write-ahead log: put it on a local disk")
    while True:
        migration = None
        with _alone(connection):
            meta = _read(connection, path)
            if meta is None:
                _create(connection, clock.time())
            elif (migration := next_migration(path, meta)) is not None:
                _migrate(connection, path, migration, meta)
            else:
                return meta.group_count
        if migration is not None:
            log_done(path, migration)


def _read(connection: sqlite3.Connection, path: str) -> Meta | None:
    """The metadata of the store; None for a database without tables, in which a store can be created.

    Raises:
        StorageUnusable: there are tables, but they are not ours.
        SchemaMismatch: this maestro-flow is too old for the store.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return None
    (meta_columns,) = connection.execute(_COUNT_META_COLUMNS).fetchone()
    if meta_columns != 2:
        raise StorageUnusable(
            f"{path} is the database of another program (its tables: {', '.join(sorted(tables)[:5])}); "
            "give the URL of a separate file"
        )
    meta = Meta(*connection.execute(META).fetchone())
    Admission(path, current().version).check(meta)
    return meta


@contextmanager
def _alone(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that excludes other writers; fails on a read-only file."""
    patiently(partial(connection.execute, "BEGIN IMMEDIATE"))
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: sqlite3.Connection, path: str, migration: Migration, meta: Meta) -> None:
    try:
        for statement in migration.sqlite:
            connection.execute(statement)
        if migration.excludes(meta):
            connection.execute(END_LEASES)
        connection.execute(_SET_META, (migration.version, migration.oldest_reader))
    except sqlite3.Error as error:
        advice = "nothing was changed; if the disk is in order, report it with this message"
        raise failed(path, migration, error, advice=advice) from error


def _create(connection: sqlite3.Connection, now: float) -> None:
    """All tables and the first rows: a store exists as a whole or not at all."""
    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    made = current()
    meta = (made.version, made.oldest_reader, GROUP_COUNT, now)
    connection.execute("INSERT INTO store_meta VALUES (1, ?, ?, ?, ?)", meta)
    nobody = [(group_id,) for group_id in range(GROUP_COUNT)]
    connection.executemany("INSERT INTO leases VALUES (?, 0, '', '', 0, '', 0, 0)", nobody)
