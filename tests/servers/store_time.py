"""Time that stands still on a PostgreSQL server: what ``store_time()`` says is a row that the test's clock writes.

The backend itself runs as it is: only the function that its schema was created with is another.
"""

from __future__ import annotations

from typing import Any

import psycopg

from maestro_flow.clock import ManualClock


class ServerClock(ManualClock):
    """A manual clock that moves the time of stores on a server too, once ``stop`` was called for their schemas.

    The row is in a schema of the test's own, which the clock makes; the caller closes the connection.
    """

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        super().__init__()
        self._connection = connection
        self._row = f"{schema}.test_time"
        connection.execute(f"CREATE SCHEMA {schema}".encode())
        connection.execute(f"CREATE TABLE {self._row} AS SELECT %s::double precision AS now".encode(), (self.time(),))

    def stop(self, schema: str) -> None:
        """From now on time passes in the store of a schema by ``advance`` alone."""
        self._connection.execute(
            f"CREATE OR REPLACE FUNCTION {schema}.store_time() RETURNS double precision LANGUAGE sql VOLATILE "
            f"AS 'SELECT now FROM {self._row}'".encode()
        )

    def advance(self, seconds: float) -> None:
        super().advance(seconds)
        self._connection.execute(f"UPDATE {self._row} SET now = %s".encode(), (self.time(),))
