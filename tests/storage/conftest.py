"""Fixtures of the tests of single stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from maestro_flow_sql.sqlite import open_sqlite
from maestro_flow_sql.sqlite.storage import SqliteStorage

from maestro_flow.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store of the test is; nothing is there yet."""
    return tmp_path / "store.db"


@pytest.fixture
def opened(path: Path, clock: ManualClock) -> Iterator[Callable[[], SqliteStorage]]:
    """Opens the store at ``path``, and closes it at the end of the test."""
    stores: list[SqliteStorage] = []

    def open_it() -> SqliteStorage:
        stores.append(open_sqlite(f"sqlite:///{path}", clock))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()
