"""The one write door on Redis: one script for each group of the batch, all sent at once."""

from __future__ import annotations

from collections.abc import Sequence

import redis.exceptions

from maestro_flow.errors import StorageError
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.storage.judge import check_group
from maestro_flow_redis.codec import commit_argument
from maestro_flow_redis.errors import storage_error
from maestro_flow_redis.server import Call, Server

__all__ = ["commit_batch"]

_OUTCOMES = {
    "D": Outcome.DONE,
    "A": Outcome.ALREADY_APPLIED,
    "L": Outcome.OWNERSHIP_LOST,
    "C": Outcome.CONFLICT,
    "I": Outcome.INVALID,
}


def commit_batch(server: Server, batch: Sequence[Commit]) -> list[Outcome]:
    """Judge and write; within a group in the order of the batch (PROTOCOL 8).

    Raises:
        StorageError: a position is not beyond the last one of its group; what came before it is written.
    """
    groups: dict[int, list[int]] = {}
    for number, commit in enumerate(batch):
        check_group(commit.lease.group_id, server.group_count)
        groups.setdefault(commit.lease.group_id, []).append(number)
    calls = [
        Call("commit", server.group(group_id), tuple(commit_argument(batch[number]) for number in numbers))
        for group_id, numbers in groups.items()
    ]
    outcomes: dict[int, Outcome] = {}
    for numbers, (letters, problem) in zip(groups.values(), server.call_all(calls), strict=True):
        outcomes |= zip(numbers, (_OUTCOMES[letter] for letter in letters.decode()), strict=False)
        if len(letters) < len(numbers):
            raise _not_logged(batch[numbers[len(letters)]], problem.decode(), server)
    return [outcomes[number] for number in range(len(batch))]


def _not_logged(commit: Commit, problem: str, server: Server) -> StorageError:
    """Why the log refused a record: nearly always for its position, but the server may be full or a replica by now."""
    flow = commit.flow
    assert flow is not None, "only a flow has a record"  # noqa: S101
    if "ID specified in XADD" not in problem:
        return storage_error(redis.exceptions.ResponseError(problem.removeprefix("-")), server.target.name)
    return StorageError(
        f"position {flow.position} of group {commit.lease.group_id} is not beyond the last one, and has been given out "
        f"already; {flow.flow_id} at revision {flow.revision} was not written"
    )
