"""Stores that an older maestro-flow has made: they become what we need, or stay what they are."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest
from maestro_flow_sql import migrations
from maestro_flow_sql.migrations import MIGRATIONS, Migration

from maestro_flow.errors import SchemaMismatch, StorageUnusable
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Owner
from maestro_flow.model.requests import decode_request
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.protocol import RunQuery, Storage
from tests.storage.migrating import BROKEN, EXCLUDING, NEXT, PARAMS, PostgresDatabase, SqliteDatabase, open_at
from tests.storage.processes import ROOT
from tests.storage.verbs import use_every_verb

SCHEMAS = Path(__file__).with_name("schemas")
OLD = MIGRATIONS[-1].version

Database = SqliteDatabase | PostgresDatabase


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty one."""
    if request.param == "sqlite":
        yield SqliteDatabase(tmp_path)
    else:
        yield PostgresDatabase(request.getfixturevalue("postgres"), request.getfixturevalue("schema"))


@pytest.fixture
def opened(database: Database) -> Iterator[Callable[[], Storage]]:
    """Opens the store, and closes it at the end."""
    stores: list[Storage] = []

    def open_it() -> Storage:
        stores.append(open_at(database.url))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Callable[[Migration], None]:
    """Lets the program know one more schema from now on."""

    def upgrade(migration: Migration = NEXT) -> None:
        monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, migration))

    return upgrade


Opened = Callable[[], Storage]
Upgraded = Callable[..., None]


def test_versions_have_no_gaps_and_never_readmit_excluded_programs() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    readers = [migration.oldest_reader for migration in MIGRATIONS]
    assert readers == sorted(readers)
    assert all(migration.oldest_reader <= migration.version for migration in MIGRATIONS)


@pytest.mark.parametrize("version", range(1, OLD + 1))
def test_a_store_of_any_version_becomes_what_a_new_store_is(database: Database, version: int) -> None:
    """If this fails, the tables in ``schema.py`` were changed without a migration."""
    database.run((SCHEMAS / f"{version}.{database.dialect}.sql").read_text())
    new = database.other()
    for url in (database.url, new.url):
        use_every_verb(open_at(url))
    assert database.catalog() == new.catalog()
    assert len(database.catalog()) > 20
    if isinstance(new, PostgresDatabase):
        new.server.drop(new.schema)


def test_a_start_of_schema_1_has_its_params_in_its_body(database: Database, opened: Opened) -> None:
    """It is the same request when it comes again; a run that was not created by a start has none."""
    blob = f"x'{PARAMS.hex()}'" if database.dialect == "sqlite" else f"'\\x{PARAMS.hex()}'"
    empty = blob.replace(PARAMS.hex(), b"{}".hex())
    names = "workflow_id, version, run_id, group_id, status, created_at, is_live"
    database.run((SCHEMAS / f"1.{database.dialect}.sql").read_text())
    database.run(
        f"""
        UPDATE leases SET generation = 7, owner_id = 'old', expires_at = 1e10;
        INSERT INTO workflows VALUES ('w', 1, 3);
        INSERT INTO definitions VALUES ('w', 1, {empty}, 1e9);
        INSERT INTO runs (number, flow_id, instance_id, request_id, params, is_given, {names}) VALUES
            (1, 'w/1/1', 1, 'r1', {blob}, 1, 'w', 1, 1, 5, 'CREATED', 1e9, 0),
            (2, 'w/2/1', 2, 'r2', {empty}, 1, 'w', 1, 1, 5, 'CREATED', 1e9, 0),
            (3, 'w/3/1', 3, NULL, NULL, 0, 'w', 1, 1, 5, 'FAILED', 1e9, 0)
        """
    )
    store = opened()
    body = b'{"params":%b}' % PARAMS
    assert [run.body for run in store.pending_starts(5)] == [body, b"{}"]
    assert decode_request(body).params["day"].value == "2026-11-23"
    (again,) = store.start([StartRequest("w", "r1", 5, body=body)])
    assert (again.flow_id, again.fresh) == ("w/1/1", False)
    assert [entry.blocking for entry in store.list_runs(RunQuery())] == [False] * 3
    assert store.holder(5) is None
    assert store.claim(Owner("new"), lease_s=9, limit=1)[0].generation == 10, "both migrations have ended the lease"


