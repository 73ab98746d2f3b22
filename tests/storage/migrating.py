"""A schema of the future for the tests, databases to look into, and a program that opens a store with that schema.

    python -m tests.storage.migrating URL

opens the store when a line comes in, and prints the version that it then has.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from attrs import frozen
from maestro_flow_sql import migrations
from maestro_flow_sql.migrations import MIGRATIONS, Migration

from maestro_flow.clock import SystemClock
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import Storage
from tests.servers.postgres import Server

_COLUMN = "ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT ''"
_INDEX = "CREATE INDEX runs_by_note ON runs (note)"
_ABSENT = "CREATE INDEX runs_by_tone ON runs (tone)"

_NOW = MIGRATIONS[-1]
NEXT = Migration(_NOW.version + 1, _NOW.oldest_reader, sqlite=(_COLUMN, _INDEX), postgres=(_COLUMN, _INDEX))
BROKEN = Migration(NEXT.version, _NOW.oldest_reader, sqlite=(_COLUMN, _ABSENT), postgres=(_COLUMN, _ABSENT))
EXCLUDING = Migration(NEXT.version, oldest_reader=NEXT.version, sqlite=NEXT.sqlite, postgres=NEXT.postgres)

PARAMS = b'{"day":{"type":"STRING","value":"2026-11-23","mode":"MUTABLE"}}'
"""Of a start, as a program of schema 1 wrote them."""

_CATALOG = """
    SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default, ''
    FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT tablename, indexname, indexdef, '', '', '', '' FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '', '', ''
    FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    UNION ALL SELECT relname, reloptions::text, '', '', '', '', ''
    FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
    UNION ALL SELECT proname, prosrc, '', '', '', '', provolatile::text
    FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
    ORDER BY 1, 2, 3
"""


def open_at(url: str) -> Storage:
    return open_storage(url, SystemClock())


@frozen
class SqliteDatabase:
    """A file, with statements of the test's own."""

    folder: Path
    dialect = "sqlite"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder}/store.db"

    def other(self) -> SqliteDatabase:
        """Another one, that is empty."""
        folder = self.folder / "other"
        folder.mkdir()
        return SqliteDatabase(folder)

    def run(self, script: str) -> None:
        connection = sqlite3.connect(self.folder / "store.db", isolation_level=None)
        connection.executescript(script)
        connection.close()

    def rows(self, query: str) -> list[Any]:
        connection = sqlite3.connect(self.folder / "store.db")
        rows = connection.execute(query).fetchall()
        connection.close()
        return rows

    def catalog(self) -> list[Any]:
        """All that says what the tables are."""
        rows = self.rows("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
        return [(*names, None if sql is None else " ".join(sql.split())) for *names, sql in rows]


@frozen
class PostgresDatabase:
    """A schema on a server, with statements of the test's own."""

    server: Server
    schema: str
    dialect = "postgres"

    @property
    def url(self) -> str:
        return self.server.url(self.schema)

    def other(self) -> PostgresDatabase:
        """Another one, that is empty; the caller drops it."""
        other = PostgresDatabase(self.server, f"{self.schema}_o")
        self.server.drop(other.schema)
        return other

    def run(self, script: str) -> None:
        with self.server.connect(self.schema) as connection:
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self.schema}".encode())
            connection.execute(script.encode())

    def rows(self, query: str) -> list[Any]:
        with self.server.connect(self.schema) as connection:
            return connection.execute(query.encode()).fetchall()

    def catalog(self) -> list[Any]:
        """All that says what the tables are, wherever they are."""
        return [tuple(str(value).replace(self.schema, "HERE") for value in row) for row in self.rows(_CATALOG)]


def main(url: str) -> None:
    migrations.MIGRATIONS = (*MIGRATIONS, NEXT)
    print("ready", flush=True)
    sys.stdin.readline()
    store = open_at(url)
    print(store.schema_version)
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
