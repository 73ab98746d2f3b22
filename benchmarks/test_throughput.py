"""A fully loaded node: how many steps per second it makes durable, and what each costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.conftest import Meter
from benchmarks.floors import CommitFloor
from benchmarks.prototype import prototype
from benchmarks.report import Bound, Figure, Target
from benchmarks.stores import MeasuredStore
from benchmarks.workflows import chain, fan, python_chain, run_flows, run_once
from maestro_flow import Engine, RunStatus, Workflow

FLOWS, LENGTH = 1000, 5
STEPS = FLOWS * LENGTH
ROUNDS = 6
MS = 1000.0


@pytest.mark.parametrize(("kind", "make"), [("NoOp", chain), ("Python", python_chain)], ids=["NoOp", "Python"])
def test_many_flows(
    kind: str,
    make: Callable[[str, int], Workflow],
    meter: Meter,
    engine: Engine,
    floor: CommitFloor,
    folder: Path,
) -> None:
    workflow = make(f"benchmark-flows-{kind}", LENGTH)
    engine.push(workflow)

    best = meter.measure(lambda: run_flows(engine, workflow.id, FLOWS), rounds=ROUNDS, floor=floor.row_s)
    assert engine.runs(workflow.id, [RunStatus.SUCCEEDED], limit=FLOWS)
    rate, cpu_ms = STEPS / best.wall_s, best.cpu_s / STEPS * MS
    name = f"{FLOWS} flows x {LENGTH} {kind} steps"
    meter.report(Figure(name, rate, "steps/s", 1 / best.floor_s, "rows alone", Target(Bound.AT_LEAST, 4000)))
    meter.report(Figure(f"{name}: CPU of a step", cpu_ms, "ms", target=Target(Bound.AT_MOST, 0.15)))
    if bare := prototype("flows", ROUNDS, folder):
        meter.report(Figure(name, rate, "steps/s", STEPS / bare["s"], "prototype"))
        meter.report(Figure(f"{name}: CPU of a step", cpu_ms, "ms", bare["cpu_s"] / STEPS * MS, "prototype"))


def test_a_fan(meter: Meter, store: MeasuredStore, engine: Engine, folder: Path) -> None:
    workflow = fan("benchmark-fan", 500)
    engine.push(workflow)

    best = meter.measure(lambda: run_once(engine, workflow.id), rounds=ROUNDS)
    name = "500 steps between a fork and a join"
    meter.report(Figure(name, best.wall_s, "s", target=Target(Bound.AT_MOST, store.fan_s)))
    if bare := prototype("fan", ROUNDS, folder):
        meter.report(Figure(name, best.wall_s, "s", bare["s"], "prototype"))
