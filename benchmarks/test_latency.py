"""One run alone: what a step adds to the store's own commit, and how soon user code is called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

import pytest

from benchmarks.conftest import Meter
from benchmarks.floors import CommitFloor
from benchmarks.prototype import prototype
from benchmarks.report import Bound, Figure, Target
from benchmarks.stores import MeasuredStore
from benchmarks.workflows import chain, noting, python_chain, run_once
from maestro_flow import Engine, RunStatus, Workflow

STEPS, ROUNDS = 100, 15
STARTS = 20
MS = 1000.0


def test_the_floor(meter: Meter, store: MeasuredStore, floor: CommitFloor) -> None:
    bare = store.bare_write
    best = meter.measure(floor.one_s, rounds=10, floor=bare.one_s if bare else None)
    name = "the store's own commit, alone"
    beside = (best.floor_s * MS, bare.name) if bare else ()
    meter.report(Figure(name, best.wall_s * MS, "ms", *beside))


@pytest.mark.parametrize(
    ("kind", "make", "target"),
    [("NoOp", chain, Target(Bound.RATIO_AT_MOST, 1.5)), ("Python", python_chain, None)],
    ids=["NoOp", "Python"],
)
def test_a_step_of_a_chain(
    kind: str,
    make: Callable[[str, int], Workflow],
    target: Target | None,
    meter: Meter,
    engine: Engine,
    floor: CommitFloor,
    folder: Path,
) -> None:
    workflow = make(f"benchmark-chain-{kind}", STEPS)
    engine.push(workflow)

    best = meter.measure(lambda: run_once(engine, workflow.id), rounds=ROUNDS, floor=floor.one_s)
    step_ms = best.wall_s / STEPS * MS
    name = f"a {kind} step of a chain of {STEPS}"
    meter.report(Figure(name, step_ms, "ms", best.floor_s * MS, "one commit", target))
    if bare := prototype("chain", ROUNDS, folder):
        meter.report(Figure(name, step_ms, "ms", bare["s"] / STEPS * MS, "prototype"))


def test_start_to_first_user_code(meter: Meter, engine: Engine, floor: CommitFloor) -> None:
    calls: list[float] = []
    workflow = noting("benchmark-start", calls.append)
    engine.push(workflow)

    def one_start_s() -> float:
        began = perf_counter()
        assert engine.start(workflow.id).wait() is RunStatus.SUCCEEDED
        return calls[-1] - began

    def run() -> float:
        return median(one_start_s() for _ in range(STARTS))

    best = meter.measure(run, rounds=10, floor=floor.one_s)
    target = Target(Bound.RATIO_AT_MOST, 3)
    meter.report(Figure("start to first user code", best.wall_s * MS, "ms", best.floor_s * MS, "one commit", target))
