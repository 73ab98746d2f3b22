"""The connections that only read: a few, beside the writer, which they neither block nor wait for (WAL)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from maestro_flow_sql.pool import Pool
from maestro_flow_sql.sqlite.connection import PATIENCE_S, connect, patiently
from maestro_flow_sql.sqlite.errors import translated

__all__ = ["Reader"]

_KEPT = 4
"""Connections that stay open."""

_MAX = 32
"""Connections at one time; the next reader waits, at most ``PATIENCE_S``."""


class Reader:
    """Snapshots of the store, as SQLAlchemy connections from a pool."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pool = Pool(
            "sqlite+pysqlite://",
            lambda: connect(path, read_only=True),
            store=path,
            kept=_KEPT,
            limit=_MAX,
            patience_s=PATIENCE_S,
        )

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """All reads in the block see one state of the store; it ends with the block, which should be short."""
        with translated(self._path), self._pool.use() as engine, engine.connect() as connection:
            patiently(lambda: _begin(connection))
            yield connection  # the pool rolls back what comes home in a transaction

    def close(self) -> None:
        """Close what is idle at once, and what is in use when its reader is done. May be called twice."""
        self._pool.close()


def _begin(connection: Connection) -> None:
    """A snapshot begins with the first read, so here is one. It is busy while another process recovers the WAL."""
    cursor = connection.connection.cursor()
    cursor.execute("BEGIN")
    try:
        cursor.execute("SELECT id FROM store_meta")
        cursor.fetchall()
    except sqlite3.OperationalError:
        cursor.execute("ROLLBACK")
        raise
    finally:
        cursor.close()
