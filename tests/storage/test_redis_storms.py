"""Many owners on one Redis: groups that change hands all the time, and an owner that freezes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import partial

import pytest
from maestro_flow_redis import open_redis
from maestro_flow_redis.storage import RedisStorage

from maestro_flow.clock import SystemClock
from maestro_flow.errors import OwnershipLost
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Lease
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.conformance.threads import at_once
from tests.servers.redis import Server
from tests.storage.processes import working
from tests.storage.storming import Storming, check_storm, storm

PROCESSES, THREADS = 2, 3
COMMITS_EACH = 600
TURNS_MAX = 10
FROZEN_LEASE_S = 1.0


@pytest.fixture
def store(redis_server: Server, namespace: str) -> Iterator[RedisStorage]:
    store = open_redis(redis_server.url(namespace), SystemClock())
    yield store
    store.close()


def test_a_storm_of_claims_and_commits_loses_nothing_and_accepts_nothing_stale(
    redis_server: Server, namespace: str, store: RedisStorage
) -> None:
    """PROTOCOL 3, 4, 7: owners in processes and in threads, each with a handle of its own, and no lease is renewed."""
    url = redis_server.url(namespace)
    told: list[tuple[str, Outcome]] = []
    accepted = refused = generations = 0
    for turn in range(TURNS_MAX):  # on a machine that is quiet, everybody may be in time
        processes = [Storming(url, f"p{turn}.{number}", COMMITS_EACH) for number in range(PROCESSES)]
        handles = [open_redis(url, SystemClock()) for _ in range(THREADS)]
        storms = [partial(storm, handle, f"t{turn}.{number}", COMMITS_EACH) for number, handle in enumerate(handles)]
        told += [line for lines in at_once(*storms) for line in lines]
        told += [line for process in processes for line in process.told()]
        for handle in handles:
            handle.close()
        accepted, refused, generations = check_storm(store, told)
        print(f"{accepted} commits accepted, {refused} refused, {generations} generations")
        if refused:
            break
    assert accepted > COMMITS_EACH
    assert refused > 0, "nobody was ever late: the storm was too weak"
    assert generations > store.group_count


def test_an_owner_that_was_frozen_delays_nobody_beyond_its_lease_and_is_refused_everywhere_when_it_thaws(
    redis_server: Server, namespace: str, store: RedisStorage
) -> None:
    """PROTOCOL 3, 10: it holds no lock in the server, and its thawed commits, renewals and calls have no effect."""
    url = redis_server.url(namespace)
    with working(url, "ann", lease_s=FROZEN_LEASE_S) as (frozen,):
        frozen.go()
        acknowledged = frozen.commits(5)
        os.kill(frozen.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        rival, claimed = Node(store, "bob"), set[int]()
        while not frozen.groups <= claimed:
            claimed |= {lease.group_id for lease in rival.claim(store.group_count)}
        assert FROZEN_LEASE_S / 2 < time.monotonic() - began < 10 * FROZEN_LEASE_S
        before = {group_id: store.read_log(group_id) for group_id in frozen.groups}
        os.kill(frozen.process.pid, signal.SIGCONT)
        assert frozen.failure(), "refused, or told that its call had taken too long"
        assert {group_id: store.read_log(group_id) for group_id in frozen.groups} == before
        assert rival.renew().lost == frozenset()
        written = {record.commit_id for log in before.values() for record in log}
        assert set(acknowledged) <= written
        stale = Lease(min(frozen.groups), 1, "owner-ann")
        with pytest.raises(OwnershipLost):
            store.receive(stale)
        flow_id = f"ann/{stale.group_id}/1"
        commit = Node(store, "ann").write(flow_id, len(store.read_flow(flow_id)) + 1, lease=stale, position=10**9)
        assert store.commit([commit]) == [Outcome.OWNERSHIP_LOST]
        store.release([stale])
        assert rival.renew().lost == frozenset()
