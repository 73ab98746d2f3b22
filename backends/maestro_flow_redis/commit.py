"""Commits on Redis: one script for each group of the batch, all sent at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from redis.exceptions import ResponseError

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

_COMMITS_MAX = 1024
_BYTES_MAX = 4 * 1024 * 1024
"""How much is sent at once. The server does nothing else meanwhile (50 ms for either limit), and a batch that is resent
after a timeout has made progress each time (PROTOCOL 6)."""


def commit_batch(server: Server, batch: Sequence[Commit]) -> list[Outcome]:
    """Judge and write; within a group in the order of the batch (PROTOCOL 8).

    Raises:
        StorageError: a position is not beyond the last one of its group; what came before it is written.
    """
    for commit in batch:
        check_group(commit.lease.group_id, server.group_count)
    outcomes: list[Outcome] = []
    refused: set[str] = set()
    for part in _parts(batch):
        outcomes += _commit_part(server, part, refused)
        judged = zip(part, outcomes[-len(part) :], strict=True)
        refused |= {commit.flow.flow_id for commit, outcome in judged if commit.flow and not outcome.is_durable}
    return outcomes


def _parts(batch: Sequence[Commit]) -> Iterator[Sequence[Commit]]:
    """The batch in parts that are sent one after another; nearly always one."""
    first, size = 0, 0
    for number, commit in enumerate(batch):
        own = _size(commit)
        if number > first and (size + own > _BYTES_MAX or number - first == _COMMITS_MAX):
            yield batch[first:number]
            first, size = number, 0
        size += own
    if first < len(batch):
        yield batch[first:]


def _size(commit: Commit) -> int:
    return (len(commit.flow.events) if commit.flow else 0) + sum(len(message.body) for message in commit.sends)


def _commit_part(server: Server, part: Sequence[Commit], refused: set[str]) -> list[Outcome]:
    """``refused`` are flows with a refused commit in an earlier part: their later commits are refused, too."""
    groups: dict[int, list[int]] = {}
    for number, commit in enumerate(part):
        groups.setdefault(commit.lease.group_id, []).append(number)
    arguments = [
        commit_argument(c, server.group_count, follows_refused=c.flow is not None and c.flow.flow_id in refused)
        for c in part
    ]
    calls = [
        Call("commit", server.group(group_id), tuple(arguments[number] for number in numbers))
        for group_id, numbers in groups.items()
    ]
    outcomes: dict[int, Outcome] = {}
    for numbers, (codes, problem) in zip(groups.values(), server.call_all(calls), strict=True):
        outcomes |= zip(numbers, (_OUTCOMES[code] for code in codes.decode()), strict=False)
        if len(codes) < len(numbers):
            raise _not_logged(part[numbers[len(codes)]], problem.decode(), server)
    return [outcomes[number] for number in range(len(part))]


def _not_logged(commit: Commit, problem: str, server: Server) -> StorageError:
    """Why the log refused a record: nearly always its position, but the server may be full or have become a replica."""
    flow = commit.flow
    assert flow is not None, "only a flow has a record"  # noqa: S101
    if "ID specified in XADD" not in problem:
        return storage_error(ResponseError(problem.removeprefix("-")), server.target.name)
    return StorageError(
        f"position {flow.position} of group {commit.lease.group_id} is not beyond the last one, and has been given out "
        f"already; {flow.flow_id} at revision {flow.revision} was not written"
    )
