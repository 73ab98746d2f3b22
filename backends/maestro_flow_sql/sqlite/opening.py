"""From a URL to an open store: find the file, see whose it is, make it ours if it is nobody's."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from maestro_flow.clock import Clock
from maestro_flow.errors import SettingsError, StorageUnusable
from maestro_flow.storage.protocol import GROUP_COUNT
from maestro_flow_sql.schema import OLDEST_READER, SCHEMA_VERSION, check_schema, metadata
from maestro_flow_sql.sqlite.connection import connect, patiently
from maestro_flow_sql.sqlite.errors import translated
from maestro_flow_sql.sqlite.reader import Reader
from maestro_flow_sql.sqlite.storage import SqliteStorage
from maestro_flow_sql.sqlite.writer import Writer

__all__ = ["open_sqlite"]

_NAMESPACE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_DEFAULT_NAMESPACE = "maestro_flow"
"""It is in the file of the URL itself."""

_OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables (3.37), RETURNING (3.35) and ``->>`` (3.38)."""


_COUNT_META_COLUMNS = """
    SELECT count(*) FROM pragma_table_info('store_meta') WHERE name IN ('schema_version', 'oldest_reader')
"""


def open_sqlite(url: str, clock: Clock) -> SqliteStorage:
    """Open the store in a file, and create it where there is none; any number of processes may do so at once.

    ``sqlite:///runs.db`` is relative to the working directory of this moment, ``sqlite:////srv/runs.db`` is absolute.
    With ``?namespace=nightly`` it is a file of its own beside it, ``runs.nightly.db``.
    The file must lie on a disk of this host: SQLite's locks do not work on network file systems. Where several
    processes write, SQLite should be 3.51.3 or newer: older ones have a rare fault, but a damaging one, in the WAL.

    Raises:
        SettingsError: the URL names no file, or has an option that there is not.
        StorageUnusable: no access, read-only, not an SQLite database, somebody else's database, SQLite too old.
        SchemaMismatch: the store was written by a newer maestro-flow, which says that we cannot use it.
        StorageUnavailable: another process held the lock of the file for too long.
    """
    path = _path_of(url)
    _check_library()
    with translated(path):
        connection = connect(path, read_only=False)
        try:
            group_count = _find_or_make(connection, path, clock)
        except BaseException:
            connection.close()
            raise
    return SqliteStorage(Writer(path, connection), Reader(path), clock, group_count)


def _path_of(url: str) -> str:
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    if parts.netloc or parts.fragment or not name or name.endswith("/") or name == ":memory:":
        raise SettingsError(
            f"the URL {url!r} names no SQLite file: write sqlite:///relative/path.db or sqlite:////absolute/path.db; "
            "a store in memory has the URL memory://"
        )
    path = Path(name).absolute()  # the working directory may change later
    namespace = _namespace_of(url, parts.query)
    return str(path if namespace == _DEFAULT_NAMESPACE else path.with_name(f"{path.stem}.{namespace}{path.suffix}"))


def _namespace_of(url: str, query: str) -> str:
    options = dict(parse_qsl(query, keep_blank_values=True))
    namespace = options.pop("namespace", _DEFAULT_NAMESPACE)
    if options:
        raise SettingsError(f"an SQLite URL has no option {', '.join(sorted(options))}; known: namespace")
    if not _NAMESPACE.fullmatch(namespace):
        raise SettingsError(
            f"option namespace={namespace!r} of the URL {url!r}: expected a lower-case letter, then at most 39 of "
            "a-z, 0-9, _"
        )
    return namespace


def _check_library() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        raise StorageUnusable(f"this Python has SQLite {sqlite3.sqlite_version}, but {oldest} is needed")


def _find_or_make(connection: sqlite3.Connection, path: str, clock: Clock) -> int:
    """Number of groups of the store, which exists when this returns, whoever has made it."""
    patiently(lambda: _check_is_ours(connection, path))  # before the first write into what may be somebody else's
    (mode,) = patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone())
    if mode != "wal":
        raise StorageUnusable(f"the store {path} cannot have a write-ahead log: put it on a local disk")
    patiently(lambda: connection.execute("BEGIN IMMEDIATE"))  # a read-only file refuses this
    if not _check_is_ours(connection, path):  # nor has another process made it since we looked
        _create(connection, clock.time())
    (group_count,) = connection.execute("SELECT group_count FROM store_meta").fetchone()
    connection.execute("COMMIT")
    return int(group_count)


def _check_is_ours(connection: sqlite3.Connection, path: str) -> bool:
    """False for a database without tables, which is free to be made a store.

    Raises:
        StorageUnusable: there are tables, but none that says that it is ours.
        SchemaMismatch: it is ours, but we are too old for it.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return False
    (meta_columns,) = connection.execute(_COUNT_META_COLUMNS).fetchone()
    if meta_columns != 2:
        raise StorageUnusable(
            f"{path} is the database of another program (its tables: {', '.join(sorted(tables)[:5])}); "
            "give the URL of a file of its own"
        )
    version, oldest_reader = connection.execute("SELECT schema_version, oldest_reader FROM store_meta").fetchone()
    check_schema(path, version=version, oldest_reader=oldest_reader)
    return True


def _create(connection: sqlite3.Connection, now: float) -> None:
    """All tables and the first rows, in the transaction of the caller: a store exists as a whole or not at all."""
    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        connection.execute(str(CreateTable(table).compile(dialect=dialect)))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    meta = (SCHEMA_VERSION, OLDEST_READER, GROUP_COUNT, now)
    connection.execute("INSERT INTO store_meta VALUES (1, ?, ?, ?, ?)", meta)
    nobody = [(group_id,) for group_id in range(GROUP_COUNT)]
    connection.executemany("INSERT INTO leases VALUES (?, 0, '', '', 0)", nobody)
