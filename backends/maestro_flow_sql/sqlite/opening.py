"""Opens a store by its URL: finds the file, checks that it is ours, creates the store if it is empty."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from urllib.parse import parse_qsl

from maestro_flow.clock import Clock
from maestro_flow.errors import SettingsError, StorageUnusable
from maestro_flow.storage.open import no_store
from maestro_flow.storage.url import DEFAULT_NAMESPACE, namespace_of, split_url, without_password
from maestro_flow_sql.migrations import Admission, current
from maestro_flow_sql.sqlite.connection import connect
from maestro_flow_sql.sqlite.errors import translated
from maestro_flow_sql.sqlite.reader import Reader
from maestro_flow_sql.sqlite.storage import SqliteStorage
from maestro_flow_sql.sqlite.tables import find_or_make
from maestro_flow_sql.sqlite.writer import Writer

__all__ = ["open_sqlite"]

_OLDEST_SQLITE = (3, 38, 0)
"""STRICT tables (3.37), RETURNING (3.35) and ``->>`` (3.38)."""


def open_sqlite(url: str, clock: Clock, /, *, create: bool = True) -> SqliteStorage:
    """Open the store in a file; any number of processes may do so at once.

    It is created if it does not exist, unless ``create`` is false, and migrated if an older maestro-flow made it.

    ``sqlite:///runs.db`` is relative to the current working directory, ``sqlite:////srv/runs.db`` is absolute. With
    ``?namespace=nightly`` the store is another file beside it, ``runs.nightly.db``. The file must be on a local disk:
    SQLite's locks do not work on network file systems. If several processes write, SQLite should be 3.51.3 or newer:
    older versions have a rare bug in the WAL that damages the file.

    Raises:
        SettingsError: the URL does not name a file, or has an unknown option.
        StorageUnusable: the store does not exist, access is denied, the file is read-only, not an SQLite database or
            another program's, SQLite is too old, or a migration failed.
        SchemaMismatch: the store was written by a newer maestro-flow that excludes ours.
        StorageUnavailable: another process held the lock of the file for too long.
    """
    path = _path_of(url)
    _check_library()
    if not create and not Path(path).exists():  # connecting creates the file
        raise no_store(path)
    with translated(path):
        connection = connect(path, read_only=False)
        try:
            group_count = find_or_make(connection, path, clock, create=create)
        except BaseException:
            connection.close()
            raise
    return SqliteStorage(Writer(path, connection), Reader(path), clock, group_count, Admission(path, current().version))


def _path_of(url: str) -> str:
    parts = split_url(url)
    name = parts.path.removeprefix("/")
    if parts.netloc or parts.fragment or not name or name.endswith("/") or name == ":memory:":
        raise SettingsError(
            f"the URL {without_password(url)!r} does not name an SQLite file: write sqlite:///relative/path.db or "
            "sqlite:////absolute/path.db; a store in memory has the URL memory://"
        )
    unknown = {option for option, _ in parse_qsl(parts.query, keep_blank_values=True)} - {"namespace"}
    if unknown:
        raise SettingsError(f"an SQLite URL has no option {', '.join(sorted(unknown))}; known: namespace")
    path = Path(name).absolute()  # the working directory may change later
    namespace = namespace_of(url) or DEFAULT_NAMESPACE
    return str(path if namespace == DEFAULT_NAMESPACE else path.with_name(f"{path.stem}.{namespace}{path.suffix}"))


def _check_library() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        oldest = ".".join(map(str, _OLDEST_SQLITE))
        raise StorageUnusable(f"this Python has SQLite {sqlite3.sqlite_version}, but {oldest} is needed")
