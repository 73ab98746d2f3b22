"""Do ended runs slow down active ones? The same work on two stores in turn, one of which has a history."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.conftest import Meter
from benchmarks.history import REVISIONS, write_history
from benchmarks.report import Bound, Figure, Target
from benchmarks.stores import MeasuredStore
from benchmarks.workflows import chain, run_flows, run_once
from maestro_flow import Engine, open_storage

ROWS = 100_000
STEPS, CHAIN_ROUNDS = 100, 15
FLOWS, LENGTH, FLOWS_ROUNDS = 1000, 5, 6
MS = 1000.0
WITHIN = 1.2
"""20 % (issue 3)."""


@pytest.fixture(scope="session")
def engines(store: MeasuredStore) -> Iterator[tuple[Engine, Engine]]:
    """One engine on an empty store, one on a store with a history."""
    if not store.fresh_urls:
        pytest.skip("a history is written only to temporary stores, not to one given by its URL")
    short, long = store.fresh_urls[:2]
    storage = open_storage(long)
    write_history(storage, ROWS // REVISIONS)
    storage.close()
    with Engine(short) as on_short, Engine(long) as on_long:
        yield on_short, on_long


def test_a_chain_beside_a_history(meter: Meter, engines: tuple[Engine, Engine]) -> None:
    workflow = chain("benchmark-chain", STEPS)
    short, long = engines
    for engine in engines:
        engine.push(workflow)
    best = meter.measure(
        lambda: run_once(long, workflow.id), rounds=CHAIN_ROUNDS, floor=lambda: run_once(short, workflow.id)
    )
    name = f"a NoOp step of a chain of {STEPS}, with {ROWS:,} rows of history"
    step_ms, without_ms = best.wall_s / STEPS * MS, best.floor_s / STEPS * MS
    meter.report(Figure(name, step_ms, "ms", without_ms, "without", Target(Bound.RATIO_AT_MOST, WITHIN)))


def test_many_flows_beside_a_history(meter: Meter, engines: tuple[Engine, Engine]) -> None:
    workflow = chain("benchmark-flows", LENGTH)
    short, long = engines
    for engine in engines:
        engine.push(workflow)
    best = meter.measure(
        lambda: run_flows(long, workflow.id, FLOWS),
        rounds=FLOWS_ROUNDS,
        floor=lambda: run_flows(short, workflow.id, FLOWS),
    )
    name = f"{FLOWS} flows x {LENGTH} NoOp steps, with {ROWS:,} rows of history"
    took_s, without_s = best.wall_s, best.floor_s
    meter.report(Figure(name, took_s, "s", without_s, "without", Target(Bound.RATIO_AT_MOST, WITHIN)))
