"""Owners that commit as fast as they can while others claim their groups, and the count of what became of it all.

No owner asks whether it still holds a group: it commits until it is refused, as a process does that was frozen.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from attrs import Factory, define

from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Lease
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.protocol import Storage

GROUPS_AT_ONCE = 4
GROUPS = 8
"""Groups that the storm is about: few, so that owners are in each other's way."""


@define
class Tally:
    """What came of a storm."""

    claims: int = 0
    accepted: int = 0
    rejected: int = 0
    resent: int = 0
    lost: int = 0
    """Accepted, and not in the log."""
    wrongly_accepted: int = 0
    """In the log, though refused, or written under a lease after the claim that ended it had returned."""


@define
class _Diary:
    """What one owner was told."""

    accepted: list[str] = Factory(list)
    rejected: list[str] = Factory(list)
    resent: int = 0
    claims: list[tuple[Lease, int]] = Factory(list)
    """Each with the last position of the group, read after the claim had returned."""


def storm(stores: Sequence[Storage], expire: Callable[[int], object], *, seconds: float, seed: int) -> Tally:
    """Let an owner work on each store until the time is over; ``expire`` ends the lease of a group."""
    over = threading.Event()
    with ThreadPoolExecutor(len(stores)) as pool:
        owners = [pool.submit(_own, Node(store, f"o{number}"), over) for number, store in enumerate(stores)]
        try:
            ends_at, dice = time.monotonic() + seconds, random.Random(seed)
            while time.monotonic() < ends_at and not any(owner.done() for owner in owners):
                expire(dice.randrange(GROUPS))
        finally:
            over.set()
        diaries = [owner.result(60) for owner in owners]
    return _compare(stores[0], diaries)


def _own(node: Node, over: threading.Event) -> _Diary:
    """Claim, and commit to all groups in hand at once, by turns with messages and without."""
    diary = _Diary()
    revisions: dict[Lease, int] = {}
    for turn in count():
        if over.is_set():
            return diary
        if len(revisions) < GROUPS_AT_ONCE:
            revisions |= dict.fromkeys(_claim(node, GROUPS_AT_ONCE - len(revisions), diary), 0)
        batch = [_next(node, lease, revision + 1, turn) for lease, revision in revisions.items()]
        if not batch:
            continue
        for commit, outcome in zip(batch, _until_definite(node, batch, diary), strict=True):
            assert commit.flow is not None
            if outcome.is_durable:
                diary.accepted.append(commit.flow.commit_id)
                revisions[commit.lease] = commit.flow.revision
            else:
                assert outcome is Outcome.OWNERSHIP_LOST
                diary.rejected.append(commit.flow.commit_id)
                del revisions[commit.lease]
    raise AssertionError("count() ends")


def _claim(node: Node, limit: int, diary: _Diary) -> list[Lease]:
    try:
        claimed = node.claim(limit)
    except StorageUnavailable:  # what it may have claimed turns up again when it expires
        return []
    diary.claims += [(lease, node.last[lease.group_id]) for lease in claimed]
    return claimed


def _next(node: Node, lease: Lease, revision: int, turn: int) -> Commit:
    flow_id = f"{node.name}-{lease.group_id}/{lease.generation}/1"
    sends = (message_to(lease.group_id, f"{flow_id}-{revision}", flow_id=flow_id),) if turn % 3 == 0 else ()
    return node.write(flow_id, revision, lease=lease, sends=sends)


def _until_definite(node: Node, batch: Sequence[Commit], diary: _Diary) -> list[Outcome]:
    """PROTOCOL 6: the identical batch again, and nothing else meanwhile."""
    while True:
        try:
            return node.commit(*batch)
        except StorageUnavailable:
            diary.resent += 1


def _compare(store: Storage, diaries: Sequence[_Diary]) -> Tally:
    logs = {group_id: store.read_log(group_id, limit=1_000_000) for group_id in range(GROUPS)}
    there = {record.commit_id for records in logs.values() for record in records}
    rejected = {commit_id for diary in diaries for commit_id in diary.rejected}
    late = {
        record.commit_id
        for diary in diaries
        for lease, position in diary.claims
        for record in logs[lease.group_id]
        if record.generation < lease.generation and record.position > position
    }
    accepted = [commit_id for diary in diaries for commit_id in diary.accepted]
    assert len(there) == sum(map(len, logs.values())), "a commit is there twice"
    return Tally(
        claims=sum(len(diary.claims) for diary in diaries),
        accepted=len(accepted),
        rejected=len(rejected),
        resent=sum(diary.resent for diary in diaries),
        lost=len(set(accepted) - there),
        wrongly_accepted=len(rejected & there | late),
    )
