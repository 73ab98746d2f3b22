"""The one write connection of a process, and its transactions."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

from maestro_flow.clock import SystemClock
from maestro_flow_sql.pool import check_usable
from maestro_flow_sql.sqlite.connection import RETRY_S, connect, patiently
from maestro_flow_sql.sqlite.errors import storage_error
from maestro_flow_sql.sqlite.writer_lock import WriterLock

__all__ = ["Writer"]

_LOOK_S = 0.02
"""How often we look whether another process writes the file too, in seconds."""

_COMPANY_S = 0.2
"""How long after another process was seen writing we still make way for it, in seconds."""

_PAUSE_S = 2 * RETRY_S[1]
"""Pause between two of our transactions while others write: a waiting process tries at least once in it."""


_MACHINE = SystemClock()
"""For waits in this process; the store's time is the clock that the store was opened with."""


class Writer:
    """All writes of this process to the file: one at a time, each in one transaction, on the caller's thread."""

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self._path = path
        self._pid = os.getpid()
        self._closed = False
        self._lock = WriterLock()
        self._connection: sqlite3.Connection | None = connection
        self._version = -1
        self._looked_at = self._company_at = self._left_at = float("-inf")

    @contextmanager
    def transaction(self, *, urgent: bool = False) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE to COMMIT; durable when the block is left, rolled back when an error leaves it.

        ``urgent`` transactions (leases) go before others and do not pause.
        """
        with self._turn(urgent=urgent) as connection:
            patiently(partial(connection.execute, "BEGIN IMMEDIATE"))
            yield connection
            connection.execute("COMMIT")

    def statement(self, sql: str, values: Mapping[str, Any]) -> list[Any]:
        """Run a statement as its own transaction and return its rows; what it has written is durable."""
        with self._turn(urgent=False) as connection:
            return patiently(lambda: connection.execute(sql, values).fetchall())

    @contextmanager
    def _turn(self, *, urgent: bool) -> Iterator[sqlite3.Connection]:
        """The connection, for one thread of this process at a time; no transaction outlasts the block."""
        check_usable(self._path, self._pid, closed=self._closed)
        self._lock.enter(urgent=urgent)
        try:
            check_usable(self._path, self._pid, closed=self._closed)  # it may have been closed while we waited
            if not urgent:
                self._let_others_in()
            yield self._connected()
        except BaseException as error:
            self._roll_back()
            if isinstance(error, sqlite3.Error):
                raise storage_error(error, self._path) from error
            raise
        finally:
            self._left_at = _MACHINE.monotonic()
            self._lock.leave()

    def close(self) -> None:
        """Wait for the running transaction, and close the connection. May be called twice; does nothing in a fork."""
        if self._pid != os.getpid():
            return
        self._lock.enter(urgent=True)
        try:
            self._closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None
        finally:
            self._lock.leave()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = connect(self._path, read_only=False)
            self._looked_at = float("-inf")
        self._look_around(self._connection)
        return self._connection

    def _roll_back(self) -> None:
        """Roll back. A connection that fails to do even this is in an unknown state and is not used again."""
        connection = self._connection
        if connection is None or not connection.in_transaction:  # SQLite rolls back by itself on a full disk
            return
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection = None
            with suppress(sqlite3.Error):
                connection.close()

    def _look_around(self, connection: sqlite3.Connection) -> None:
        """``data_version`` changes when another connection has committed, and this is our only one that writes."""
        now = _MACHINE.monotonic()
        if now - self._looked_at < _LOOK_S:
            return
        (version,) = patiently(lambda: connection.execute("PRAGMA data_version").fetchone())
        if version != self._version and self._looked_at > float("-inf"):
            self._company_at = now
        self._version, self._looked_at = version, now

    def _let_others_in(self) -> None:
        """Pause for others: the lock has no queue, and writing without a break would keep out even their renewals."""
        now = _MACHINE.monotonic()
        if now - self._company_at < _COMPANY_S:
            time.sleep(max(0.0, self._left_at + _PAUSE_S - now))
