"""Reading the log of a group on Redis."""

from __future__ import annotations

from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.storage.pruning import check_not_pruned
from maestro_flow_redis.codec import entry_of, record_of
from maestro_flow_redis.server import Server

__all__ = ["end_of_log", "last_position", "load_flows", "read_flow", "read_log"]


def last_position(server: Server, group_id: int) -> int:
    """The highest position ever written; pruned positions are never assigned again."""
    return end_of_log(*server.call("last_position", server.group(group_id)))


def end_of_log(last_id: bytes, pruned: bytes | None) -> int:
    """The highest position that the log has or ever had."""
    return max(int(last_id.partition(b"-")[0] or 0), int(pruned or 0))


def load_flows(server: Server, group_id: int, after: str, limit: int) -> list[FlowLog]:
    """A page of live flows: fewer than ``limit`` if their records are long; empty only at the end."""
    logs = []
    for id_, entry, length, stored in server.call("load_flows", server.group(group_id), after, max(limit, 0)):
        flow_id = id_.decode()
        records = [record_of(group_id, flow_id, revision, record) for revision, record in enumerate(stored, 1)]
        if len(records) < length:
            records += read_flow(server, group_id, flow_id, len(records))
        logs.append(FlowLog(entry_of(entry), tuple(records)))
    return logs


def read_flow(server: Server, group_id: int, flow_id: str, after_revision: int) -> list[LogRecord]:
    records: list[LogRecord] = []
    after = max(after_revision, 0)
    while True:
        length, stored = server.call("read_flow", server.group(group_id), flow_id, after)
        records += [record_of(group_id, flow_id, revision, record) for revision, record in enumerate(stored, after + 1)]
        after += len(stored)
        if after >= length:
            return records


def read_log(server: Server, group_id: int, after: int, limit: int, *, accept_gaps: bool) -> list[LogRecord]:
    """A page of records: fewer than ``limit`` if they are long; empty only at the end.

    Raises:
        LogPruned: as the protocol says.
    """
    if limit < 1:  # XRANGE has no COUNT 0
        return []
    pruned, page = server.call("read_log", server.group(group_id), max(after, 0), limit)
    if not accept_gaps:
        check_not_pruned(group_id, after, int(pruned or 0))
    return [record_of(group_id, flow_id.decode(), int(revision), stored) for flow_id, revision, stored in page]
