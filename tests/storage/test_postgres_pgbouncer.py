"""The PostgreSQL store behind a PgBouncer in transaction mode, whose sessions belong to nobody.

More threads than there are sessions use it, so whatever stayed in a session would be found by somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from maestro_flow_sql.postgres import open_postgres
from maestro_flow_sql.postgres.storage import PostgresStorage

from maestro_flow import Engine, RunStatus, Workflow
from maestro_flow.clock import SystemClock
from maestro_flow.errors import StorageUnusable
from maestro_flow.model.commit import Outcome
from maestro_flow.storage.conformance import Opener, StorageConformance
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.protocol import Storage
from tests.servers import pgbouncer
from tests.servers.pgbouncer import POOL_SIZE, TIMEOUTS, Pooler
from tests.servers.postgres import Server
from tests.servers.store_time import ServerClock

SCHEMA = "t_pooled"


@pytest.fixture(scope="module")
def pooler(own_postgres: Server) -> Iterator[Pooler]:
    with pgbouncer.start(own_postgres) as pooler:
        yield pooler


@pytest.fixture
def url(pooler: Pooler) -> Iterator[str]:
    """Of a store that is not there yet, with a role whose settings are as they should be."""
    pooler.server.drop(SCHEMA)
    with pooler.role("pooled", {**TIMEOUTS, "search_path": SCHEMA}):
        yield pooler.url("pooled", SCHEMA)
    pooler.server.drop(SCHEMA)


class TestBehindPgBouncer(StorageConformance):
    """Every promise of a store; a role for each namespace, because a role has one search path."""

    hints_others = False  # a session that is shared by transactions cannot listen

    @pytest.fixture
    def clock(self, pooler: Pooler) -> Iterator[ServerClock]:
        pooler.server.drop(SCHEMA)
        with pooler.server.connect() as connection:
            yield ServerClock(connection, SCHEMA)
        pooler.server.drop(SCHEMA)

    @pytest.fixture
    def opener(self, pooler: Pooler, clock: ServerClock) -> Iterator[Opener]:
        with ExitStack() as roles:
            opened: set[str] = set()

            def open_it(name: str) -> Storage:
                role = f"{SCHEMA}_{name}"
                if role in opened:
                    return open_postgres(pooler.url(role, role), clock)
                roles.enter_context(pooler.role(role, {**TIMEOUTS, "search_path": role}))
                pooler.server.drop(role)
                store = open_postgres(pooler.url(role, role), clock)
                opened.add(role)
                clock.stop(role)
                return store

            yield open_it


def test_threads_share_the_sessions_and_none_is_left_with_anything(url: str, pooler: Pooler) -> None:
    store = open_postgres(url, SystemClock())
    nodes = [Node(store, f"n{number}") for number in range(3 * POOL_SIZE)]
    for node in nodes:
        node.claim()

    def commit_all(node: Node) -> list[Outcome]:
        writes = [[node.write(f"{node.name}/{flow}/1", n) for flow in range(3)] for n in range(1, 31)]
        return [outcome for batch in writes for outcome in node.commit(*batch)]

    with ThreadPoolExecutor(len(nodes)) as threads:
        assert list(threads.map(commit_all, nodes)) == [[Outcome.DONE] * 90] * len(nodes)
    with pooler.server.connect() as connection:
        sessions = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = 'pooled'").fetchone()
    assert sessions is not None
    assert 0 < sessions[0] <= POOL_SIZE
    with store._connections.direct() as db:
        for _ in range(3 * POOL_SIZE):
            assert db.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            assert db.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)
    store.close()


def test_a_url_without_prepare_off_is_refused_with_advice(url: str) -> None:
    with pytest.raises(StorageUnusable, match="add prepare=off to the URL"):
        open_postgres(url.replace("&prepare=off", ""), SystemClock())


def test_an_engine_works_behind_it(url: str) -> None:
    wf = Workflow("sum", params={"number": 1})

    @wf.step
    def double(number: int) -> int:
        return number * 2

    @wf.step(after=double)
    def more(double: int) -> int:
        return double + 1

    with Engine(url) as engine:
        engine.push(wf)
        runs = engine.start_many("sum", [{"number": number} for number in range(100)])
        for run in runs:
            run.wait(60)
        assert [run.outputs["more"] for run in runs] == [number * 2 + 1 for number in range(100)]
        assert {entry.status for entry in engine.runs(limit=1000)} == {RunStatus.SUCCEEDED}


@pytest.fixture
def opened_as(pooler: Pooler) -> Iterator[Callable[[dict[str, str]], PostgresStorage]]:
    """Opens the store as a role with these settings."""
    pooler.server.drop(SCHEMA)
    with ExitStack() as at_the_end:

        def open_it(settings: dict[str, str]) -> PostgresStorage:
            at_the_end.enter_context(pooler.role("ill_kept", settings))
            store = open_postgres(pooler.url("ill_kept", SCHEMA), SystemClock())
            at_the_end.callback(store.close)
            return store

        yield open_it
    pooler.server.drop(SCHEMA)


GOOD = {**TIMEOUTS, "search_path": SCHEMA}


@pytest.mark.parametrize(
    "settings",
    [
        *({name: value for name, value in GOOD.items() if name != lost} for lost in GOOD),
        *({**GOOD, name: "20s"} for name in TIMEOUTS),
        {**GOOD, "search_path": "public"},
        {**GOOD, "default_transaction_isolation": "repeatable read"},
    ],
    ids=lambda settings: (
        "_".join(f"{name}_{value}" for name, value in settings.items() if GOOD.get(name) != value)
        or "without_" + next(name for name in GOOD if name not in settings)
    ),
)
def test_a_role_without_the_settings_is_told_which_it_needs(
    opened_as: Callable[[dict[str, str]], PostgresStorage], settings: dict[str, str]
) -> None:
    with pytest.raises(StorageUnusable, match=f"ALTER ROLE.* SET search_path = {SCHEMA}.*statement_timeout"):
        opened_as(settings)


def test_a_lease_that_is_shorter_than_the_timeouts_of_the_role_is_refused(
    opened_as: Callable[[dict[str, str]], PostgresStorage],
) -> None:
    """Otherwise a frozen session could hold up a takeover for longer than the lease."""
    store = opened_as(GOOD)
    node = Node(store)
    with pytest.raises(StorageUnusable, match=r"at most half of the lease; the longest is 2\.0 s"):
        store.claim(node.owner, lease_s=2.0, limit=1)
    assert len(node.claim()) == 1
