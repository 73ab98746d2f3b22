"""Translates SQLite errors to those of the Storage protocol."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy.exc

from maestro_flow.errors import StorageError, StorageUnavailable, StorageUnusable, ValueNotStorable

__all__ = ["is_busy", "storage_error", "translated"]

_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CALLERS_FAULT = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG})
_UNUSABLE = {
    sqlite3.SQLITE_AUTH: "access is denied; check the rights of the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its directory exists and that this user may write there",
    sqlite3.SQLITE_CORRUPT: "the file is damaged; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database; give the URL of another path",
    sqlite3.SQLITE_PERM: "access is denied; check the rights of the file and its directory",
    sqlite3.SQLITE_READONLY: "it is read-only; a store must be writable, its directory too (for the -wal file)",
}


_NOT_OUR_TABLES = re.compile(r"no such (table|column)|has no column")
"""SQLite has one code for every error in a statement, so its text, which is never translated, must do."""


def is_busy(error: BaseException) -> bool:
    """Another connection has the lock: nothing happened, and the statement can be tried again."""
    return isinstance(error, sqlite3.Error) and _code(error) in _BUSY


def storage_error(error: sqlite3.Error, path: str) -> StorageError:
    """The error of the protocol for an error of SQLite.

    Unless known to be permanent, an error means unavailable: a full disk or a failed write may pass, and repeating the
    identical call is right whatever the first one did (PROTOCOL 6).
    """
    code = _code(error)
    if code in _UNUSABLE:
        return StorageUnusable(f"the store {path} cannot be used: {_UNUSABLE[code]} ({error})")
    if code == sqlite3.SQLITE_ERROR and _NOT_OUR_TABLES.search(str(error)):
        return StorageUnusable(
            f"the store {path} cannot be used: its tables are not those of this maestro-flow ({error})"
        )
    if code in _CALLERS_FAULT or isinstance(error, sqlite3.IntegrityError):
        return StorageError(f"the store {path} refused what contradicts it: {error}")
    return StorageUnavailable(f"the store {path} is not available, the same call may be repeated: {error}")


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Translate errors of SQLite and SQLAlchemy in the block to errors of the Storage protocol."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise ValueNotStorable(f"text with a lone surrogate cannot be a name in a store: {error}") from error
    except sqlite3.Error as error:
        raise storage_error(error, path) from error
    except sqlalchemy.exc.DBAPIError as error:
        cause = error.orig if isinstance(error.orig, sqlite3.Error) else sqlite3.Error(str(error))
        raise storage_error(cause, path) from error
    except sqlalchemy.exc.TimeoutError as error:
        raise StorageUnavailable(f"all connections for reading the store {path} are in use: {error}") from error


def _code(error: sqlite3.Error) -> int | None:
    """The primary result code: the low byte of the extended one."""
    code = getattr(error, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF
