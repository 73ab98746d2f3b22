"""Real processes on a real store, killed again and again, or frozen, at moments that their effects choose."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maestro_flow import Client, Engine, RunStatus, Workflow
from maestro_flow.model.events import StepEnded, decode_events
from tests.cli.command_line import CommandLine, read_until
from tests.engine.test_backends import postgres_url, redis_url, sqlite_url

KILLS = 8
THREADS = 2
"""Of a process that is frozen: so few calls can be under way then."""

PATIENCE_S = 90.0
PROGRAM = Path(__file__).with_name("kill_program.py")


class Program:
    """``kill_program`` on a store. Every process that is started appends to the same file of effects."""

    def __init__(self, url: str, folder: Path, runs: int, lease_s: float, threads: int = 32) -> None:
        self.url, self.runs, self.effects = url, runs, folder / "effects"
        self.effects.touch()
        self._command = [sys.executable, str(PROGRAM), url, str(self.effects), str(runs)]
        settings = {"MAESTRO_FLOW_LEASE_S": str(lease_s), "MAESTRO_FLOW_EXECUTOR_THREADS": str(threads)}
        self._environment = {**os.environ, **settings}

    @contextmanager
    def started(self) -> Iterator[subprocess.Popen[str]]:
        """A process of it; it does not outlive the block."""
        process = subprocess.Popen(self._command, env=self._environment, stdout=subprocess.PIPE, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def finish(self) -> None:
        done = subprocess.run(
            self._command, env=self._environment, capture_output=True, text=True, timeout=PATIENCE_S, check=True
        )
        assert done.stdout == "all ended\n"

    def lines(self) -> list[list[str]]:
        """The effects so far: step, execution, process."""
        return [line.split() for line in self.effects.read_text().splitlines()]

    def until_effects(self, count: int, process: subprocess.Popen[str]) -> None:
        """Until there are so many, unless the process ends before."""
        wait_for(lambda: process.poll() is not None or len(self.lines()) >= count)

    def check(self) -> None:
        """Everything has ended once, in order, and no execution was called twice."""
        with Client(self.url) as client:
            entries = client.runs(limit=1000)
            assert [entry.status for entry in entries] == [RunStatus.SUCCEEDED] * self.runs, "one run for each request"
            for entry in entries:
                run = client.find("killed", entry.instance_id)
                assert run.outputs["last"] == 5 * entry.instance_id
                records = client.storage.read_flow(entry.flow_id)
                ended = [e.step for r in records for e in decode_events(r.events) if isinstance(e, StepEnded)]
                assert sorted(ended) == ["first", "last", "left", "right"], "each step has ended once (I3, I7)"
                generations = [record.generation for record in records]
                assert generations == sorted(generations), "no write of an old owner after one of a new one (I1)"
        calls = Counter((step, execution) for step, execution, _ in self.lines())
        assert set(calls.values()) == {1}, "one call per execution: another one only after a takeover (I22)"
        assert len({step for step, _ in calls}) == self.runs * 4


def wait_for(condition: Callable[[], bool]) -> None:
    never, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        never.wait(0.001)


@pytest.mark.parametrize("make_url", [sqlite_url, postgres_url, redis_url], ids=["sqlite", "postgres", "redis"])
def test_a_program_killed_again_and_again_loses_nothing_and_repeats_nothing_recorded(
    make_url: Callable[[pytest.FixtureRequest], str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    program = Program(make_url(request), tmp_path, runs=40, lease_s=0.5)
    killed = 0
    for number in range(KILLS):
        with program.started() as process:
            # Another moment each time: after its second effect, its fifth, its eighth ...
            program.until_effects(len(program.lines()) + 2 + 3 * number % 11, process)
            killed += process.poll() is None
    program.finish()
    assert killed == KILLS, "every kill hit a process that had work left"
    program.check()
    executions = Counter(step for step, _, _ in program.lines())
    assert max(executions.values()) <= KILLS + 1


@pytest.mark.parametrize("make_url", [postgres_url, redis_url], ids=["postgres", "redis"])
def test_a_frozen_process_writes_nothing_when_it_thaws_and_continues_as_another_owner(
    make_url: Callable[[pytest.FixtureRequest], str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    program = Program(make_url(request), tmp_path, runs=40, lease_s=1.0, threads=THREADS)
    with program.started() as frozen:
        program.until_effects(10, frozen)
        frozen.send_signal(signal.SIGSTOP)
        program.finish()
        lines = program.lines()
        assert str(frozen.pid) in {pid for _, _, pid in lines}, "it had begun"
        program.check()
        frozen.send_signal(signal.SIGCONT)
        said, _ = frozen.communicate(timeout=PATIENCE_S)
        assert said == "all ended\n", "it sees what the other one has done"
    late = program.lines()[len(lines) :]
    assert len(late) <= THREADS, "what was under way continues; nothing begins"
    assert {pid for _, _, pid in late} <= {str(frozen.pid)}
    program.check()


@pytest.mark.parametrize("make_url", [postgres_url, redis_url], ids=["postgres", "redis"])
def test_a_thawed_node_drops_what_it_had_and_competes_again(
    make_url: Callable[[pytest.FixtureRequest], str], request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = make_url(request)
    naps = Workflow("naps")
    naps.add("nap", type="Sleep", params={"sleep_seconds": 4.0})
    naps.add("end", type="NoOp", after="nap")
    with CommandLine(tmp_path) as cli, Client(url) as client:
        cli.environment["MAESTRO_FLOW_LEASE_S"] = "1"
        node = cli.start("node", "--store", url)
        read_until(node, "claimed 64 groups")
        client.push(naps)
        runs = client.start_many("naps", [{}] * 20)
        wait_for(lambda: all(run.status is not RunStatus.CREATED for run in runs))
        node.send_signal(signal.SIGSTOP)
        assert runs[-1].status is RunStatus.IN_PROGRESS, "there is work left to take over"
        with Engine(url, lease_s=1.0) as other:
            for run in runs:
                assert other.find("naps", run.instance_id).wait(PATIENCE_S) is RunStatus.SUCCEEDED
            records = [client.storage.read_flow(run.flow_id) for run in runs]
            node.send_signal(signal.SIGCONT)
            read_until(node, "64 groups are lost")
            assert [client.storage.read_flow(run.flow_id) for run in runs] == records, "nothing is written twice"
        read_until(node, "claimed 64 groups")
        assert client.start("naps").wait(PATIENCE_S) is RunStatus.SUCCEEDED
