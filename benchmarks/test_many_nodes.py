"""Nodes that share a store: what a second one gains, and how soon the runs of a dead node continue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from time import perf_counter, sleep
from typing import Any

import pytest

from benchmarks.conftest import Meter
from benchmarks.node import Claims, Process, node, serve_all
from benchmarks.report import Bound, Figure, Target
from benchmarks.stores import FRESH, MeasuredStore
from benchmarks.workflows import chain, run_flows
from maestro_flow import Client, Engine, RunStatus, Workflow, open_storage

FLOWS, LENGTH, ROUNDS = 1000, 5, 6
TAKEN, LARGE, BATCH = 10_000, 100_000, 1000
SHORT_S, LEASE_S = 1.0, 10.0
"""A server does not know that a node was killed: its lease must expire first."""
SCAN_S = 0.05
"""Without hints (on SQLite), nodes find starts by scanning: short, so that this is not what is measured."""
PATIENCE_S = 100.0


def fresh_url(store: MeasuredStore, what: str) -> str:
    if not store.fresh_urls:
        pytest.skip("nodes are killed only on temporary stores, not on one given by its URL")
    return store.fresh_urls[FRESH.index(what)]


@pytest.fixture(scope="session")
def clients(store: MeasuredStore) -> Iterator[tuple[Client, Client]]:
    """Clients of a store with one node, and of one with two; the nodes are processes."""
    one, two = fresh_url(store, "one"), fresh_url(store, "two")
    with ExitStack() as nodes:
        of_one, of_two = (nodes.enter_context(Client(url)) for url in (one, two))
        for url in (one, two):
            nodes.enter_context(node(url, "alone", scan_s=SCAN_S)).told()
        with node(two, scan_s=SCAN_S):  # the second node starts when the first has all groups
            until(lambda: are_shared(of_two))
            yield of_one, of_two


def are_shared(client: Client) -> bool:
    """Whether two nodes hold all groups, half each."""
    holders = [client.storage.holder(group_id) for group_id in range(client.storage.group_count)]
    shares = Counter(holder.owner_id for holder in holders if holder is not None)
    return list(shares.values()) == [client.storage.group_count // 2] * 2


def until(condition: Callable[[], bool]) -> None:
    deadline = perf_counter() + PATIENCE_S
    while not condition():
        assert perf_counter() < deadline, "the condition was not met in time"
        sleep(0.02)


def test_two_nodes_beside_one(meter: Meter, clients: tuple[Client, Client]) -> None:
    workflow = chain("benchmark-flows", LENGTH)
    of_one, of_two = clients
    for client in clients:
        client.push(workflow.definition)
    best = meter.measure(
        lambda: run_flows(of_two, workflow.id, FLOWS),
        rounds=ROUNDS,
        floor=lambda: run_flows(of_one, workflow.id, FLOWS),
    )
    steps = FLOWS * LENGTH
    with_two, with_one = steps / best.wall_s, steps / best.floor_s
    name = f"two nodes: {FLOWS} flows x {LENGTH} NoOp steps"
    meter.report(Figure(name, with_two, "steps/s", with_one, "one node", Target(Bound.RATIO_AT_LEAST, 1.0)))


def waiting() -> Workflow:
    """One step that takes an hour without occupying a thread."""
    workflow = Workflow("benchmark-waiting")
    workflow.add("pause", type="Sleep", params={"sleep_seconds": 3600})
    return workflow


def wait_on(url: str, count: int, lease_s: float) -> None:
    """Leave ``count`` waiting runs, all of them recorded, and kill their node."""
    process = Process(url, lease_s, 1.0, "alone")
    process.told()
    with Client(url) as client:
        client.push(waiting().definition)
        for _ in range(count // BATCH):
            client.start_many("benchmark-waiting", [{}] * BATCH)
        until(lambda: not client.runs("benchmark-waiting", {RunStatus.CREATED}, limit=1))
    process.kill()


def test_flows_that_wait_are_taken_over(meter: Meter, store: MeasuredStore) -> None:
    url = fresh_url(store, "taken")
    wait_on(url, TAKEN, SHORT_S)
    took: list[float] = []

    def take_over() -> float:
        claims: Any = Claims(open_storage(url))
        with Engine(claims, lease_s=SHORT_S) as engine:
            took.append(serve_all(engine, claims))
        claims.close()
        return took[-1]

    best = meter.measure(take_over, rounds=2)
    name = f"{TAKEN:,} flows that wait, from the claim until all groups are served"
    meter.report(Figure(name, best.wall_s, "s", target=Target(Bound.AT_MOST, 5.0)))


@pytest.mark.timeout(600)
def test_many_flows_wait_in_one_process(meter: Meter, store: MeasuredStore) -> None:
    url = fresh_url(store, "large")
    wait_on(url, LARGE, LEASE_S)
    told: dict[str, float] = {}

    def load() -> float:
        with node(url, "alone", lease_s=LEASE_S) as process:
            told.update(process.told())
        return told["serving_s"]

    meter.measure(load, rounds=1)
    meter.report(
        Figure(f"{LARGE:,} flows that wait, loaded", told["serving_s"], "s", target=Target(Bound.AT_MOST, 60.0))
    )
    meter.report(Figure("the memory of that process", told["peak_mb"], "MB", target=Target(Bound.AT_MOST, 1024.0)))
