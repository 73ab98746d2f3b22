"""A few read-only connections beside the writer, which they neither block nor wait for (WAL)."""

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
"""How many connections at most; the next reader waits up to ``PATIENCE_S``."""


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
        """A snapshot of the store for all reads in the block, which should be short."""
        with translated(self._path), self._pool.use() as engine, engine.connect() as connection:
            patiently(lambda: _begin(connection))
            yield connection  # the pool rolls back a returned connection that is in a transaction

    def close(self) -> None:
        """Close idle connections at once, others when their reader is done. May be called twice."""
        self._pool.close()


def _begin(connection: Connection) -> None:
    """Read once, because a snapshot begins with the first read. Busy while another process recovers the WAL."""
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
