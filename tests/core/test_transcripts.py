"""Every scenario of ``cases``: a change of behaviour is a change of text. ``pytest --rewrite`` writes new traces."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.transcript import Player, parse_workflow

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))


def played(text: str) -> str:
    head, *blocks = text.rstrip("\n").split("\n\n")
    lines = [line for line in head.split("\n") if not line.startswith("#")]
    player = Player(parse_workflow(lines))
    shown = [head]
    for block in blocks:
        commands = block.split("\n----")[0].split("\n")
        trace = player.play([line for line in commands if not line.startswith("#")])
        shown.append("\n".join([*commands, "----", *([trace] if trace else [])]))
        # Folding the log of any run gives the state that its actor has.
        assert player.folded() == player.state
    return "\n\n".join(shown) + "\n"


@pytest.mark.parametrize("case", CASES, ids=[case.stem for case in CASES])
def test_the_trace_of_a_scenario_is_as_written(case: Path, request: pytest.FixtureRequest) -> None:
    text = case.read_text()
    trace = played(text)
    if request.config.getoption("--rewrite"):
        case.write_text(trace)
    assert trace == case.read_text()


def test_there_are_scenarios() -> None:
    assert len(CASES) >= 8
