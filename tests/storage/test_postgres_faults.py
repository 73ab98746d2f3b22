"""What the PostgreSQL store does when owners race, freeze, and lose replies, and when the server dies."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from maestro_flow_sql.postgres import open_postgres
from maestro_flow_sql.postgres.storage import PostgresStorage

from maestro_flow.clock import SystemClock
from maestro_flow.errors import NotFound, StorageError, StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.storage.conformance.node import LEASE_S, Node, message_to
from tests.servers.postgres import Server
from tests.servers.proxy import Proxy
from tests.storage.processes import working

CUTS = 100
SHORT_LEASE_S = 2.0

_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0 AND query LIKE %s"
_INSERT = """
    INSERT INTO log VALUES (%s, %s, 63, 0, '', 999999, 'somebody', 0, 1, '')
"""


@pytest.fixture
def store(postgres: Server, schema: str) -> Iterator[PostgresStorage]:
    store = open_postgres(postgres.url(schema), SystemClock())
    yield store
    store.close()


@pytest.fixture
def node(store: PostgresStorage) -> Node:
    node = Node(store)
    node.claim(store.group_count)
    return node


@pytest.fixture
def hand(postgres: Server, schema: str, store: PostgresStorage) -> Iterator[psycopg.Connection[Any]]:
    """A connection by which the test holds locks."""
    with postgres.connect(schema) as connection:
        yield connection


def wait_until_blocked(postgres: Server, statement: str) -> None:
    """Until a statement that contains the text waits for a lock."""
    with postgres.connect() as looking:
        while looking.execute(_WAITING, (f"%{statement}%",)).fetchone() == (0,):
            pass


def wait_until_blocked_or_done(postgres: Server, statement: str, call: Future[Any]) -> None:
    """The same, for a call that might not wait at all."""
    with postgres.connect() as looking:
        while not call.done() and looking.execute(_WAITING, (f"%{statement}%",)).fetchone() == (0,):
            pass


def test_a_claim_waits_for_a_receiver_that_came_first(
    postgres: Server, schema: str, node: Node, hand: psycopg.Connection[Any]
) -> None:
    """PROTOCOL 17: what the old owner receives is counted for its generation, before another owner has the group."""
    rival = Node(node.store, "boris")
    node.store.send(message_to(node.group_id))
    with ThreadPoolExecutor(2) as pool:
        with hand.transaction(force_rollback=True):
            # A locked message makes its receiver wait, while it holds its fence.
            hand.execute("SELECT FROM messages FOR UPDATE")
            receive = pool.submit(node.store.receive, node.lease)
            wait_until_blocked(postgres, "is_new")
            with postgres.connect(schema) as other:
                other.execute("UPDATE leases SET expires_at = 0 WHERE group_id = %s", (node.group_id,))
            claim = pool.submit(rival.claim)
            wait_until_blocked_or_done(postgres, "SKIP LOCKED", claim)
            assert not claim.done()
        assert [message.deliveries for message in receive.result(30)] == [1]
        (lease,) = claim.result(30)
    assert [message.deliveries for message in node.store.receive(lease)] == [2]


def test_a_version_that_no_counter_reaches_is_not_found(store: PostgresStorage) -> None:
    store.push("w", b"{}")
    with pytest.raises(NotFound, match="has no version 2147483648"):
        store.start([StartRequest("w", "r1", 0, version=2**31)])


def test_an_id_that_no_index_holds_is_refused_for_good(store: PostgresStorage) -> None:
    """A caller that repeats it until the store is available would do so forever."""
    long = "".join(f"{number:x}" for number in range(100_000))
    with pytest.raises(StorageError, match="index row") as refused:
        store.push(long, b"{}")
    assert not isinstance(refused.value, StorageUnavailable)


def test_a_claim_waits_for_a_commit_that_came_first(
    postgres: Server, schema: str, node: Node, hand: psycopg.Connection[Any]
) -> None:
    """PROTOCOL 11: what the new owner reads then is all there will ever be of the old one."""
    rival = Node(node.store, "boris")
    with ThreadPoolExecutor(2) as pool:
        with hand.transaction(force_rollback=True):
            # A row of the same revision that is not yet committed makes the commit wait, with its fence in hand.
            hand.execute(_INSERT, ("w/1/1", 1))
            commit = pool.submit(node.commit, node.write("w/1/1", 1))
            wait_until_blocked(postgres, "INSERT INTO log")
            with postgres.connect(schema) as other:
                other.execute("UPDATE leases SET expires_at = 0 WHERE group_id = %s", (node.group_id,))
            claim = pool.submit(rival.claim)
            wait_until_blocked_or_done(postgres, "SKIP LOCKED", claim)
            assert not claim.done()
        assert commit.result(30) == [Outcome.DONE]
        assert [lease.generation for lease in claim.result(30)] == [2]
    assert len(rival.store.read_log(node.group_id)) == 1


def test_a_commit_waits_for_a_claim_that_came_first_and_is_refused(
    postgres: Server, node: Node, hand: psycopg.Connection[Any]
) -> None:
    """PROTOCOL 3: it sees the generation of the moment, not that of its snapshot."""
    with ThreadPoolExecutor(1) as pool:
        with hand.transaction():
            hand.execute("UPDATE leases SET generation = 2, owner_id = 'b' WHERE group_id = %s", (node.group_id,))
            commit = pool.submit(node.commit, node.write("w/1/1", 1))
            wait_until_blocked_or_done(postgres, "INSERT INTO log", commit)
        assert commit.result(30) == [Outcome.OWNERSHIP_LOST]
    assert node.store.read_log(node.group_id) == []


def test_a_renewal_does_not_wait_for_a_commit(node: Node, hand: psycopg.Connection[Any]) -> None:
    """PROTOCOL 11: KEY SHARE lets it pass."""
    with hand.transaction():
        hand.execute("SELECT FROM leases WHERE group_id = %s FOR KEY SHARE", (node.group_id,))
        assert node.renew().lost == frozenset()


def test_a_frozen_transaction_delays_a_takeover_no_longer_than_its_timeout(postgres: Server, schema: str) -> None:
    """PROTOCOL: timeouts are below the lease, also when a lease is shorter than the default."""
    frozen, rival = (open_postgres(postgres.url(schema), SystemClock()) for _ in range(2))
    (lease,) = Node(frozen).claim()
    for store in (frozen, rival):
        store._connections.shorten(SHORT_LEASE_S)
    taken: set[int] = set()
    with frozen._connections.direct() as db:
        db.execute("UPDATE leases SET expires_at = 0 WHERE group_id = %s", (lease.group_id,))
        began = time.monotonic()
        db.execute("BEGIN")
        db.execute("SELECT FROM leases WHERE group_id = %s FOR KEY SHARE", (lease.group_id,))
        while lease.group_id not in taken:
            taken |= claimed_by(Node(rival, "boris"))
        assert time.monotonic() - began < SHORT_LEASE_S
        with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
            db.execute("COMMIT")
    frozen.close()
    rival.close()


def test_a_frozen_process_is_taken_over_and_writes_nothing_when_it_wakes(
    node: Node, postgres: Server, schema: str, hand: psycopg.Connection[Any]
) -> None:
    """PROTOCOL 2, 3: it was stopped in the middle of its commits, and continues there."""
    node.store.release(node.leases)
    with working(postgres.url(schema), "ann") as (frozen,):
        frozen.go()
        told = frozen.commits(10)
        frozen.process.send_signal(signal.SIGSTOP)
        hand.execute("UPDATE leases SET expires_at = 0 WHERE group_id = ANY (%s)", (list(frozen.groups),))
        rival, began = Node(node.store, "boris"), time.monotonic()
        taken: set[int] = set()
        while not frozen.groups <= taken:
            taken |= claimed_by(rival)
        assert time.monotonic() - began < LEASE_S
        left = {group_id: node.store.read_log(group_id, limit=10_000) for group_id in frozen.groups}
        frozen.process.send_signal(signal.SIGCONT)
        assert frozen.process.stdout is not None
        told += frozen.process.stdout.read().split()
        assert frozen.process.wait(60) == 1, "it was refused"
    assert {group_id: node.store.read_log(group_id, limit=10_000) for group_id in frozen.groups} == left
    assert set(told) <= {record.commit_id for records in left.values() for record in records}


def claimed_by(node: Node) -> set[int]:
    try:
        return {lease.group_id for lease in node.claim(node.store.group_count)}
    except StorageUnavailable:
        return set()


def test_a_lost_reply_is_resolved_by_the_identical_batch(postgres: Server, schema: str, tmp_path: Path) -> None:
    """PROTOCOL 6: a hundred commits ran, and nobody heard of it: nothing is lost, nothing is there twice."""
    if postgres.home is None:
        pytest.fail("the proxy stands before a socket in a folder; unset MAESTRO_TEST_POSTGRES_URL")
    open_postgres(postgres.url(schema), SystemClock()).close()
    name = ".s.PGSQL.5432"
    with Proxy(postgres.home / name, at=tmp_path / name) as proxy:
        store = open_postgres(postgres.url(schema, host=str(tmp_path)), SystemClock())
        node = Node(store)
        node.claim()
        node.commit(node.write("w/1/1", 1))
        node.commit(node.write("w/1/1", 2))  # the statement is prepared: its next reply is that of a commit that ran
        for revision in range(3, CUTS + 3):
            batch = [node.write("w/1/1", revision)]
            proxy.cut_next()
            with pytest.raises(StorageUnavailable, match="may be repeated"):
                node.commit(*batch)
            assert until_definite(node, batch) == [Outcome.ALREADY_APPLIED]
        assert proxy.cuts == CUTS
        assert [record.revision for record in store.read_flow("w/1/1")] == list(range(1, CUTS + 3))
        store.close()


def until_definite(node: Node, batch: list[Commit]) -> list[Outcome]:
    while True:
        try:
            return node.commit(*batch)
        except StorageUnavailable:
            continue


def test_connections_that_the_server_has_ended_are_replaced_unnoticed(
    node: Node, hand: psycopg.Connection[Any], schema: str
) -> None:
    node.commit(node.write("w/1/1", 1))
    ended = hand.execute(
        "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity "
        "WHERE application_name = 'maestro-flow' AND datname = current_database()"
    ).fetchone()
    assert ended is not None
    assert ended[0] > 0
    assert node.commit(node.write("w/1/1", 2)) == [Outcome.DONE]
    assert len(node.store.read_flow("w/1/1")) == 2


def test_a_server_that_is_stopped_with_its_connections_open_is_given_up_before_the_lease_is_over(
    own_postgres: Server,
) -> None:
    """Its kernel continues to acknowledge, so neither keepalives nor the timeouts of the server end the waiting."""
    own_postgres.drop("t_silent")
    store = open_postgres(own_postgres.url("t_silent"), SystemClock())
    store._connections.shorten(SHORT_LEASE_S)
    with store._connections.owning() as db:
        backend = db.info.backend_pid
    os.kill(backend, signal.SIGSTOP)
    try:
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="has not answered"):
            store.renew(Owner("ann", "here"), [], lease_s=SHORT_LEASE_S)
        assert time.monotonic() - began < SHORT_LEASE_S
        assert db.closed
        store.renew(Owner("ann", "here"), [], lease_s=SHORT_LEASE_S)  # on a connection that answers
    finally:
        os.kill(backend, signal.SIGCONT)
        store.close()
    own_postgres.drop("t_silent")


def test_a_connection_to_what_has_become_a_replica_is_replaced(
    node: Node, postgres: Server, hand: psycopg.Connection[Any]
) -> None:
    """After a failover the old primary still answers; the new one is where a new connection goes."""
    with node.store._connections.owning() as db, node.store._connections.owning() as idle:  # type: ignore[attr-defined]
        for connection in (db, idle):
            connection.execute("SET default_transaction_read_only = on")
    with pytest.raises(StorageUnavailable, match="read-only"):
        node.commit(node.write("w/1/1", 1))
    assert db.closed
    assert idle.closed
    node.last.clear()
    assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]


def test_a_connection_in_use_when_the_store_is_closed_ends_when_it_comes_back(store: PostgresStorage) -> None:
    with store._connections.direct() as db:
        store.close()
        assert db.execute("SELECT 1").fetchone() == (1,)
    assert db.closed


def test_an_owner_does_not_wait_behind_callers(node: Node) -> None:
    """PROTOCOL 13: a lease must not run out because a hundred threads of the program ask for something."""
    with ExitStack() as callers:
        for _ in range(24):
            callers.enter_context(node.store._connections.direct())  # type: ignore[attr-defined]
        asks = ThreadPoolExecutor(1).submit(node.store.push, "w", b"{}")
        assert node.renew().lost == frozenset()
        assert node.commit(node.write("w/1/1", 1)) == [Outcome.DONE]
        assert node.store.receive(node.lease) == []
        assert node.claim(1) == []
        assert node.store.last_position(node.group_id) == 1
        assert len(node.store.load_flows(node.group_id)) == 1
        assert node.store.pending_starts(node.group_id) == []
        node.store.acknowledge_starts(["w/1/1"])
        assert not asks.done()
    assert asks.result(60) == 1


def test_a_server_that_vanishes_is_noticed_before_the_lease_is_over(store: PostgresStorage) -> None:
    """libpq tells the kernel to; that packets vanish needs a network, so this is about what it was told."""
    store._connections.shorten(SHORT_LEASE_S)
    with store._connections.direct() as db:
        told = db.info.get_parameters()
    assert (told["keepalives_idle"], told["keepalives_interval"], told["tcp_user_timeout"]) == ("1", "1", "1000")


def test_a_server_that_is_killed_under_load_loses_nothing_that_was_acknowledged(own_postgres: Server) -> None:
    """PROTOCOL 1, 6: and the store continues when the server is back."""
    schema = "t_killed"
    own_postgres.drop(schema)
    store = open_postgres(own_postgres.url(schema), SystemClock())
    node = Node(store)
    node.claim()
    acknowledged: list[str] = []
    enough = threading.Event()
    last: list[Commit] = []

    def commit_until_it_fails() -> None:
        for revision in range(1, 1_000_000):
            last[:] = [node.write("w/1/1", revision)]
            assert node.commit(*last) == [Outcome.DONE]
            acknowledged.extend(commit.flow.commit_id for commit in last if commit.flow)
            if revision == 100:
                enough.set()

    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(commit_until_it_fails)
        enough.wait(60)
        own_postgres.kill()
        with pytest.raises(StorageUnavailable):
            load.result(60)
    own_postgres.restart()
    assert until_definite(node, last)[0].is_durable
    there = [record.commit_id for record in store.read_flow("w/1/1")]
    assert there[: len(acknowledged)] == acknowledged
    assert len(there) == len(acknowledged) + 1
    store.close()
