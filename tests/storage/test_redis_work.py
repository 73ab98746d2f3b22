"""How much a Redis server does for a verb: counted in commands, which are the same on every machine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from maestro_flow_redis import open_redis
from maestro_flow_redis.storage import RedisStorage

from maestro_flow.clock import SystemClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.protocol import RunQuery
from tests.servers.redis import Server, find_server

FINISHED = 3000


@pytest.fixture(scope="module")
def quiet() -> Iterator[Server]:
    """A server that nobody else uses, so that what it counts is ours."""
    server = find_server(own=True)
    yield server
    server.stop()


@pytest.fixture
def store(quiet: Server, namespace: str) -> Iterator[RedisStorage]:
    store = open_redis(quiet.url(namespace), SystemClock())
    yield store
    store.close()


def commands(server: Server, verb: Callable[[], object]) -> dict[str, int]:
    """How many commands of each name a verb makes the server run, its scripts' included."""
    verb()  # loads the scripts
    with server.client() as client:
        client.config_resetstat()
        verb()
        stats = client.info("commandstats")
    ours = {"cmdstat_info", "cmdstat_config|resetstat"}
    return {name: stat["calls"] for name, stat in stats.items() if name not in ours}


def test_finished_runs_make_no_difference(quiet: Server, store: RedisStorage) -> None:
    """Claims, takeover, what is given and the first page of a list look at none of them."""
    node = Node(store)
    node.claim(store.group_count)
    node.commit(*(node.write(f"w/{n}/1", 1, lease=lease) for n, lease in enumerate(node.leases, 10_000)))
    failed = RunQuery(workflow_id="w", statuses=frozenset({RunStatus.FAILED}))
    verbs: dict[str, Callable[[], object]] = {
        "renew": node.renew,
        "claim": lambda: store.claim(node.owner, lease_s=10, limit=1),
        "load": lambda: store.load_flows(5),
        "pending_starts": lambda: store.pending_starts(5),
        "log": lambda: store.read_log(5, after=store.last_position(5)),
        "list": lambda: store.list_runs(RunQuery(limit=64)),
        "list failed": lambda: store.list_runs(failed),
        "list blocking": lambda: store.list_runs(RunQuery(workflow_id="w", blocking=True)),
    }
    before = {name: commands(quiet, verb) for name, verb in verbs.items()}
    for first in range(0, FINISHED, 500):
        batch = [
            node.write(f"w/{number}/1", 1, status=RunStatus.SUCCEEDED, lease=node.leases[number % 64])
            for number in range(first, first + 500)
        ]
        assert set(node.commit(*batch)) == {Outcome.DONE}
    assert {name: commands(quiet, verb) for name, verb in verbs.items()} == before


def test_a_page_far_down_the_list_costs_what_the_first_one_does(quiet: Server, store: RedisStorage) -> None:
    """The index is entered at a key: nothing is counted off."""
    node = Node(store)
    node.claim()
    node.commit(*(node.write(f"w/{number}/1", 1, status=RunStatus.FAILED) for number in range(1000)))
    first = store.list_runs(RunQuery(limit=10))
    far = RunQuery(limit=10, before=(first[0].created_at - 800, "w/200/1"))
    assert [entry.instance_id for entry in store.list_runs(far)] == list(range(199, 189, -1))
    near = RunQuery(limit=10, before=(first[-1].created_at, first[-1].flow_id))
    assert commands(quiet, lambda: store.list_runs(far)) == commands(quiet, lambda: store.list_runs(near))


def test_a_plain_commit_is_one_script_of_six_commands(quiet: Server, store: RedisStorage) -> None:
    """The group is there, its head is read twice, the flow once; the log and the record are written; nothing else."""
    node = Node(store)
    node.claim()
    revisions = iter(range(1, 9))
    node.commit(node.write("w/1/1", next(revisions)))
    assert commands(quiet, lambda: node.commit(node.write("w/1/1", next(revisions)))) == {
        f"cmdstat_{name}": 1 for name in ("evalsha", "hget", "exists", "hmget", "llen", "xadd", "rpush")
    }


def test_a_store_that_many_open_at_once_is_founded_once(quiet: Server, namespace: str) -> None:
    barrier = threading.Barrier(6, timeout=60)

    def open_it(number: int) -> list[Lease]:
        barrier.wait()
        store = open_redis(quiet.url(namespace), SystemClock())
        leases = store.claim(Owner(f"o{number}"), lease_s=10, limit=64)
        store.close()
        return leases

    with ThreadPoolExecutor(6) as pool:
        claimed = [lease for leases in pool.map(open_it, range(6)) for lease in leases]
    assert sorted((lease.group_id, lease.generation) for lease in claimed) == [(number, 1) for number in range(64)]