def test_an_older_store_is_migrated_when_it_is_opened_and_keeps_what_is_in_it(
    database: Database, opened: Opened, upgraded: Upgraded, caplog: pytest.LogCaptureFixture
) -> None:
    opened().push("w", b"{}")
    upgraded()
    with caplog.at_level(logging.INFO, "maestro_flow.storage"):
        store = opened()
        opened()
    assert store.schema_version == NEXT.version
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [f"schema {OLD} -> {NEXT.version}"]
    assert database.rows("SELECT note FROM runs") == []
    definition = store.definition("w")
    assert definition is not None
    assert definition.body == b"{}"
    use_every_verb(store)


def test_a_migration_that_fails_half_way_leaves_the_store_as_it_was(
    database: Database, opened: Opened, upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first statement was good: the column is not there all the same."""
    opened()
    before = database.catalog()
    upgraded(BROKEN)
    with pytest.raises(StorageUnusable, match=rf"stays at schema {OLD}.*tone.*nothing was changed"):
        opened()
    assert database.catalog() == before
    assert database.rows("SELECT schema_version, oldest_reader FROM store_meta") == [
        (OLD, MIGRATIONS[-1].oldest_reader)
    ]
    monkeypatch.undo()
    use_every_verb(opened())


def test_of_threads_that_open_an_older_store_at_once_one_migrates_it(
    opened: Opened, upgraded: Upgraded, caplog: pytest.LogCaptureFixture
) -> None:
    opened()
    upgraded()
    barrier = Barrier(6)

    def open_and_push(number: int) -> int:
        barrier.wait(60)
        return opened().push("w", b"%d" % number)

    with caplog.at_level(logging.INFO, "maestro_flow.storage"), ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(open_and_push, range(6))) == [1, 2, 3, 4, 5, 6]
    assert len(caplog.records) == 1


def test_processes_that_open_an_older_store_at_once_wait_for_each_other(database: Database, opened: Opened) -> None:
    opened()
    command = [sys.executable, "-m", "tests.storage.migrating", database.url]
    programs = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for program in programs:
        assert program.stdout is not None
        assert program.stdout.readline() == b"ready\n"
    for program in programs:
        assert program.stdin is not None
        program.stdin.write(b"go\n")
        program.stdin.flush()
    answers = [program.communicate(timeout=60) for program in programs]
    assert answers == [(b"%d\n" % NEXT.version, b"")] * 2
    assert database.rows("SELECT schema_version FROM store_meta") == [(NEXT.version,)]


def test_a_node_of_the_previous_version_continues_to_commit_meanwhile(opened: Opened, upgraded: Upgraded) -> None:
    """Its statements are prepared, its fence is in use, and none of its commits is refused or lost."""
    node = Node(opened())
    node.claim()
    started, migrated = Event(), Event()

    def commit_until_migrated() -> list[Outcome]:
        outcomes = []
        for revision in range(1, 100_000):
            outcomes += node.commit(node.write("mine/1/1", revision))
            if revision == 20:
                started.set()
            if migrated.is_set() and revision > 40:
                break
        return outcomes

    with ThreadPoolExecutor(1) as pool:
        commits = pool.submit(commit_until_migrated)
        assert started.wait(60)
        upgraded()
        assert opened().schema_version == NEXT.version
        migrated.set()
        outcomes = commits.result(60)
    assert outcomes == [Outcome.DONE] * len(outcomes)
    assert len(node.store.read_flow("mine/1/1")) == len(outcomes)
    use_every_verb(node.store)


def test_a_node_that_is_excluded_by_a_migration_writes_nothing_more(opened: Opened, upgraded: Upgraded) -> None:
    """PROTOCOL 3, 27: its leases end with the migration, and it claims no more."""
    node = Node(opened())
    node.claim()
    assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]
    upgraded(EXCLUDING)
    new = Node(opened(), "boris")
    assert node.commit(node.write("w/1/1", 2)) == [Outcome.OWNERSHIP_LOST]
    with pytest.raises(SchemaMismatch, match="upgrade"):
        node.claim()
    assert len(new.claim(new.store.group_count)) == new.store.group_count
    assert [record.revision for record in new.store.read_flow("w/1/1")] == [1]


def test_a_program_that_is_excluded_by_a_migration_cannot_open_the_store(
    opened: Opened, upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened()
    upgraded(EXCLUDING)
    opened()
    monkeypatch.undo()
    with pytest.raises(SchemaMismatch, match=rf"schema {NEXT.version}.*upgrade"):
        opened()


def test_a_program_that_a_newer_store_admits_can_open_it(
    database: Database, opened: Opened, upgraded: Upgraded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL 27: that is what the oldest reader version is for."""
    opened()
    upgraded()
    opened()
    monkeypatch.undo()
    store = opened()
    assert store.schema_version == NEXT.version
    assert database.rows("SELECT note FROM runs") == []
    use_every_verb(store)
