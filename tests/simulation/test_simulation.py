"""Some seeds of the simulation, in the ordinary suite; ``python -m tests.simulation`` plays any number."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from typing import get_args

import pytest

from maestro_flow.model.commit import Outcome
from maestro_flow.model.events import Event
from maestro_flow.model.permit_events import PermitEvent, PermitsCarriedOn, PermitsCarriedOver
from tests.mutants.mutant import ROOT
from tests.simulation.faults import Fate
from tests.simulation.mutants import Unfenced
from tests.simulation.play import Report, play

SEEDS, PARTS = 300, 10
RARE = {PermitsCarriedOn, PermitsCarriedOver}
"""After thousands of permits: `tests/core/test_permits.py`."""
HAPPENINGS = {
    *(f"event: {kind.__name__}" for kind in {*get_args(Event), *get_args(PermitEvent)} - RARE),
    *(f"commit: {outcome}" for outcome in Outcome if outcome is not Outcome.INVALID),
    *Fate(0, 0, True, True, True, True, 1.0, True).names,
    *("crash", "freeze", "leave", "clock jump", "clock jump of the store", "action: accepted"),
}


@cache
def played(part: int) -> list[Report]:
    """The reports of a part of the seeds."""
    return [play(seed) for seed in range(part, SEEDS, PARTS)]


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_happens_nothing_is_lost_doubled_or_undone_and_all_ends(part: int) -> None:
    problems = [f"seed {report.seed}: {problem}" for report in played(part) for problem in report.problems]
    assert not problems, "python -m tests.simulation --seed N --trace shows what happened"


def test_what_can_happen_does() -> None:
    counts: Counter[str] = Counter()
    for part in range(PARTS):
        for report in played(part):
            counts.update(report.counts)
    assert HAPPENINGS - set(counts) == set()


def test_a_seed_is_one_history_in_every_process() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "11"]
    told = {
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": salt}, capture_output=True, check=True
        ).stdout
        for salt in ("1", "2")
    }
    assert len(told) == 1
    assert f"digest {play(11).digest}".encode() in told.pop()


def test_a_store_without_its_fence_is_found_out() -> None:
    problems = [problem for seed in range(60) for problem in play(seed, store=Unfenced).problems]
    assert any(problem.startswith("I1:") for problem in problems)
