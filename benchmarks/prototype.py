"""A prototype of the bare idea, for comparison: ``../shared/reference/prototype.py``, if it exists; never copied.

It runs in its own process, as ``python -m benchmarks.prototype PATH FIGURE ROUNDS FOLDER``, so that neither its threads
nor pytest's memory interfere.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from time import process_time
from typing import Any

__all__ = ["ROOT", "prototype"]

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT.parent / "shared" / "reference" / "prototype.py"


def prototype(figure: str, rounds: int, folder: Path) -> dict[str, float] | None:
    """Seconds of the best round, ``s`` (wall) and ``cpu_s``, for a figure, or None if there is no prototype."""
    if not SOURCE.exists():
        return None
    command = [sys.executable, "-m", "benchmarks.prototype", str(SOURCE), figure, str(rounds), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("prototype", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(module: Any, figure: str, rounds: int, folder: Path) -> dict[str, float]:
    engine = module.Engine(folder / f"prototype-{figure}-{os.getpid()}.db")
    middle = [f"x{number}" for number in range(500)]
    graph, flows = {
        "chain": (module.chain(100), 1),
        "flows": (module.chain(5), 1000),
        "fan": ({"fork": middle, **{step: ["join"] for step in middle}, "join": []}, 1),
    }[figure]
    module.elapsed(engine, graph, flows)  # a warm-up round
    walls, cpus = [], []
    for _ in range(rounds):
        cpu = process_time()
        walls.append(module.elapsed(engine, graph, flows))
        cpus.append(process_time() - cpu)
    return {"s": min(walls), "cpu_s": min(cpus)}


if __name__ == "__main__":
    source, wanted, count, place = sys.argv[1:]
    print(json.dumps(measure(load(Path(source)), wanted, int(count), Path(place))), flush=True)
    os._exit(0)  # its threads never end
