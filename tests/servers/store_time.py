"""Time that stands still on a PostgreSQL server: what ``store_time()`` says is a row that the test's clock writes.

The backend itself runs as it is: only the function that its schema was created with is another.
"""

from __future__ import annotations

from typing import Any

import psycopg

from maestro_flow.clock import ManualClock

_STOP = """
    CREATE TABLE IF NOT EXISTS test_time (now double precision NOT NULL);
    CREATE OR REPLACE FUNCTION store_time() RETURNS double precision LANGUAGE sql VOLATILE
    AS 'SELECT now FROM test_time'
"""


class ServerClock(ManualClock):
    """A manual clock that moves the time of stores on a server too, once ``stop`` was called for their schema."""

    def __init__(self) -> None:
        super().__init__()
        self._connection: psycopg.Connection[Any] | None = None

    def stop(self, connection: psycopg.Connection[Any]) -> None:
        """From now on time passes in the schema of the connection by ``advance`` alone. The caller closes it."""
        if self._connection is None:
            connection.execute(_STOP)
            connection.execute("INSERT INTO test_time VALUES (%s)", (self.time(),))
            self._connection = connection

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        if self._connection is not None:
            self._connection.execute("UPDATE test_time SET now = %s", (self.time(),))
