"""Stores that an older maestro-flow has left with live runs in them: this one takes over, and all of it ends."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from maestro_flow_redis.opening import open_server
from maestro_flow_sql.postgres import open_postgres
from maestro_flow_sql.sqlite import open_sqlite

from maestro_flow import RunStatus
from maestro_flow.clock import ManualClock
from maestro_flow.model.inbox import MessageState
from maestro_flow.storage.protocol import Storage
from tests.engine.world import World
from tests.servers import postgres as postgres_servers
from tests.servers import redis as redis_servers
from tests.servers.redis_time import ServerAtTime
from tests.servers.store_time import ServerClock
from tests.storage.freezing import NAMESPACE, SCHEMAS
from tests.storage.live_stores import AWAY, GROUPS, HOME, STARTED, check_live_runs, workflows

IN_TRANSIT = {
    (AWAY, "db/3/1/sleep/1/request"): HOME,
    (HOME, "web/2/1/sleep/1/granted"): AWAY,
    (AWAY, "zip/1/1/sleep/1/release"): HOME,
}
"""By where they stand: where they are for."""

ON_THEIR_WAY_BEFORE = {(AWAY, "db/1/1/sleep/1/request"): HOME, (HOME, "db/1/1/sleep/1/granted"): AWAY}
"""Tombstones of such."""

WHERE_THEY_BELONG = {(HOME, "db/2/1/sleep/1/request"): HOME, (AWAY, "db/1/1/sleep/1/granted"): AWAY}


@contextmanager
def sqlite_store(request: pytest.FixtureRequest, version: int) -> Iterator[World]:
    path = request.getfixturevalue("tmp_path") / "store.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((SCHEMAS / f"{version}.live.sqlite.sql").read_text())
    clock = ManualClock()
    yield World(open_sqlite(f"sqlite:///{path}", clock), clock)


@contextmanager
def postgres_store(request: pytest.FixtureRequest, version: int) -> Iterator[World]:
    server: postgres_servers.Server = request.getfixturevalue("postgres")
    schema: str = request.getfixturevalue("schema")
    with server.connect(schema) as connection:
        clock = ServerClock(connection, schema)
        connection.execute((SCHEMAS / f"{version}.live.postgres.sql").read_text().encode())
        clock.stop(schema)
        yield World(open_postgres(server.url(schema), clock), clock)


@contextmanager
def redis_store(request: pytest.FixtureRequest, version: int) -> Iterator[World]:
    server: redis_servers.Server = request.getfixturevalue("redis_server")
    namespace: str = request.getfixturevalue("namespace")
    with server.client() as client:
        for line in (SCHEMAS / f"{version}.live.redis.jsonl").read_text().splitlines():
            command, key, *words = (word.encode("latin-1") for word in json.loads(line))
            client.execute_command(command, key.replace(NAMESPACE.encode(), namespace.encode(), 1), *words)
    clock = ManualClock()
    yield World(open_server(ServerAtTime(server.url(namespace), clock)), clock)


STORES = {"sqlite": sqlite_store, "postgres": postgres_store, "redis": redis_store}
LIVE = sorted(path.name.split(".")[0::2][:2] for path in SCHEMAS.glob("*.live.*"))
"""Version and store of each that is kept."""


@pytest.fixture(params=LIVE, ids="-".join)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    version, store = request.param
    with STORES[store](request, int(version)) as world:
        yield world
        world.storage.close()


def destinations(storage: Storage, places: dict[tuple[int, str], int]) -> dict[tuple[int, str], int]:
    found = {place: storage.message(*place) for place in places}
    return {place: message.destination for place, message in found.items() if message is not None}


def test_of_every_version_that_had_destinations_to_find_out_each_store_is_kept() -> None:
    assert {version for version, _ in LIVE} >= {"2"}
    assert all(["2", store] in LIVE for store in STORES)


def test_what_was_live_is_so_after_the_migration(world: World) -> None:
    assert world.storage.group_count == GROUPS
    check_live_runs(world.storage)
    assert [world.storage.holder(group_id) for group_id in range(GROUPS)] == [None] * GROUPS
    for places in (IN_TRANSIT, ON_THEIR_WAY_BEFORE, WHERE_THEY_BELONG):
        assert destinations(world.storage, places) == places
    waiting = [world.storage.message(*place) for place in IN_TRANSIT]
    assert {message.state for message in waiting if message is not None} == {MessageState.WAITING}


def test_everything_runs_to_its_end_and_keeps_every_promise(world: World) -> None:
    process = world.process(seed=1)  # or it would make the same ids as the one before it
    for workflow in workflows():
        process.engine.push(workflow)
    failed = process.engine.find("strict", 1)
    assert failed.status is RunStatus.FAILED
    failed.restart(params={"fails": False}, request_id="again")
    runs = process.engine.unfinished()
    assert len(runs) == 13
    for run in runs:
        run.wait(timeout_s=100_000)
    ended = process.engine.runs(limit=100)
    assert Counter(run.workflow_id for run in ended) == {**STARTED, "nap": 3, "strict": 3, "flaky": 2}
    assert {run.flow_id for run in ended if run.status is not RunStatus.SUCCEEDED} == {
        *("strict/1/1", "strict/2/1", "flaky/1/1")
    }
    process.runtime.run(lambda: False, timeout_s=60.0)
    for place in IN_TRANSIT:
        message = world.storage.message(*place)
        assert message is not None
        assert (message.state, message.outcome) == (MessageState.SETTLED, "forwarded")
    found = process.engine.verify(grace_s=0.0)
    assert found.violations == ()
    assert found.runs == len(ended)
    process.engine.close()
