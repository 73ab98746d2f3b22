"""Conversion between rows and model objects, for the statements specific to each dialect."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import attrs

from maestro_flow.model.commit import FlowWrite
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Lease
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.pruning import IndexedRun, prunable

__all__ = [
    "ENTRY_COLUMNS",
    "INDEXED_COLUMNS",
    "INSERT_ENTRY",
    "INSERT_RECORD",
    "INSERT_START",
    "MESSAGE_COLUMNS",
    "START_COLUMNS",
    "UPSERT_ENTRY",
    "entry_values",
    "in_parts",
    "message_of",
    "message_values",
    "prunable_of",
    "record_values",
    "start_values",
]

_FIELDS = tuple(field.name for field in attrs.fields(Message))
_COLUMNS = {name: f"messages.{name}" for name in _FIELDS} | {
    "destination": "coalesce(messages.destination, messages.group_id)"
}

MESSAGE_COLUMNS = ", ".join(_COLUMNS[name] for name in _FIELDS)
"""What to select from ``messages``, for ``message_of``."""


def message_of(row: Iterable[Any]) -> Message:
    """The message in a row of ``MESSAGE_COLUMNS``."""
    values = dict(zip(_FIELDS, row, strict=True))
    return Message(**{**values, "state": MessageState(values["state"])})


def message_values(message: Message) -> dict[str, Any]:
    """The columns of a message that its sender sets; a destination is only written while it is in transit."""
    return {
        "group_id": message.group_id,
        "message_id": message.message_id,
        "flow_id": message.flow_id,
        "kind": message.kind,
        "body": message.body,
        "destination": message.destination if message.is_in_transit else None,
    }


INSERT_RECORD = """
    INSERT INTO log (flow_id, revision, group_id, generation, owner_id, position, commit_id, at, schema_version, events)
    VALUES ({placeholders})
"""


def record_values(lease: Lease, flow: FlowWrite) -> tuple[object, ...]:
    """The values of ``INSERT_RECORD``."""
    fence = (lease.group_id, lease.generation, lease.owner_id)
    rest = (flow.position, flow.commit_id, flow.at, flow.schema_version, flow.events)
    return (flow.flow_id, flow.revision, *fence, *rest)


ENTRY_COLUMNS = (
    "flow_id",
    "workflow_id",
    "version",
    "instance_id",
    "run_id",
    "group_id",
    "status",
    "created_at",
    "started_at",
    "ended_at",
    "blocking",
    "is_live",
    "parent",
)

UPSERT_ENTRY = "ON CONFLICT (flow_id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}" for name in ENTRY_COLUMNS if name != "flow_id"
)


INSERT_ENTRY = f"""
    INSERT INTO runs ({", ".join(ENTRY_COLUMNS)}, is_given) VALUES ({{placeholders}}, 0)
    {UPSERT_ENTRY}
"""  # noqa: S608 - the columns are ours


def entry_values(entry: RunEntry) -> tuple[object, ...]:
    """The values of ``ENTRY_COLUMNS``."""
    run = (entry.flow_id, entry.workflow_id, entry.version, entry.instance_id, entry.run_id, entry.group_id)
    times = (entry.created_at, entry.started_at, entry.ended_at)
    return (*run, str(entry.status), *times, int(entry.blocking), int(not entry.status.is_terminal), entry.parent)


INDEXED_COLUMNS = """
    runs.flow_id, runs.workflow_id, runs.instance_id, runs.run_id, runs.group_id, runs.status, runs.blocking,
    runs.is_given, runs.request_id IS NOT NULL
"""
"""What to select from ``runs`` for ``prunable_of``."""


def prunable_of(rows: Iterable[tuple[Any, ...]], asked: Collection[str], group_id: int) -> tuple[list[str], set[str]]:
    """Which of the given flows may be removed from a group, and which exist, by the rows of all their instances."""
    runs, here, there = [], set(), set()
    for flow_id, workflow_id, instance_id, run_id, group, status, blocking, is_given, is_start in rows:
        is_ended = RunStatus(status).is_terminal
        runs.append(
            IndexedRun(
                flow_id,
                workflow_id,
                instance_id,
                run_id,
                is_finished=is_ended and not blocking,
                is_ended=is_ended,
                is_pending=bool(is_given),
                is_start=bool(is_start),
            )
        )
        if flow_id in asked:
            there.add(flow_id)
            if group == group_id:
                here.add(flow_id)
    return prunable(here, runs), there


def in_parts(flow_ids: Iterable[str], size: int = 100) -> Iterator[list[str]]:
    """Flow ids in batches, one transaction each; those of one instance in the order of their runs."""
    ordered = sorted(set(flow_ids), key=lambda flow_id: (len(flow_id), flow_id))
    return (ordered[first : first + size] for first in range(0, len(ordered), size))


_OF_START = tuple(field.name for field in attrs.fields(PendingRun) if field.name not in ("fresh", "sequence"))

START_COLUMNS = ", ".join(f"runs.{name}" for name in _OF_START)
"""What to select from ``runs`` for the ``PendingRun`` of a start."""

INSERT_START = f"""
    INSERT INTO runs ({", ".join(_OF_START)}, status, is_given, is_live)
    VALUES ({{placeholders}}, 'CREATED', 1, 0)
"""  # noqa: S608 - the columns are ours
"""With ``placeholders`` for the values of ``start_values``, as the dialect writes them."""


def start_values(run: PendingRun) -> tuple[object, ...]:
    """The values of ``START_COLUMNS``."""
    ids = (run.flow_id, run.workflow_id, run.version, run.instance_id, run.run_id, run.group_id)
    return (*ids, run.request_id, run.body, run.created_at, run.parent)
