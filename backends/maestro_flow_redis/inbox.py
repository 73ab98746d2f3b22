"""Messages on Redis: inbox, tombstones and dead letters."""

from __future__ import annotations

from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease
from maestro_flow.storage.judge import check_same_message, may_be_redriven, no_longer_held
from maestro_flow_redis.codec import destination_argument, message_of
from maestro_flow_redis.server import Call, Server

__all__ = ["dead_letters", "message", "purge", "receive", "redrive", "send"]

_PURGED_AT_ONCE = 500
"""How many tombstones of a group one script drops: it blocks the server for about a millisecond."""


def send(server: Server, sent: Message) -> Message:
    """Raises Conflict: the id is there with another flow, kind, body or destination."""
    group = server.group(sent.group_id)
    args = (sent.message_id, sent.flow_id, sent.kind, sent.body, destination_argument(sent))
    fields = server.call("send", group, *args)
    there = message_of(sent.group_id, sent.message_id, fields)
    check_same_message(there, sent)
    return there


def receive(server: Server, lease: Lease, after: int, limit: int) -> list[Message]:
    """Raises OwnershipLost: the lease is not current."""
    group = server.group(lease.group_id)
    page = server.call("receive", group, lease.generation, lease.owner_id, max(after, 0), max(limit, 0))
    if page is None:
        raise no_longer_held(lease)
    return [message_of(lease.group_id, message_id.decode(), fields) for message_id, fields in page]


def message(server: Server, group_id: int, message_id: str) -> Message | None:
    if not message_id:  # the sentinel, the first member of each key
        return None
    fields = server.call("message", server.group(group_id), message_id)
    return None if fields[0] is None else message_of(group_id, message_id, fields)


def dead_letters(server: Server, after: tuple[int, int], limit: int) -> list[Message]:
    """Reads group by group until there are enough: most have none."""
    received: list[Message] = []
    for group_id in range(max(after[0], 0), server.group_count):
        if len(received) >= limit:
            break
        first = after[1] if group_id == after[0] else 0
        page = server.call("dead_letters", server.group(group_id), first, limit - len(received))
        received += [message_of(group_id, message_id.decode(), fields) for message_id, fields in page]
    return received


def redrive(server: Server, group_id: int, message_id: str) -> Message:
    """Raises NotFound, Conflict, as the protocol says."""
    fields = server.call("redrive", server.group(group_id), message_id)
    there = None if fields[0] is None else message_of(group_id, message_id, fields)
    return may_be_redriven(there, group_id, message_id)


def purge(server: Server, settled_before: float) -> int:
    """Drop tombstones in all groups, in rounds, so that no script runs long; returns how many."""
    left, purged = list(range(server.group_count)), 0
    while left:
        args = (repr(settled_before), _PURGED_AT_ONCE)
        counts = server.call_all([Call("purge_messages", server.group(group_id), args) for group_id in left])
        left = [group_id for group_id, count in zip(left, counts, strict=True) if count == _PURGED_AT_ONCE]
        purged += sum(counts)
    return purged
