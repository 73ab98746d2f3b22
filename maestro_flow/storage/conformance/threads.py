"""Calls at the same moment, and the one race that decides whether a store is a store."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import LogRecord, Outcome
from maestro_flow.storage.conformance.node import LEASE_S, Node
from maestro_flow.storage.protocol import Storage

__all__ = ["at_once", "check_takeover_under_commits", "seen_meanwhile"]

_COMMITS = 20
_TIMEOUT_S = 60.0
_SWITCH_S = 1e-6
"""How long a thread may hold the interpreter meanwhile: as short as it gets, so that a missing lock shows."""


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Results of the calls, made at the same moment by a thread each; the first exception comes out."""
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
    """What a reader sees that always asks for what is beyond the last that it saw, while the writers write."""
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


def check_takeover_under_commits(clock: ManualClock, old_store: Storage, new_store: Storage, flow_id: str) -> None:
    """An owner commits, its lease has expired, and another one claims everything meanwhile, through its own handle.

    What the new owner reads after its claim must be all that the old one ever writes, and all that it was told is done.
    """
    old, new = Node(old_store, f"old-{flow_id}"), Node(new_store, f"new-{flow_id}")
    old.claim(old_store.group_count)
    clock.advance(LEASE_S)
    done, seen = at_once(partial(_commit_until_lost, old, flow_id), partial(_take_over, new, old.group_id))
    assert new_store.read_log(old.group_id) == seen, "written under the old lease after the claim had returned"
    assert [record.commit_id for record in seen if record.owner_id == old.owner.id] == done
    clock.advance(LEASE_S)


def _take_over(node: Node, group_id: int) -> list[LogRecord]:
    """Claim, and what a group's log holds then."""
    node.claim(node.store.group_count)
    return node.store.read_log(group_id)


def _commit_until_lost(node: Node, flow_id: str) -> list[str]:
    """Ids of the commits that were done, one after the other, until the first refusal."""
    done: list[str] = []
    for revision in range(1, _COMMITS + 1):
        commit = node.write(flow_id, revision)
        (outcome,) = node.commit(commit)
        if outcome is not Outcome.DONE:
            assert outcome is Outcome.OWNERSHIP_LOST
            break
        assert commit.flow is not None
        done.append(commit.flow.commit_id)
    return done
