"""Concurrent calls, and the race that matters most: a takeover under commits."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.log import LogRecord
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.protocol import Storage

__all__ = ["at_once", "check_takeover_under_commits", "seen_meanwhile"]

_BATCHES = 10
_FLOWS = 50
_LOOKS = 1000
_TIMEOUT_S = 60.0
_SWITCH_S = 1e-6
"""How long a thread may hold the interpreter meanwhile: as short as possible, so that a missing lock shows."""


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """The results of the calls, each made by a thread at the same moment; the first exception is raised."""
    barrier = threading.Barrier(len(calls), timeout=_TIMEOUT_S)

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_S)
    try:
        with ThreadPoolExecutor(len(calls)) as pool:
            futures = [pool.submit(run, call) for call in calls]
            return [future.result(_TIMEOUT_S) for future in futures]
    finally:
        sys.setswitchinterval(interval)


def seen_meanwhile(read: Callable[[int], list[int]], *writers: Callable[[], None]) -> list[int]:
    """What a reader sees while the writers write, if it always asks for what comes after the last item it saw."""
    ends = [threading.Event() for _ in writers]

    def write(writer: Callable[[], None], end: threading.Event) -> None:
        try:
            writer()
        finally:
            end.set()

    def follow() -> list[int]:
        seen: list[int] = []
        is_last = False
        while not is_last:
            is_last = all(end.is_set() for end in ends)
            seen += read(max(seen, default=0))
        return seen

    *_, seen = at_once(*(partial(write, *pair) for pair in zip(writers, ends, strict=True)), follow)
    return list(seen)


def check_takeover_under_commits(clock: ManualClock, old_store: Storage, new_store: Storage, number: int) -> None:
    """An owner commits under an expired lease while another one claims its group through its own handle.

    What the new owner reads right after its claim must be everything that the old one will ever have written, and
    everything that was reported to it as done. Another owner must hold all other groups, so that the claim is for one
    group only. Each ``number`` has its own flows, and claims at a different moment.
    """
    old, new = Node(old_store, f"old-{number}"), Node(new_store, f"new-{number}")
    (lease,) = old.claim()
    clock.advance(LEASE_S)
    read = partial(new_store.read_log, lease.group_id, after=old.last[lease.group_id])
    done, seen = at_once(
        partial(_commit_until_lost, old, f"w/{number}/1"), partial(_take_over, new, read, number * _FLOWS // 2)
    )
    assert read() == seen, "written under the old lease after the claim had returned"
    assert [record.commit_id for record in seen] == done
    clock.advance(LEASE_S)


def _take_over(node: Node, read: Callable[[], list[LogRecord]], begun: int) -> list[LogRecord]:
    """Claim once this many commits are there; returns what can be read then."""
    for _ in range(_LOOKS):
        if len(read()) >= begun:
            break
    node.claim()
    return read()


def _commit_until_lost(node: Node, flow_id: str) -> list[str]:
    """Ids of the commits that were done, batch after batch, until the first refusal.

    The batches are large, because the fence must hold from its first check to the last row. Every other one has two
    commits of one flow, which a store may handle differently from commits of many flows.
    """
    done: list[str] = []
    for number in range(1, _BATCHES + 1):
        large = [node.write(f"{flow_id}{branch}", number) for branch in range(_FLOWS)]
        small = [node.write(flow_id, 2 * number - 1), node.write(flow_id, 2 * number)]
        for batch in (large, small):
            outcomes = node.commit(*batch)
            written = [commit.flow for commit, outcome in zip(batch, outcomes, strict=True) if outcome is Outcome.DONE]
            done += [flow.commit_id for flow in written if flow is not None]
            if len(written) < len(batch):
                assert set(outcomes) <= {Outcome.DONE, Outcome.OWNERSHIP_LOST}
                return done
    return done
