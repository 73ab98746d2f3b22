"""No connection of an SQL store is left to the garbage collector, however the store comes to its end."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from maestro_flow_sql.pool import Pool
from sqlalchemy.exc import DisconnectionError, OperationalError

from maestro_flow.errors import StorageUnusable


class Recorded(sqlite3.Connection):
    """A connection that tells whether it is open; ``broken``: every statement fails."""

    is_open = True
    broken = False

    def close(self) -> None:
        self.is_open = False
        super().close()

    def create_function(self, *args: object, **options: object) -> None:
        if self.broken:
            raise sqlite3.OperationalError("the server has gone")
        super().create_function(*args, **options)  # type: ignore[arg-type]


@pytest.fixture
def made() -> list[Recorded]:
    """Connections that were made so far."""
    return []


@pytest.fixture
def pool(tmp_path: Path, made: list[Recorded]) -> Iterator[Pool]:
    def connect() -> Recorded:
        made.append(sqlite3.connect(tmp_path / "x.db", factory=Recorded, check_same_thread=False))
        return made[-1]

    pool = Pool("sqlite+pysqlite://", connect, store="x", kept=2, limit=4, patience_s=10)
    yield pool
    pool.close()
    assert [connection.is_open for connection in made] == [False] * len(made)


def borrow(pool: Pool, meanwhile: Callable[[], object]) -> None:
    with pool.use() as engine, engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        meanwhile()


def test_a_connection_in_use_is_closed_when_it_is_returned(pool: Pool, made: list[Recorded]) -> None:
    """The engine's threads may outlive its ``close``."""
    in_use, closed = threading.Barrier(4, timeout=60), threading.Event()

    def meanwhile() -> None:
        in_use.wait()
        assert closed.wait(60)

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(borrow, pool, meanwhile) for _ in range(3)]
        in_use.wait()
        pool.close()
        assert [connection.is_open for connection in made] == [True] * 3
        closed.set()
        for reader in readers:
            reader.result(60)
    assert [connection.is_open for connection in made] == [False] * 3


def test_a_connection_that_is_taken_after_the_close_is_closed_too(pool: Pool, made: list[Recorded]) -> None:
    """By a caller who had found the pool open."""
    with pool.use() as engine:
        pool.close()
        engine.connect().close()
        assert [connection.is_open for connection in made] == [True]
    assert [connection.is_open for connection in made] == [False]
    with pytest.raises(StorageUnusable, match="closed"):
        borrow(pool, lambda: None)


def test_a_connection_that_fails_before_anybody_gets_it_is_closed(
    pool: Pool, made: list[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Recorded, "broken", True)
    with pytest.raises((sqlite3.OperationalError, OperationalError)):
        borrow(pool, lambda: None)
    assert made
    assert [connection.is_open for connection in made] == [False] * len(made)


def test_a_connection_refused_by_the_look_is_closed_and_another_is_made(pool: Pool, made: list[Recorded]) -> None:
    sent_back: list[object] = []

    def look(connection: object, _entry: object, _proxy: object) -> None:
        if not sent_back:
            sent_back.append(connection)
            raise DisconnectionError

    pool.on_checkout(look)
    borrow(pool, lambda: None)
    assert [connection.is_open for connection in made] == [False, True]


def test_an_error_in_the_block_leaves_no_connection_open(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        borrow(pool, lambda: 1 / 0)
