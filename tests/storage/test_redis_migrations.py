"""A schema of the future: which process migrates a Redis store, which wait for it, and which are excluded."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from maestro_flow_redis import migrations
from maestro_flow_redis.migrations import LOCK_S, MIGRATIONS, Migration
from maestro_flow_redis.opening import open_server
from maestro_flow_redis.server import Server as Connected
from maestro_flow_redis.storage import RedisStorage

from maestro_flow.clock import ManualClock
from maestro_flow.errors import SchemaMismatch
from maestro_flow.model.commit import Outcome
from maestro_flow.model.requests import decode_request
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.node import Node
from tests.servers.redis import Server
from tests.servers.redis_time import ServerAtTime
from tests.storage.migrating import PARAMS

NEXT = MIGRATIONS[-1].version + 1
READER = MIGRATIONS[-1].oldest_reader


class Steps:
    """A migration of two steps, and how often they were done; the second waits for ``may_end``."""

    def __init__(self) -> None:
        self.done = 0
        self.begun, self.may_end = threading.Event(), threading.Event()

    def steps(self, _server: Connected) -> Iterator[None]:
        self.done += 1
        yield
        self.begun.set()
        assert self.may_end.wait(60)
        self.done += 1
        yield

    def migration(self, oldest_reader: int = READER) -> Migration:
        return Migration(NEXT, oldest_reader, self.steps)


@pytest.fixture
def opened(redis_server: Server, namespace: str, clock: ManualClock) -> Callable[[], RedisStorage]:
    return lambda: open_server(ServerAtTime(redis_server.url(namespace), clock))


def know(patch: pytest.MonkeyPatch, *more: Migration) -> None:
    """Let the program know these migrations besides its own."""
    patch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, *more))


def test_versions_have_no_gaps_and_never_readmit_excluded_programs() -> None:
    assert [migration.version for migration in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))
    readers = [migration.oldest_reader for migration in MIGRATIONS]
    assert readers == sorted(readers)


def test_of_two_that_open_at_once_one_migrates_and_the_other_waits(
    opened: Callable[[], RedisStorage], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that has the store open continues meanwhile."""
    node, steps = Node(opened()), Steps()
    node.claim()
    know(monkeypatch, steps.migration())
    with caplog.at_level(logging.INFO, "maestro_flow.storage"), ThreadPoolExecutor(2) as pool:
        first = pool.submit(opened)
        assert steps.begun.wait(60)
        second = pool.submit(opened)
        assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]
        assert node.store.schema_version == NEXT - 1
        assert not second.done()
        steps.may_end.set()
        assert [opening.result(60).schema_version for opening in (first, second)] == [NEXT, NEXT]
    assert steps.done == 2
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [f"schema {NEXT - 1} -> {NEXT}"]
    assert node.commit(node.write("w/1/1", 2)) == [Outcome.DONE]


def test_a_process_that_died_in_a_migration_delays_others_for_a_bounded_time_and_the_steps_are_repeated(
    opened: Callable[[], RedisStorage], clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().close()

    def die(_server: Connected) -> Iterator[None]:
        raise RuntimeError("the power is gone")

    with monkeypatch.context() as patch:
        know(patch, Migration(NEXT, READER, die))
        with pytest.raises(RuntimeError):
            opened()
    steps = Steps()
    steps.may_end.set()
    know(monkeypatch, steps.migration())
    with ThreadPoolExecutor(1) as pool:
        clock.advance(LOCK_S - 1)
        opening = pool.submit(opened)
        with pytest.raises(TimeoutError):
            opening.result(0.2)
        clock.advance(1)
        assert opening.result(60).schema_version == NEXT
    assert steps.done == 2


def test_a_process_frozen_in_a_migration_leaves_it_to_its_successor(
    opened: Callable[[], RedisStorage],
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    opened().close()
    frozen, steps = Steps(), Steps()
    steps.may_end.set()
    caplog.set_level(logging.INFO, "maestro_flow.storage")
    with ThreadPoolExecutor(1) as pool, monkeypatch.context() as patch:
        know(patch, frozen.migration())
        opening = pool.submit(opened)
        assert frozen.begun.wait(60)
        clock.advance(LOCK_S)
        know(patch, steps.migration())
        assert opened().schema_version == NEXT
        frozen.may_end.set()
        assert opening.result(60).schema_version == NEXT
    assert len(caplog.records) == 1, "the thawed one has changed nothing"


def test_an_older_program_is_let_in_unless_the_store_excludes_it(
    opened: Callable[[], RedisStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().close()
    newer = (Migration(NEXT, READER), Migration(NEXT + 1, NEXT))
    with monkeypatch.context() as patch:
        know(patch, newer[0])
        opened().close()
    assert opened().schema_version == NEXT
    with monkeypatch.context() as patch:
        know(patch, *newer)
        opened().close()
    with pytest.raises(SchemaMismatch, match=f"needs a maestro-flow that knows schema {NEXT}"):
        opened()


def test_an_excluded_program_that_has_the_store_open_loses_its_leases_before_the_first_step_and_claims_no_more(
    opened: Callable[[], RedisStorage], monkeypatch: pytest.MonkeyPatch
) -> None:
    """PROTOCOL 3, 27: what it would write could no longer be read."""
    old, steps = Node(opened()), Steps()
    old.claim()
    old.commit(old.write("w/1/1", 1))
    know(monkeypatch, steps.migration(oldest_reader=NEXT))
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(opened)
        assert steps.begun.wait(60)
        assert old.commit(old.write("w/1/1", 2)) == [Outcome.OWNERSHIP_LOST]
        with pytest.raises(SchemaMismatch, match=f"this one knows schema {NEXT - 1}"):
            old.claim()
        steps.may_end.set()
        new = Node(opening.result(60), "new")
    assert len(new.claim(new.store.group_count)) == new.store.group_count
    assert opened().renew(new.owner, new.leases, lease_s=9).lost == frozenset(), "nobody is excluded twice"


def test_a_start_of_schema_1_has_its_params_in_its_body(
    redis_server: Server, namespace: str, opened: Callable[[], RedisStorage]
) -> None:
    """Also one that a program of schema 1 makes which still has the store open: nothing keeps it from that."""
    requests = [StartRequest("w", f"r{n}", 0, body=body) for n, body in enumerate((PARAMS, b"{}", PARAMS), 1)]
    node = Node(opened())
    node.claim(node.store.group_count)
    node.store.push("w", b"{}")
    node.store.start(requests[:2])
    with redis_server.client() as client:
        head = f"{{{namespace}:catalog}}"
        client.hset(head, mapping={"schema_version": 1, "oldest_reader": 1})

        def make_old(number: int) -> None:
            client.hdel(f"{head}:run:w/{number}/1", "body")
            client.hset(f"{head}:run:w/{number}/1", "params", requests[number - 1].body)

        make_old(1)
        make_old(2)
        store = opened()
        assert store.schema_version == MIGRATIONS[-1].version
        assert node.renew().lost == {lease.group_id for lease in node.leases}
        store.start(requests[2:])
        make_old(3)
    assert [run.body for run in store.pending_starts(0)] == [
        b'{"params":%b}' % PARAMS,
        b"{}",
        b'{"params":%b}' % PARAMS,
    ]
    (again,) = store.start([StartRequest("w", "r1", 0, body=b'{"params":%b}' % PARAMS)])
    assert (again.flow_id, again.fresh) == ("w/1/1", False)
    assert decode_request(again.body).params["day"].value == "2026-11-23"
    (restart,) = store.start([StartRequest("w", "r4", 0, after=(1, 1))])
    assert restart.flow_id == "w/1/2"
