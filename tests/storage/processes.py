"""A process that works on a store until it is told to stop, and the handle by which a test holds it.

    python -m tests.storage.processes URL NAME LEASE_S

It claims four groups as owner NAME, says so, waits for a line, and then commits as fast as it can, with a line for each
batch that was acknowledged, until its input ends. After each batch it renews. Any error ends it with a traceback.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from maestro_flow.clock import SystemClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.leases import Owner
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.open import open_storage
from maestro_flow.storage.process import this_process

ROOT = Path(__file__).resolve().parents[2]
GROUPS = 4
LEASE_S = 3600.0
READY = "ready"


class WorkingNode(Node):
    """A node that tells which process it is, and whose leases outlast the test."""

    @property
    def owner(self) -> Owner:
        return Owner(f"owner-{self.name}", this_process())


def work(url: str, name: str, lease_s: float) -> None:
    """The life of the process."""
    node = WorkingNode(open_storage(url, SystemClock()), name)
    leases = node.store.claim(node.owner, lease_s=lease_s, limit=GROUPS)
    print(READY, *(lease.group_id for lease in leases), flush=True)
    sys.stdin.readline()
    ended = selectors.DefaultSelector()
    ended.register(sys.stdin, selectors.EVENT_READ)
    revision = 0
    while not ended.select(timeout=0):
        revision += 1
        batch = [node.write(f"{name}/{lease.group_id}/1", revision, lease=lease) for lease in leases]
        assert node.store.commit(batch) == [Outcome.DONE] * len(batch)
        assert node.store.renew(node.owner, leases, lease_s=lease_s).lost == frozenset()
        print(*(commit.flow.commit_id for commit in batch if commit.flow), flush=True)
    node.store.close()


class Worker:
    """The process as a test sees it."""

    def __init__(self, url: str, name: str, lease_s: float) -> None:
        command = [sys.executable, "-m", "tests.storage.processes", url, name, str(lease_s)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        ready, *groups = self.lines(1)[0].split() or [""]
        assert ready == READY, self.process.communicate()[1]
        self.groups = {int(group) for group in groups}

    def lines(self, count: int) -> list[str]:
        assert self.process.stdout is not None
        return [self.process.stdout.readline() for _ in range(count)]

    def go(self) -> None:
        """Let it commit."""
        assert self.process.stdin is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def commits(self, count: int) -> list[str]:
        """Ids of the commits that the next ``count`` lines acknowledge."""
        return [commit_id for line in self.lines(count) for commit_id in line.split()]

    def kill(self) -> list[str]:
        """SIGKILL; it stays a zombie, unasked for. What it had acknowledged before and nobody has read yet."""
        assert self.process.stdout is not None
        self.process.kill()
        os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        whole_lines = [line for line in self.process.stdout if line.endswith("\n")]
        return [commit_id for line in whole_lines for commit_id in line.split()]

    def stop(self) -> list[str]:
        """End its input and wait for it; what it acknowledged. It must have ended without an error."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdin.close()
        acknowledged = self.process.stdout.read().split()
        assert (self.process.stderr.read(), self.process.wait(timeout=60)) == ("", 0)
        return acknowledged

    def failure(self) -> str:
        """Wait until it has ended by itself, with an error: what it said."""
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self.process.stdout.read()  # not ``communicate``: that ends its input, which is a reason to end well
        assert self.process.wait(timeout=60) == 1
        return self.process.stderr.read()


@contextmanager
def working(url: str, *names: str, lease_s: float = LEASE_S) -> Iterator[list[Worker]]:
    """Workers that have claimed their groups; at the end none is left."""
    workers: list[Worker] = []
    try:
        for name in names:
            workers.append(Worker(url, name, lease_s))
        yield workers
    finally:
        for worker in workers:
            with worker.process:
                worker.process.kill()


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], float(sys.argv[3]))
