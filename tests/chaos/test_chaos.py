"""A short storm on each store, and a part of the crash matrix; ``python -m tests.chaos`` runs both completely."""

from __future__ import annotations

from math import inf

import pytest

from tests.chaos.failpoints import Action
from tests.chaos.matrix import Case, cases, failures
from tests.chaos.storm import Plan, storm
from tests.chaos.targets import STORES

SAMPLE = [
    Case("commit(StepEnded).before", Action.CRASH),
    Case("commit(StepEnded).after", Action.RAISE),
    Case("commit(settlement).after", Action.CRASH),
    Case("claim.after", Action.RAISE),
    Case("code.after", Action.CRASH),
    Case("renew.before", Action.FREEZE),
]


@pytest.mark.parametrize("store", STORES)
def test_a_storm_loses_doubles_and_undoes_nothing(store: str) -> None:
    tally, verdict = storm(Plan(store, seconds=4.0, nodes=3, flows=80, server_kills=0.25))
    assert verdict.violations == []
    assert (verdict.flows, verdict.lost, verdict.doubled) == (80, 0, 0)
    assert verdict.drain_s < inf
    assert min(tally.kills, tally.freezes, tally.stops) > 0
    assert store == "sqlite" or min(tally.cuts, tally.holds, tally.server_kills) > 0
    assert verdict.repeated, "no kill has hit a step: this storm has shown nothing"


@pytest.mark.parametrize("case", SAMPLE, ids=str)
def test_a_process_that_fails_at_one_point_leaves_nothing_behind_that_another_one_cannot_finish(case: Case) -> None:
    assert case in cases()
    assert failures(case) == []
