"""Histories that are as they should be: the scenarios of the pure core, and what real engines have written."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from maestro_flow.verify.checker import check
from maestro_flow.verify.history import History
from tests.core.test_transcripts import CASES
from tests.core.transcript import Player, parse_workflow


def recorded(path: Path) -> History:
    """What a scenario writes, its crashes and restarts included."""
    head, *blocks = path.read_text().rstrip("\n").split("\n\n")
    player = Player(parse_workflow([line for line in head.split("\n") if not line.startswith("#")]))
    logs = {}
    for block in blocks:
        commands = block.split("\n----")[0].split("\n")
        player.play([line for line in commands if not line.startswith("#")])
        logs[player.state.flow_id] = list(player.log)
    records = [record for log in logs.values() for record in log]
    numbered = [evolve(record, position=place, commit_id=str(place)) for place, record in enumerate(records, 1)]
    return History(numbered, {("wf", 1): player.graph})


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_nothing_is_wrong_with_a_scenario(case: Path) -> None:
    assert check(recorded(case)) == []
