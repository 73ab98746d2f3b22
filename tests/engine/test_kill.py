"""A real process on a real file, killed with SIGKILL again and again, at moments that its own effects choose."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from maestro_flow import Client, RunStatus
from maestro_flow.model.events import StepEnded, decode_events

RUNS, KILLS = 40, 8
PROGRAM = Path(__file__).with_name("kill_program.py")


def test_a_program_killed_again_and_again_loses_nothing_and_repeats_nothing_recorded(tmp_path: Path) -> None:
    store, effects = f"sqlite:///{tmp_path}/runs.db", tmp_path / "effects"
    effects.touch()
    command = [sys.executable, str(PROGRAM), store, str(effects), str(RUNS)]
    killed = 0
    for number in range(KILLS):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        # Another moment each time: after its second effect, its fifth, its eighth ...
        target = len(effects.read_bytes().splitlines()) + 2 + 3 * number % 11
        while process.poll() is None and len(effects.read_bytes().splitlines()) < target:
            pass
        killed += process.poll() is None
        process.kill()
        process.wait()
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "all ended\n"
    assert killed == KILLS, "every kill hit a process that had work left"

    with Client(store) as client:
        entries = client.runs(limit=1000)
        assert [entry.status for entry in entries] == [RunStatus.SUCCEEDED] * RUNS, (
            "one run for each request, all ended"
        )
        for entry in entries:
            run = client.find("killed", entry.instance_id)
            assert run.outputs["last"] == 5 * entry.instance_id
            records = client.storage.read_flow(entry.flow_id)
            ended = [e.step for r in records for e in decode_events(r.events) if isinstance(e, StepEnded)]
            assert sorted(ended) == ["first", "last", "left", "right"], "each step has ended once (I3, I7)"
            generations = [record.generation for record in records]
            assert generations == sorted(generations), "no write of an old owner after one of a new one (I1)"

    calls = Counter(tuple(line.split()[:2]) for line in effects.read_text().splitlines())
    assert set(calls.values()) == {1}, "one call per execution: another one only after the process was killed (I22)"
    executions = Counter(key for key, _ in calls)
    assert len(executions) == RUNS * 4
    assert max(executions.values()) <= KILLS + 1
