"""One connection to the file, and waiting for its lock."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from maestro_flow.clock import Environment
from maestro_flow.errors import StorageUnavailable
from maestro_flow_sql.sqlite.errors import is_busy

__all__ = ["PATIENCE_S", "RETRY_S", "connect", "patiently"]

PATIENCE_S = 10.0
"""How long a verb tries to lock the file: transactions take milliseconds, so only a frozen process holds it longer."""

RETRY_S = (0.0001, 0.0005)
"""Shortest and longest sleep between two tries. SQLite's own handler backs off to 100 ms and starves (PROTOCOL 12)."""

T = TypeVar("T")
_MACHINE = Environment()


_SETTINGS = (
    "synchronous = FULL",  # a commit is durable when it returns: one fsync of the WAL
    "fullfsync = ON",  # the same on macOS
    "journal_size_limit = 67108864",  # a WAL that grew during a long read is cut to 64 MB afterwards
)


def connect(path: str, *, read_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode: transactions are explicit.

    Raises sqlite3.Error, or StorageUnavailable.
    """
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        for setting in (*_SETTINGS, f"query_only = {'ON' if read_only else 'OFF'}"):
            patiently(partial(connection.execute, f"PRAGMA {setting}"))
    except BaseException:
        connection.close()
        raise
    return connection


def patiently(attempt: Callable[[], T]) -> T:
    """Call ``attempt`` until no other process holds the lock.

    Time is counted in sleeps, not read: the store's clock may be a test clock that stands still. This is not tenacity,
    because every transaction begins here, and where two processes write, the one that tries more often waits less: a
    try costs 1 µs besides the attempt, 16 with tenacity, and the slowest of 1,500 commits took three times as long.

    Raises:
        StorageUnavailable: the lock could not be acquired in ``PATIENCE_S`` seconds.
    """
    waited = 0.0
    while True:
        try:
            return attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            if waited >= PATIENCE_S:
                raise StorageUnavailable(f"another process has held the store's lock for {PATIENCE_S} s") from error
        pause = _MACHINE.random.uniform(*RETRY_S)
        time.sleep(pause)
        waited += pause
