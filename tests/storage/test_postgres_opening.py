"""Which URLs and servers the PostgreSQL store accepts, what it makes there, and what it says when it refuses."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import psycopg
import pytest
from maestro_flow_sql.postgres import open_postgres
from maestro_flow_sql.postgres.storage import PostgresStorage
from maestro_flow_sql.postgres.target import Target

from maestro_flow.clock import SystemClock
from maestro_flow.errors import SchemaMismatch, SettingsError, StorageUnavailable, StorageUnusable, ValueNotStorable
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import GROUP_COUNT
from tests.servers.postgres import Server
from tests.storage.verbs import use_every_verb

PASSWORD = "se:cret"
IN_A_URL = "se%3Acret"
GROWING = ("definitions", "log", "messages", "runs")

_STATISTICS = """
    SELECT coalesce(sum(n_tup_ins) FILTER (WHERE relname = 'leases'), 0)::integer,
           coalesce(sum(n_tup_ins) FILTER (WHERE relname = 'log'), 0)::integer,
           coalesce(sum(seq_scan) FILTER (WHERE relname = ANY (%(growing)s)), 0)::integer
    FROM pg_stat_user_tables WHERE schemaname = %(schema)s
"""


@pytest.fixture
def opened(postgres: Server, schema: str) -> Iterator[Callable[..., PostgresStorage]]:
    """Opens the store of the test, with options of the URL, and closes it at the end."""
    stores: list[PostgresStorage] = []

    def open_it(**options: str) -> PostgresStorage:
        stores.append(open_postgres(postgres.url(schema, **options), SystemClock()))
        return stores[-1]

    yield open_it
    for store in stores:
        store.close()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_schemes_open_it(postgres: Server, schema: str, scheme: str) -> None:
    store = open_storage(postgres.url(schema).replace("postgresql", scheme, 1))
    assert isinstance(store, PostgresStorage)
    store.close()


@pytest.mark.parametrize(
    ("rest", "problem"),
    [
        ("", "does not name a database"),
        ("/", "does not name a database"),
        ("/a/b", "does not name a database"),
        ("/db?colour=blue", "no option colour"),
        ("/db?password=secret", "no option password"),
        ("/db?namespace=a%20b", "namespace='a b'"),
        ("/db?namespace=x%3B%20DROP%20TABLE%20log", "namespace="),
        ("/db?schema=nightly", "no option schema"),
        ("/db?prepare=maybe", "prepare='maybe'"),
    ],
)
def test_a_wrong_url_is_refused_without_its_password(rest: str, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as refusal:
        open_postgres(f"postgresql://me:{IN_A_URL}@host{rest}", SystemClock())
    assert "cret" not in str(refusal.value)


def test_a_target_shows_no_password() -> None:
    target = Target.of(f"postgresql://me:{IN_A_URL}@host:5433/db")
    assert target.parameters["password"] == PASSWORD
    assert target.name == "me@host:5433/db"
    assert "cret" not in repr(target)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "host-that-is-not-there.invalid"])
def test_an_unreachable_server_is_unavailable_and_named(host: str) -> None:
    with pytest.raises(StorageUnavailable, match=f"me@{host}.*/db") as refusal:
        open_postgres(f"postgresql://me:{IN_A_URL}@{host}/db", SystemClock())
    assert "cret" not in str(refusal.value)
    assert "\n" not in str(refusal.value), "libpq says it on two lines, a log has one for it"


def test_the_primary_is_found_among_several_hosts(own_postgres: Server, tmp_path: Path) -> None:
    """As after a failover: one of them is down."""
    schema = "t_hosts"
    own_postgres.drop(schema)
    hosts = f"{tmp_path},{own_postgres.home}"
    url = own_postgres.url(schema, host=hosts, port="5432,5432", target_session_attrs="read-write")
    store = open_postgres(url, SystemClock())
    assert store.push("w", b"{}") == 1
    store.close()
    own_postgres.drop(schema)


def test_a_wrong_password_is_refused_and_not_shown(own_postgres: Server) -> None:
    with own_postgres.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS with_password")
        connection.execute("CREATE ROLE with_password LOGIN PASSWORD 'right'")
    url = own_postgres.url("t_password").replace("tests@", f"with_password:{IN_A_URL}@")
    with pytest.raises(StorageUnusable, match="check user, password") as refusal:
        open_postgres(url, SystemClock())
    assert "cret" not in str(refusal.value)


def test_a_database_that_is_not_there_is_not_taken_for_a_wrong_password(own_postgres: Server) -> None:
    url = own_postgres.url("t_nowhere").replace("/postgres?", "/nowhere?")
    with pytest.raises(StorageUnusable, match="no such database; create it") as refusal:
        open_postgres(url, SystemClock())
    assert "login" not in str(refusal.value)


def test_a_role_that_may_not_create_the_schema_is_told_so(own_postgres: Server) -> None:
    with own_postgres.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS powerless")
        connection.execute("CREATE ROLE powerless LOGIN")
    with pytest.raises(StorageUnusable, match="lacks a privilege"):
        open_postgres(own_postgres.url("t_powerless").replace("tests@", "powerless@"), SystemClock())


def test_a_newer_schema_is_refused(postgres: Server, schema: str, opened: Callable[..., PostgresStorage]) -> None:
    opened()
    with postgres.connect(schema) as connection:
        connection.execute("UPDATE store_meta SET schema_version = 99, oldest_reader = 98")
    with pytest.raises(SchemaMismatch, match=r"schema 99.*upgrade"):
        opened()


def test_many_that_open_a_new_store_at_once_make_one(
    postgres: Server, schema: str, opened: Callable[..., PostgresStorage]
) -> None:
    """They wait for each other under an advisory lock."""
    barrier = Barrier(6)

    def open_and_push(number: int) -> int:
        barrier.wait(60)
        return opened().push("w", b"%d" % number)

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(open_and_push, range(6))) == [1, 2, 3, 4, 5, 6]
    with postgres.connect(schema) as connection:
        assert connection.execute("SELECT count(*) FROM leases").fetchone() == (64,)


def test_a_server_that_may_lose_what_it_has_acknowledged_is_refused_unless_told_otherwise(own_postgres: Server) -> None:
    schema = "t_volatile"
    with own_postgres.connect() as connection:
        connection.execute("DROP ROLE IF EXISTS careless")
        connection.execute("CREATE ROLE careless LOGIN SUPERUSER")
        connection.execute("ALTER ROLE careless SET synchronous_commit = off")
    with pytest.raises(StorageUnusable, match="allow_volatile"):
        open_postgres(own_postgres.url(schema).replace("tests@", "careless@"), SystemClock())
    url = own_postgres.url(schema, allow_volatile="true").replace("tests@", "careless@")
    open_postgres(url, SystemClock()).close()
    own_postgres.drop(schema)


def test_no_verb_walks_over_a_table_that_grows(
    postgres: Server, schema: str, opened: Callable[..., PostgresStorage]
) -> None:
    """A hundred thousand finished runs make no difference."""
    opened().close()
    with postgres.connect() as connection:
        made = looks_at(connection, schema, rows_at_least=0)
        use_every_verb(opened())
        assert looks_at(connection, schema, rows_at_least=1) == made


def looks_at(connection: psycopg.Connection[Any], schema: str, *, rows_at_least: int) -> int:
    """Walks over the tables that grow so far. A session reports what it has done when it ends."""
    leases, rows, walks = 0, 0, 0
    while leases < GROUP_COUNT or rows < rows_at_least:
        (leases, rows, walks), *_ = connection.execute(_STATISTICS, {"schema": schema, "growing": list(GROWING)})
    return walks


@pytest.mark.parametrize("name", ["a\0b", "\ud800"], ids=ascii)
def test_a_name_that_is_not_text_is_refused_by_verbs_that_only_read(
    opened: Callable[..., PostgresStorage], name: str
) -> None:
    store = opened()
    for verb in (store.run, store.definition, store.read_flow, lambda name: store.message(0, name)):
        with pytest.raises(ValueNotStorable):
            verb(name)


def test_a_closed_store_says_so(opened: Callable[..., PostgresStorage]) -> None:
    store = opened()
    store.close()
    store.close()
    for verb in (lambda: store.push("w", b"{}"), lambda: store.run("w/1/1")):
        with pytest.raises(StorageUnusable, match="closed"):
            verb()


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_fork_cannot_use_the_store_of_its_parent(opened: Callable[..., PostgresStorage], tmp_path: Path) -> None:
    store = opened()
    child = os.fork()
    if child == 0:  # from here on, nothing may reach pytest
        verdict = 1
        try:
            store.push("w", b"[]")
        except StorageUnusable:
            store.close()
            verdict = 0
        finally:
            os._exit(verdict)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.push("w", b"{}") == 1
