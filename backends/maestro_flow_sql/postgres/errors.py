"""Translates PostgreSQL errors (SQLSTATE) to those of the Storage protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc

from maestro_flow.errors import StorageError, StorageUnavailable, StorageUnusable, ValueNotStorable

__all__ = ["translated"]

_CALLERS_FAULT = ("22", "23", "54")
"""Data exceptions, violated constraints, values too long for an index: the same call would fail again."""

_POOLED = "sessions are shared by a pooler (PgBouncer); add prepare=off to the URL"
_UNUSABLE = {
    "28": "the server refused the login; check user, password and pg_hba.conf",
    "3D": "there is no such database; create it",
    "3F": "the schema has gone; open the store again",
    "26000": _POOLED,
    "42P05": _POOLED,
    "42501": "this user lacks a privilege; grant it, or let the owner of the database open the store once",
    "42": "its tables are not those of this maestro-flow",
    "58P01": "a file of the database is missing; restore it from a backup",
    "XX001": "the database is damaged; restore it from a backup",
    "XX002": "an index of the database is damaged; REINDEX it",
}
_REFUSED_LOGIN = {
    r'database ".*" does not exist': "3D",
    r"password authentication failed|no password supplied|pg_hba\.conf|does not exist": "28",
}
"""libpq gives no SQLSTATE for a failed login, so the text must do; in other languages it counts as unavailable."""


@contextmanager
def translated(store: str) -> Iterator[None]:
    """Translate errors of psycopg and SQLAlchemy in the block to errors of the Storage protocol."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise ValueNotStorable(f"text with a lone surrogate cannot be a name in a store: {error}") from error
    except psycopg.Error as error:
        raise _storage_error(error, store) from error
    except sqlalchemy.exc.DBAPIError as error:
        cause = error.orig if isinstance(error.orig, psycopg.Error) else psycopg.Error(str(error))
        raise _storage_error(cause, store) from error
    except sqlalchemy.exc.TimeoutError as error:
        raise StorageUnavailable(f"all connections to the store {store} are in use: {error}") from error
    except sqlalchemy.exc.InvalidRequestError as error:  # new connections end immediately
        raise StorageUnavailable(
            f"the store {store} is not available, the same call may be repeated: {error}"
        ) from error


def _storage_error(error: psycopg.Error, store: str) -> StorageError | ValueNotStorable:
    """The error of the protocol for an error of PostgreSQL.

    Unless known to be permanent, an error means unavailable: a deadlock or lock timeout (40P01, 55P03), a cut
    connection (08, 57P0x), a server that became a replica (25006) or a full disk (53100) may pass, and repeating the
    identical call is right whatever the first one did (PROTOCOL 6).
    """
    said = " ".join(str(error).split())  # on one line, for logs and terminals
    state = error.sqlstate or _state_of_login(said)
    if isinstance(error, psycopg.DataError) and not state:  # psycopg itself, before anything was sent
        return ValueNotStorable(f"a value cannot be sent to PostgreSQL: {said}")
    if state.startswith(_CALLERS_FAULT):
        return StorageError(f"the store {store} refused what contradicts it: {said}")
    if "unsupported startup parameter" in said:  # PgBouncer's reply to session settings
        state = "26000"
    reason = next((why for code, why in sorted(_UNUSABLE.items(), reverse=True) if state.startswith(code)), None)
    if reason is not None:
        return StorageUnusable(f"the store {store} cannot be used: {reason} ({said})")
    return StorageUnavailable(f"the store {store} is not available, the same call may be repeated: {said}")


def _state_of_login(said: str) -> str:
    return next((state for sign, state in _REFUSED_LOGIN.items() if re.search(sign, said)), "")
