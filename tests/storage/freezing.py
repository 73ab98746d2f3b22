"""Keep a store with live runs in it as this version of the code leaves it, before its schema changes:

    python -m pytest tests/storage/freezing.py

writes ``schemas/<version>.live.<store>``, for ``test_live_stores``. What was written once is never changed: it is what
users have.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from maestro_flow_redis.opening import open_server
from maestro_flow_sql.migrations import MIGRATIONS
from maestro_flow_sql.postgres import open_postgres
from maestro_flow_sql.sqlite import open_sqlite

from maestro_flow.clock import ManualClock
from tests.engine.world import World
from tests.servers import postgres as postgres_servers
from tests.servers import redis as redis_servers
from tests.servers.redis_time import ServerAtTime
from tests.servers.store_time import ServerClock
from tests.storage.live_stores import GROUPS, leave_live_runs

SCHEMAS = Path(__file__).with_name("schemas")
VERSION = MIGRATIONS[-1].version
NAMESPACE = "NAMESPACE"
"""Stands for the name of the store in the keys of Redis."""


@pytest.fixture(autouse=True)
def small_and_anonymous(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("maestro_flow_sql.sqlite.tables", "maestro_flow_sql.postgres.tables", "maestro_flow_redis.opening"):
        monkeypatch.setattr(f"{module}.GROUP_COUNT", GROUPS)
    monkeypatch.setattr("maestro_flow.node.node.this_process", lambda: "")


def test_freeze_sqlite(tmp_path: Path) -> None:
    clock = ManualClock()
    leave_live_runs(World(open_sqlite(f"sqlite:///{tmp_path}/store.db", clock), clock))
    with sqlite3.connect(tmp_path / "store.db") as connection:
        write("sqlite", tables("sqlite"), rows_of_sqlite(connection))


def rows_of_sqlite(connection: sqlite3.Connection) -> Iterable[str]:
    names = [
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    ]
    for name in names:
        columns = [column[1] for column in connection.execute(f"PRAGMA table_info({name})")]
        values = " || ', ' || ".join(f"quote({column})" for column in columns)
        if name == "sqlite_sequence":
            yield "DELETE FROM sqlite_sequence;"
        for (row,) in connection.execute(f"SELECT {values} FROM {name} ORDER BY 1"):
            yield f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({row});"


def test_freeze_postgres(postgres: postgres_servers.Server, schema: str) -> None:
    with postgres.connect() as connection:
        clock = ServerClock(connection, f"{schema}_clock")
        store = open_postgres(postgres.url(schema), clock)
        clock.stop(schema)
        leave_live_runs(World(store, clock))
        with postgres.connect(schema) as looking:
            write("postgres", tables("postgres"), rows_of_postgres(looking, schema))
        store.close()
    postgres.drop(f"{schema}_clock")


def rows_of_postgres(connection: psycopg.Connection[Any], schema: str) -> Iterable[str]:
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", (schema,)).fetchall()
    for (name,) in names:
        found = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 ORDER BY attnum", (name,)
        )
        columns = [column for (column,) in found]
        values = " || ', ' || ".join(f"quote_nullable({column})" for column in columns)
        for (row,) in connection.execute(f"SELECT {values} FROM {name} ORDER BY 1".encode()):
            yield f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({row});"
    for name, column in (("messages", "sequence"), ("runs", "number")):
        yield f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), (SELECT max({column}) FROM {name}));"


def test_freeze_redis(redis_server: redis_servers.Server, namespace: str) -> None:
    clock = ManualClock()
    leave_live_runs(World(open_server(ServerAtTime(redis_server.url(namespace), clock)), clock))
    with redis_server.client() as client:
        write("redis", "", commands(client, namespace))


def commands(client: Any, namespace: str) -> Iterable[str]:
    """What makes the same keys again, a JSON array in each line; bytes are characters of the same number."""
    for key in sorted(client.scan_iter(match=f"{{{namespace}:*", count=1000)):
        match client.type(key):
            case b"hash":
                words = [word for pair in sorted(client.hgetall(key).items()) for word in pair]
                yield line("HSET", key, *words, namespace=namespace)
            case b"zset":
                pairs = client.zrange(key, 0, -1, withscores=True)
                words = [word for member, score in pairs for word in (repr(score).encode(), member)]
                yield line("ZADD", key, *words, namespace=namespace)
            case b"list":
                yield line("RPUSH", key, *client.lrange(key, 0, -1), namespace=namespace)
            case b"stream":
                yield line("XADD", key, b"0-1", b"f", b"", namespace=namespace)
                yield line("XDEL", key, b"0-1", namespace=namespace)
                for place, fields in client.xrange(key):
                    yield line(
                        "XADD", key, place, *(word for pair in fields.items() for word in pair), namespace=namespace
                    )


def line(command: str, key: bytes, *words: bytes, namespace: str) -> str:
    name = key.replace(f"{{{namespace}:".encode(), f"{{{NAMESPACE}:".encode(), 1)
    return json.dumps([command, *(word.decode("latin-1") for word in (name, *words))])


def tables(dialect: str) -> str:
    """The empty tables of this schema."""
    text = (SCHEMAS / f"{VERSION}.{dialect}.sql").read_text()
    return text[text.index("\n") : text.index("INSERT INTO store_meta")].strip()


def write(store: str, head: str, lines: Iterable[str]) -> None:
    title = f"-- A store of schema {VERSION} with live runs in it (freezing.py). Never changed: it is what users have."
    text = "\n".join([*([title, "", head, ""] if head else []), *lines])
    (SCHEMAS / f"{VERSION}.live.{store}.{'sql' if head else 'jsonl'}").write_text(text + "\n")
