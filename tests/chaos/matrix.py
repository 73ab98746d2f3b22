"""The crash matrix: at each failpoint a process crashes, gets an error, or freezes, and another one continues; on
SQLite.

A case is three processes on a new store: one that dies in the user's code, so that there is something to take over; the
doomed one; and a survivor, which must end everything as if nothing had happened.
"""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

from attrs import frozen

from maestro_flow import Client, RunStatus
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.checker import check
from maestro_flow.verify.store import read_history
from tests.chaos.diary import read
from tests.chaos.doomed import LEASE_S, Doom, program
from tests.chaos.failpoints import FAILPOINTS, Action
from tests.chaos.replicas import FORKS
from tests.chaos.verdict import completions, executions

__all__ = ["Case", "cases", "failures"]

_PATIENCE_S = 60.0
_OF_THE_FIRST = ("push", "start", "commit(RunStarted)")
"""Only the first process of a store reaches these points: it is the doomed one."""

_TAKEOVER_S = 5 * LEASE_S
_ENDS = {"doomed/1/1": RunStatus.SUCCEEDED, "doomed/2/1": RunStatus.STOPPED}


@frozen
class Case:
    """One process fails at one point, in one way."""

    name: str
    action: Action

    def __str__(self) -> str:
        return f"{self.action} at {self.name}"


def cases() -> list[Case]:
    """All of the matrix."""
    return [Case(name, action) for name in FAILPOINTS for action in Action]


def failures(case: Case) -> list[str]:
    """Problems after a case: none if the promises hold and the failpoint was hit."""
    with tempfile.TemporaryDirectory(prefix="maestro-chaos-") as folder:
        url, diary = f"sqlite:///{folder}/runs.db", Path(folder) / "diary"
        if case.name.partition(".")[0] not in _OF_THE_FIRST:
            _start(Doom(url, diary, "code.before")).join(_PATIENCE_S)
        doomed = _start(Doom(url, diary, case.name, case.action))
        _until(lambda: bool(_hits(diary, case.name, doomed)) or doomed.exitcode is not None)
        if not _hits(diary, case.name, doomed):
            doomed.kill()
            return [f"{case}: it was never hit"]
        if case.action is Action.FREEZE:
            _until_stopped(doomed)
        problems = []
        survivor = _start(Doom(url, diary))
        if case.action is Action.FREEZE:
            # Another of its threads may hold SQLite's lock: then no process can write before it is awake.
            survivor.join(_TAKEOVER_S)
            os.kill(doomed.pid or 0, signal.SIGCONT)
        survivor.join(_PATIENCE_S)
        if survivor.exitcode != 0:
            problems.append(f"{case}: the survivor has not ended ({survivor.exitcode})")
            survivor.kill()
        doomed.join(_PATIENCE_S)
        if doomed.exitcode != (137 if case.action is Action.CRASH else 0):
            problems.append(f"{case}: the doomed process has not ended as it should ({doomed.exitcode})")
            doomed.kill()
        return problems + [f"{case}: {problem}" for problem in _wrong(url, diary)]


def _start(doom: Doom) -> BaseProcess:
    process = FORKS.Process(target=program, args=(doom,), daemon=True)
    process.start()
    return process


def _hits(diary: Path, name: str, process: BaseProcess) -> list[object]:
    return [line for line in read(diary, "hit") if line["name"] == name and line["pid"] == process.pid]


def _until_stopped(process: BaseProcess) -> None:
    """It has been frozen for longer than its lease."""
    stat = Path(f"/proc/{process.pid}/stat")
    _until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
    time.sleep(1.5 * LEASE_S)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _wrong(url: str, diary: Path) -> list[str]:
    """Problems in the resulting store."""
    with Client(url) as client:
        graphs = GraphCache(client.storage)
        history = read_history(client.storage, graphs, SYSTEM_FLOWS, executions=executions(diary), is_quiet=True)
    found = [f"{each.invariant} {each.flow_id} {each.step_id}: {each.message}" for each in check(history)]
    ends = {entry.flow_id: entry.status for entry in history.entries}
    if ends != _ENDS:
        found.append(f"the runs have ended as {ends}")
    doubled = [which for which, times in completions(history).items() if times > 1]
    return found + [f"{flow_id} {step_id} was completed more than once" for flow_id, step_id in doubled]
