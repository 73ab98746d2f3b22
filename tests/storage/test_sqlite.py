"""The SQLite store: conformance, and what happens when SQLite fails under it."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from maestro_flow_sql.sqlite import connection as waiting
from maestro_flow_sql.sqlite import open_sqlite
from maestro_flow_sql.sqlite import writer as writing
from maestro_flow_sql.sqlite.append import APPEND
from maestro_flow_sql.sqlite.storage import SqliteStorage

from maestro_flow.clock import ManualClock
from maestro_flow.errors import StorageError, StorageUnavailable, StorageUnusable
from maestro_flow.model.commit import Outcome
from maestro_flow.storage.conformance import Opener, StorageConformance
from maestro_flow.storage.conformance.node import LEASE_S, Node

Opened = Callable[[], SqliteStorage]


class TestSqlite(StorageConformance):
    proves_dead_owners = sys.platform == "linux"
    hints_others = False

    @pytest.fixture
    def opener(self, clock: ManualClock, tmp_path: Path) -> Opener:
        return lambda namespace: open_sqlite(f"sqlite:///{tmp_path}/{namespace}.db", clock)


class FailingConnection(sqlite3.Connection):
    """Fails the next end of a transaction as a broken disk would, before or after it has taken effect."""

    fails: str = ""

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        fails, is_end = FailingConnection.fails, sql in ("COMMIT", APPEND)
        if not is_end or not fails:
            return super().execute(sql, parameters)
        FailingConnection.fails = ""
        if fails == "after":
            super().execute(sql, parameters).fetchall()
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


@pytest.fixture
def failing(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> Node:
    """A node on a store whose connections are ``FailingConnection``s."""
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **more: connect(*args, factory=FailingConnection, **more))
    node = Node(opened())
    node.claim()
    return node


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize(("fails", "then"), [("before", Outcome.DONE), ("after", Outcome.ALREADY_APPLIED)])
def test_when_a_commit_fails_the_identical_batch_gives_the_answer(
    failing: Node, fails: str, then: Outcome, size: int
) -> None:
    """PROTOCOL 6: whether it was written before the error or not, alone or in a batch."""
    failing.commit(failing.write("w/1/1", 1))
    batch = [failing.write("w/1/1", 2 + number) for number in range(size)]
    FailingConnection.fails = fails
    with pytest.raises(StorageUnavailable, match="may be repeated"):
        failing.commit(*batch)
    assert failing.commit(*batch) == [then] * size
    assert [record.revision for record in failing.store.read_flow("w/1/1")] == list(range(1, 2 + size))


def test_a_full_disk_is_unavailable_until_there_is_space(opened: Opened) -> None:
    """PROTOCOL 6, 8: SQLite rolls back by itself; nothing of the batch is there."""
    store = opened()
    node = Node(store)
    node.claim()
    writer = store._writer._connection
    assert writer is not None
    (pages,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {pages + 4}")
    batch = [node.write(f"w/{number}/1", 1) for number in range(200)]
    with pytest.raises(StorageUnavailable, match="full"):
        node.commit(*batch)
    assert store.read_log(node.group_id) == []
    writer.execute("PRAGMA max_page_count = 1000000")
    assert node.commit(*batch) == [Outcome.DONE] * 200


def test_tables_that_are_not_ours_are_not_waited_for(path: Path, opened: Opened) -> None:
    """They come back only by hand, so the node that sees it gives up, instead of asking for ever."""
    store = opened()
    with sqlite3.connect(path) as other:
        other.execute("DROP TABLE definitions")
    other.close()
    for verb in (lambda: store.push("w", b"{}"), lambda: store.definition("w")):
        with pytest.raises(StorageUnusable, match="its tables are not those"):
            verb()


def test_a_lock_that_is_never_released_is_unavailable_in_the_end(
    path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL 6, 12: "database is locked" is nothing that a caller ever sees; reading continues."""
    monkeypatch.setattr(waiting, "PATIENCE_S", 0.002)
    store = opened()
    with sqlite3.connect(path, isolation_level=None) as frozen:
        frozen.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="lock"):
            store.push("w", b"{}")
        assert store.definition("w") is None
        frozen.execute("ROLLBACK")
    frozen.close()
    assert store.push("w", b"{}") == 1


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("revision + 0, position + 1", "log.flow_id, log.revision"),
        ("revision + 1, position", "log.group_id, log.position"),
    ],
)
def test_a_clash_that_the_judge_did_not_see_is_stopped_by_the_tables(opened: Opened, change: str, rule: str) -> None:
    """PROTOCOL 4, 7: the constraints are the guarantees, and nothing of the transaction is left."""
    node = Node(opened())
    node.claim()
    node.commit(node.write("w/1/1", 1))
    others = "flow_id, group_id, generation, owner_id, commit_id, at, schema_version, events"
    copy = f"INSERT INTO log (revision, position, {others}) SELECT {change}, {others} FROM log"
    writer = opened()._writer
    with pytest.raises(StorageError, match=rule), writer.transaction() as db:
        db.execute(copy)
    assert len(node.store.read_log(node.group_id)) == 1


def test_a_closed_store_says_so(opened: Opened) -> None:
    store = opened()
    store.close()
    store.close()
    for verb in (lambda: store.push("w", b"{}"), lambda: store.run("w/1/1")):
        with pytest.raises(StorageUnusable, match="closed"):
            verb()


def test_a_damaged_file_is_unusable(path: Path, opened: Opened) -> None:
    node = Node(opened())
    node.claim(64)
    for lease in node.leases:
        node.commit(*(node.write(f"w{lease.group_id}/{number}/1", 1, lease=lease) for number in range(40)))
    node.store.close()
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * (path.stat().st_size - 4 * 4096))
    with pytest.raises(StorageUnusable, match="restore it from a backup"):
        Node(opened()).claim()


def test_an_interrupt_just_after_the_lock_was_taken_gives_it_back(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL 12: a lock that nobody gives back would stop every process on the file."""
    store, other = opened(), opened()

    def interrupt_after_begin(attempt: Callable[[], object]) -> object:
        result, connection = attempt(), store._writer._connection
        if connection is not None and connection.in_transaction:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patch:
        patch.setattr(writing, "patiently", interrupt_after_begin)
        with pytest.raises(KeyboardInterrupt):
            store.push("w", b"{}")
    assert (other.push("w", b"{}"), store.push("w", b"[]")) == (1, 2)


def test_an_error_inside_a_transaction_leaves_the_next_one_alone(opened: Opened) -> None:
    node = Node(opened())
    node.claim()
    node.commit(node.write("w/1/1", 1))
    for _ in range(3):
        with pytest.raises(StorageError):
            node.commit(node.write("w/2/1", 1, position=1))
    assert node.store.renew(node.owner, node.leases, lease_s=LEASE_S).lost == frozenset()
