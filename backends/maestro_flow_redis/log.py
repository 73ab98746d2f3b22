"""Reading the log of a group on Redis."""

from __future__ import annotations

from maestro_flow.model.commit import FlowLog, LogRecord
from maestro_flow_redis.codec import entry_of, record_of
from maestro_flow_redis.server import Server

__all__ = ["last_position", "load_flows", "read_flow", "read_log"]


def last_position(server: Server, group_id: int) -> int:
    found: list[bytes] = server.call("last_position", server.group(group_id))
    return int(found[0].partition(b"-")[0]) if found else 0


def load_flows(server: Server, group_id: int, after: str, limit: int) -> list[FlowLog]:
    page = server.call("load_flows", server.group(group_id), after, limit)
    return [
        FlowLog(entry_of(entry), _records(group_id, flow_id.decode(), 1, stored)) for flow_id, entry, stored in page
    ]


def read_flow(server: Server, group_id: int, flow_id: str, after_revision: int) -> list[LogRecord]:
    after = max(after_revision, 0)
    stored = server.call("read_flow", server.group(group_id), flow_id, after)
    return list(_records(group_id, flow_id, after + 1, stored))


def read_log(server: Server, group_id: int, after: int, limit: int) -> list[LogRecord]:
    page = server.call("read_log", server.group(group_id), max(after, 0), limit)
    return [record_of(group_id, flow_id.decode(), int(revision), stored) for flow_id, revision, stored in page]


def _records(group_id: int, flow_id: str, first: int, stored: list[bytes]) -> tuple[LogRecord, ...]:
    return tuple(record_of(group_id, flow_id, revision, one) for revision, one in enumerate(stored, first))
