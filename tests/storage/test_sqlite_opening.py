"""Which files the SQLite store opens, makes, or refuses, and what it says then."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier

import pytest
from maestro_flow_sql.sqlite import open_sqlite
from maestro_flow_sql.sqlite.storage import SqliteStorage

from maestro_flow.clock import ManualClock
from maestro_flow.errors import SchemaMismatch, SettingsError, StorageUnusable

Opened = Callable[[], SqliteStorage]


def execute(path: Path, *statements: str) -> list[tuple[object, ...]]:
    """Rows of the last of the statements, on a connection of our own."""
    connection = sqlite3.connect(path, isolation_level=None)
    rows = [connection.execute(statement).fetchall() for statement in statements][-1]
    connection.close()
    return rows


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike those of ``tmp_path``."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def powerless() -> Iterator[None]:
    """Rights count for nothing with root, so a test that runs as root continues as nobody."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_store_is_made_where_there_is_none(path: Path, opened: Opened) -> None:
    assert opened().group_count == 64
    assert execute(path, "PRAGMA journal_mode") == [("wal",)]
    assert execute(path, "PRAGMA integrity_check") == [("ok",)]


def test_an_empty_file_becomes_a_store(path: Path, opened: Opened) -> None:
    path.touch()
    opened().push("w", b"{}")
    assert opened().definition("w") is not None


def test_many_threads_that_open_a_new_store_at_once_make_one(path: Path, opened: Opened) -> None:
    barrier = Barrier(6)

    def open_and_push(number: int) -> int:
        barrier.wait(60)
        return opened().push("w", b"%d" % number)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(open_and_push, range(6))) == [1, 2, 3, 4, 5, 6]
    assert execute(path, "SELECT count(*) FROM leases") == [(64,)]


def test_a_commit_is_synced_to_the_disk(opened: Opened) -> None:
    """PROTOCOL: durable means after a power cut too; SQLite's default for WAL would be, a changed build might not."""
    with opened()._writer.transaction() as db:
        assert db.execute("PRAGMA synchronous").fetchone() == (2,)


def test_the_number_of_groups_is_that_of_the_store(path: Path, opened: Opened) -> None:
    """PROTOCOL 19: fixed when the store was created, whatever the default is today."""
    opened().close()
    execute(path, "DELETE FROM leases WHERE group_id >= 8", "UPDATE store_meta SET group_count = 8")
    assert opened().group_count == 8


def test_a_relative_path_stays_the_same_file_when_the_folder_changes(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_sqlite("sqlite:///runs.db", clock)
    monkeypatch.chdir("/")
    store.push("w", b"{}")
    assert store.definition("w") is not None
    store.close()
    assert (tmp_path / "runs.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        *("sqlite:", "sqlite://", "sqlite:///", "sqlite://runs.db", "sqlite://host/runs.db", "sqlite:///:memory:"),
        *("sqlite:///runs.db#x", "sqlite:///folder/"),
    ],
)
def test_a_url_without_a_file_is_refused_with_the_right_form(url: str, clock: ManualClock) -> None:
    with pytest.raises(SettingsError, match="does not name an SQLite file"):
        open_sqlite(url, clock)


def test_a_namespace_is_a_separate_file_beside_that_of_the_default(tmp_path: Path, clock: ManualClock) -> None:
    url = f"sqlite:///{tmp_path}/runs.db"
    for asked in (url, f"{url}?namespace=nightly", f"{url}?namespace=maestro_flow"):
        open_sqlite(asked, clock).close()
    assert {path.name for path in tmp_path.glob("*.db")} == {"runs.db", "runs.nightly.db"}


@pytest.mark.parametrize("options", ["mode=ro", "namespace=", "namespace=../x", "namespace=Nightly", "namespace=1"])
def test_a_wrong_option_is_refused_and_makes_no_file(tmp_path: Path, clock: ManualClock, options: str) -> None:
    with pytest.raises(SettingsError, match=options.partition("=")[0]):
        open_sqlite(f"sqlite:///{tmp_path}/runs.db?{options}", clock)
    assert list(tmp_path.iterdir()) == []


def test_a_newer_store_that_excludes_us_is_refused(path: Path, opened: Opened) -> None:
    """PROTOCOL 27."""
    opened().close()
    execute(path, "UPDATE store_meta SET schema_version = 8, oldest_reader = 7")
    with pytest.raises(SchemaMismatch, match="upgrade"):
        opened()


def test_a_newer_store_that_admits_us_is_opened(path: Path, opened: Opened) -> None:
    """PROTOCOL 27: that is what the oldest reader version is for."""
    opened().close()
    execute(path, "UPDATE store_meta SET schema_version = 8, oldest_reader = 1")
    assert opened().push("w", b"{}") == 1


@pytest.mark.parametrize("table", ["customers (id)", "store_meta (name, value)"])
def test_the_database_of_another_program_is_refused_and_not_touched(path: Path, opened: Opened, table: str) -> None:
    execute(path, f"CREATE TABLE {table}")
    before = path.read_bytes()
    with pytest.raises(StorageUnusable, match="another program") as refusal:
        opened()
    assert str(path) in str(refusal.value)
    assert path.read_bytes() == before


def test_a_file_that_is_not_a_database_is_refused_and_not_touched(path: Path, opened: Opened) -> None:
    path.write_text("Dear diary, " * 100)
    with pytest.raises(StorageUnusable, match="not an SQLite database") as refusal:
        opened()
    assert str(path) in str(refusal.value)
    assert path.read_text() == "Dear diary, " * 100


@pytest.mark.parametrize("place", ["missing/store.db", "file/store.db", "folder"])
def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path, clock: ManualClock, place: str) -> None:
    """No rights are involved, so this holds for root too."""
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    with pytest.raises(StorageUnusable, match="check that its directory exists") as refusal:
        open_sqlite(f"sqlite:///{tmp_path}/{place}", clock)
    assert place in str(refusal.value)


def test_a_read_only_file_is_refused(readable_folder: Path, clock: ManualClock) -> None:
    path = readable_folder / "store.db"
    open_sqlite(f"sqlite:///{path}", clock).close()
    path.chmod(0o444)
    readable_folder.chmod(0o555)
    with powerless(), pytest.raises(StorageUnusable, match="read-only"):
        open_sqlite(f"sqlite:///{path}", clock)


def test_a_read_only_folder_is_refused(readable_folder: Path, clock: ManualClock) -> None:
    """A store needs its folder for the files beside it."""
    readable_folder.chmod(0o555)
    with powerless(), pytest.raises(StorageUnusable, match="this user may write there"):
        open_sqlite(f"sqlite:///{readable_folder}/store.db", clock)


def test_a_library_that_is_too_old_is_refused(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 37, 2))
    with pytest.raises(StorageUnusable, match=r"3\.38\.0 is needed"):
        opened()
