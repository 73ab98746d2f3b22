"""What a person waits for: whole processes, as the shell sees them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest

from benchmarks.conftest import Meter
from benchmarks.report import Bound, Figure, Target

PROGRAM = str(Path(sys.executable).parent / "maestro-flow")
ONE_STEP = '{"workflow": {"id": "one", "steps": [{"step": {"id": "only", "type": "NoOp"}}]}}'

COMMANDS = {
    "import maestro_flow": ([sys.executable, "-c", "import maestro_flow"], 0.2),
    "maestro-flow --help": ([PROGRAM, "--help"], 0.3),
    "maestro-flow run, one step": ([PROGRAM, "run", "one.json", "--store", "sqlite:///one.db"], 1.0),
}
"""Commands, each with the seconds that it may take."""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command(name: str, meter: Meter, folder: Path) -> None:
    command, limit_s = COMMANDS[name]
    (folder / "one.json").write_text(ONE_STEP, encoding="utf-8")

    def took_s(*words: str) -> float:
        began = perf_counter()
        subprocess.run(words, cwd=folder, stdout=subprocess.DEVNULL, check=True)
        return perf_counter() - began

    best = meter.measure(lambda: took_s(*command), rounds=7, floor=lambda: took_s(sys.executable, "-c", "pass"))
    target = Target(Bound.AT_MOST, limit_s)
    meter.report(Figure(name, best.wall_s, "s", best.floor_s, "python -c pass", target))
