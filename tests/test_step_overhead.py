"""The one assertion about time: the ceiling of 50 ms per step. The benchmarks report what is actually reached."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter

from maestro_flow import Engine, RunStatus, Workflow

STEPS = 100
CEILING_S = 0.050


def test_a_step_on_sqlite_costs_less_than_50_ms(tmp_path: Path) -> None:
    workflow = Workflow("chain")
    before: list[str] = []
    for number in range(STEPS):
        before = [workflow.add(f"s{number}", type="NoOp", after=before)]
    with Engine(f"sqlite:///{tmp_path}/runs.db") as engine:
        engine.push(workflow)
        began = perf_counter()
        assert engine.start(workflow.id).wait(timeout_s=60) is RunStatus.SUCCEEDED
        assert (perf_counter() - began) / STEPS < CEILING_S
