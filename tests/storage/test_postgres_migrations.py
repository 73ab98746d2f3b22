"""Which role may migrate a store on PostgreSQL, which may open it, and what happens while the tables are in use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from maestro_flow_sql import migrations
from maestro_flow_sql.migrations import MIGRATIONS, Migration
from maestro_flow_sql.postgres import tables

from maestro_flow.errors import StorageUnavailable, StorageUnusable
from tests.servers.postgres import Server
from tests.storage.migrating import NEXT, open_at
from tests.storage.test_postgres_faults import wait_until_blocked
from tests.storage.verbs import use_every_verb

SCHEMA = "t_rights"

_RIGHTS = f"""
    GRANT USAGE ON SCHEMA {SCHEMA} TO worker;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {SCHEMA} TO worker;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA {SCHEMA} TO worker
"""


def as_user(server: Server, name: str) -> str:
    return server.url(SCHEMA).replace("tests@", f"{name}@")


@pytest.fixture
def server(own_postgres: Server) -> Iterator[Server]:
    """One with the roles ``owner``, who may create, and ``worker``, who may read and write what the owner has made."""
    with own_postgres.connect() as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode())
        for role in ("owner", "worker"):
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
            connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        connection.execute(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION owner".encode())
    open_at(as_user(own_postgres, "owner")).close()
    with own_postgres.connect() as connection:
        connection.execute(_RIGHTS.encode())
    yield own_postgres
    with own_postgres.connect() as connection:
        connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE".encode())
        connection.execute("DROP ROLE owner")
        connection.execute("DROP ROLE worker")


@pytest.fixture
def upgraded(monkeypatch: pytest.MonkeyPatch) -> Migration:
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, NEXT))
    return NEXT


def test_a_role_that_may_only_read_and_write_can_use_every_verb(server: Server) -> None:
    use_every_verb(open_at(as_user(server, "worker")))


def test_a_role_that_may_not_migrate_is_told_which_one_may(server: Server, upgraded: Migration) -> None:
    with pytest.raises(StorageUnusable, match=r"stays at schema.*run `maestro-flow migrate` as the owner"):
        open_at(as_user(server, "worker"))
    open_at(as_user(server, "owner")).close()
    store = open_at(as_user(server, "worker"))
    assert store.schema_version == upgraded.version
    use_every_verb(store)


def test_a_migration_waits_for_a_long_transaction_and_holds_up_nobody_meanwhile(
    postgres: Server, schema: str, upgraded: Migration
) -> None:
    """While ALTER TABLE waits, all others would wait behind it: it gives up after a second, and tries again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", MIGRATIONS)
        old = open_at(postgres.url(schema))
    with ThreadPoolExecutor(1) as pool, postgres.connect(schema) as report:
        with report.transaction():
            report.execute("SELECT count(*) FROM runs")
            opening = pool.submit(open_at, postgres.url(schema))
            wait_until_blocked(postgres, "ALTER TABLE")
            began = time.monotonic()
            assert old.run("w/1/1") is None
            assert time.monotonic() - began < 4, "our own statements give up after 2.5 s"
            assert not opening.done()
            wait_until_blocked(postgres, "ALTER TABLE")
        new = opening.result(60)
    assert new.schema_version == upgraded.version
    old.close()
    new.close()


def test_a_migration_that_never_gets_its_table_is_given_up_with_the_reason(
    postgres: Server, schema: str, upgraded: Migration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_TRIES", 2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", MIGRATIONS)
        open_at(postgres.url(schema)).close()
    with postgres.connect(schema) as report:
        with report.transaction():
            report.execute("SELECT count(*) FROM runs")
            with pytest.raises(StorageUnavailable, match="lock timeout") as refused:
                open_at(postgres.url(schema))
        assert isinstance(refused.value.__cause__, psycopg.errors.LockNotAvailable)
    store = open_at(postgres.url(schema))
    assert store.schema_version == upgraded.version
    store.close()


def test_an_interrupted_migration_is_repeated_by_the_next_opening(
    postgres: Server, schema: str, upgraded: Migration
) -> None:
    """The lock and all that was done went with the connection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrations, "MIGRATIONS", MIGRATIONS)
        open_at(postgres.url(schema)).close()
    with ThreadPoolExecutor(1) as pool, postgres.connect(schema) as report:
        with report.transaction():
            report.execute("SELECT count(*) FROM runs")
            opening = pool.submit(open_at, postgres.url(schema))
            wait_until_blocked(postgres, "ALTER TABLE")
            with postgres.connect() as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE cardinality(pg_blocking_pids(pid)) > 0 AND query LIKE 'ALTER TABLE%'"
                )
            with pytest.raises(Exception, match="may be repeated") as cut:
                opening.result(60)
            assert isinstance(cut.value.__cause__, psycopg.OperationalError)
        store = open_at(postgres.url(schema))
    assert store.schema_version == upgraded.version
    store.close()
