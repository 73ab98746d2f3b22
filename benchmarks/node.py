"""A node in a process of its own: ``python -m benchmarks.node URL LEASE_S SCAN_S [alone]``, until its input ends.

With ``alone``, it prints a line of JSON as soon as all groups are loaded: ``serving_s``, the seconds since the first
claim, and ``peak_mb``, the largest resident memory so far, in MB.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter, sleep
from typing import Any

import msgspec

from maestro_flow import Engine, open_storage
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.storage.protocol import Storage

__all__ = ["Claims", "Process", "node", "serve_all"]

_LOOK_S = 0.005


class Claims:
    """A store that records when a group was first claimed."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.first_at: float | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        leases = self._storage.claim(owner, lease_s=lease_s, limit=limit)
        if leases and self.first_at is None:
            self.first_at = perf_counter()
        return leases


def serve_all(engine: Engine, claims: Claims) -> float:
    """Wait until every group is held and loaded; returns the seconds since the first claim."""
    node = engine._node  # noqa: SLF001 - no public name tells what is loaded
    while len(node.serving_groups()) < engine.storage.group_count:
        sleep(_LOOK_S)
    assert claims.first_at is not None
    return perf_counter() - claims.first_at


class Process:
    """A node in another process."""

    def __init__(self, url: str, lease_s: float, scan_s: float, *more: str) -> None:
        command = [sys.executable, "-m", "benchmarks.node", url, str(lease_s), str(scan_s), *more]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def told(self) -> dict[str, float]:
        """The line printed with ``alone``; waits until the node serves every group."""
        assert self._process.stdout is not None
        told: dict[str, float] = msgspec.json.decode(self._process.stdout.readline())
        return told

    def kill(self) -> None:
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Let the node hand over and exit."""
        self._process.communicate()


@contextmanager
def node(url: str, *more: str, lease_s: float = 10.0, scan_s: float = 1.0) -> Iterator[Process]:
    """A node for the duration of the context."""
    process = Process(url, lease_s, scan_s, *more)
    try:
        yield process
    finally:
        process.close()


def main(url: str, lease_s: str, scan_s: str, *more: str) -> None:
    claims: Any = Claims(open_storage(url))
    with Engine(claims, lease_s=float(lease_s), scan_s=float(scan_s)) as engine:
        if "alone" in more:
            told = {"serving_s": serve_all(engine, claims)}
            told["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(msgspec.json.encode(told).decode(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
