"""Owners that take each other's groups as fast as they can, and what must hold of the log that they leave.

    python -m tests.storage.storming URL NAME COMMITS

Each claims a few groups for some milliseconds, never renews, and commits to the flow of each group until it is refused.
A call without an answeris given twice (PROTOCOL 6). In the end it prints what it was told, a line ``commit_id outcome``
for each commit.
"""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from maestro_flow.clock import SystemClock
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Lease
from maestro_flow.model.log import LogRecord
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.protocol import Storage

ROOT = Path(__file__).resolve().parents[2]
CLAIMED = 8
LEASE_S = 0.02
LOOKS = 3
BURST_MAX = 40
"""Commits under one lease at most: then the group is left to others."""

T = TypeVar("T")
Told = list[tuple[str, Outcome]]


def storm(store: Storage, name: str, commits: int) -> Told:
    """What an owner was told of its commits."""
    node = Node(store, name)
    told: Told = []
    while len(told) < commits:
        for lease in definite(lambda: store.claim(node.owner, lease_s=LEASE_S, limit=CLAIMED)):
            _take_over(node, lease)
            told += _burst(node, lease)
    return told


def _take_over(node: Node, lease: Lease) -> None:
    """Read the last position after the claim (PROTOCOL 10), again and again: nobody else writes any more."""
    node.last[lease.group_id] = last = definite(lambda: node.store.last_position(lease.group_id))
    for _ in range(LOOKS):
        if last != definite(lambda: node.store.last_position(lease.group_id)):
            log = definite(lambda: node.store.read_log(lease.group_id, after=last))
            stale = [record for record in log if record.generation < lease.generation]
            assert stale == [], "written under an old lease after the claim had returned"


def definite(verb: Callable[[], T]) -> T:
    """The answer of a verb, which is called again until there is one."""
    while True:
        with suppress(StorageUnavailable):
            return verb()


def _burst(node: Node, lease: Lease) -> Told:
    """Commits to the group's flow, from where it is, until one is refused."""
    flow_id = f"w/{lease.group_id + 1}/1"
    last = node.last[lease.group_id]
    log = definite(lambda: node.store.read_log(lease.group_id, after=last - 1, limit=1))
    revision = log[-1].revision if log else 0
    told: Told = []
    while len(told) < BURST_MAX:
        revision += 1
        commit = node.write(flow_id, revision, lease=lease)
        assert commit.flow is not None
        (outcome,) = definite(partial(node.commit, commit))
        told.append((commit.flow.commit_id, outcome))
        if not outcome.is_durable:
            break
    return told


class Storming:
    """The program in a process of its own."""

    def __init__(self, url: str, name: str, commits: int) -> None:
        command = [sys.executable, "-m", "tests.storage.storming", url, name, str(commits)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def told(self) -> Told:
        """Once it has ended, which it must have done without an error."""
        out, errors = self._process.communicate(timeout=100)
        assert (errors, self._process.returncode) == ("", 0)
        return [(commit_id, Outcome(outcome)) for commit_id, _, outcome in (x.partition(" ") for x in out.splitlines())]


def check_storm(store: Storage, told: Sequence[tuple[str, Outcome]]) -> tuple[int, int, int]:
    """(accepted, refused, generations): what was acknowledged is in the log and nothing else is, in order of owners."""
    logs = [store.read_log(group_id, limit=1_000_000) for group_id in range(store.group_count)]
    accepted = {commit_id for commit_id, outcome in told if outcome.is_durable}
    written = [record.commit_id for log in logs for record in log]
    assert len(written) == len(set(written))
    assert accepted - set(written) == set(), "acknowledged and lost"
    assert set(written) - accepted == set(), "refused, and there all the same"
    generations = sum(_check_log(log) for log in logs)
    return len(accepted), len(told) - len(accepted), generations


def _check_log(log: list[LogRecord]) -> int:
    """Number of generations in the log of one group."""
    owners: defaultdict[int, set[str]] = defaultdict(set)
    for record in log:
        owners[record.generation].add(record.owner_id)
    assert all(len(ids) == 1 for ids in owners.values()), "two owners of one generation"
    assert all(before.generation <= after.generation for before, after in pairwise(log)), "a stale owner has written"
    assert [record.revision for record in log] == list(range(1, len(log) + 1))
    return len(owners)


if __name__ == "__main__":
    for line in storm(open_storage(sys.argv[1], SystemClock()), sys.argv[2], int(sys.argv[3])):
        print(*line)
