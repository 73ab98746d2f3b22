"""Arguments and replies of scripts as bytes; ids are text, numbers that must be exact are decimal strings."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from maestro_flow.model.commit import Commit, FlowWrite, Settlement
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.log import LogRecord
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.storage.judge import contradicts_itself

__all__ = [
    "commit_argument",
    "destination_argument",
    "entry_of",
    "message_of",
    "record_of",
    "request_argument",
    "run_of",
]

_encode = msgspec.msgpack.Encoder().encode
_decode_entry = msgspec.msgpack.Decoder(RunEntry).decode


class _Record(msgspec.Struct, array_like=True):
    """What is stored of a commit's flow beside its commit id, which is all that the script looks at."""

    generation: int
    owner_id: str
    position: int
    at: float
    schema_version: int
    events: bytes


class _Send(msgspec.Struct):
    message_id: str
    flow_id: str
    kind: str
    body: msgspec.Raw
    destination: str


class _Flow(msgspec.Struct, omit_defaults=True):
    flow_id: str
    revision: int
    commit_id: str
    position: str
    record: msgspec.Raw
    entry: msgspec.Raw | None = None
    is_live: bool = False


class _Commit(msgspec.Struct, omit_defaults=True):
    generation: str
    owner_id: str
    settles: Sequence[Settlement]
    sends: Sequence[_Send]
    contradicts: bool = False
    follows_refused: bool = False
    flow: _Flow | None = None


_decode_record = msgspec.msgpack.Decoder(_Record).decode


def commit_argument(commit: Commit, group_count: int, *, follows_refused: bool = False) -> bytes:
    """A commit as ``commit.lua`` reads it; ``follows_refused``: an earlier script has refused one of the same flow."""
    lease, flow = commit.lease, commit.flow
    argument = _Commit(
        generation=str(lease.generation),
        owner_id=lease.owner_id,
        contradicts=contradicts_itself(commit, group_count),
        follows_refused=follows_refused,
        flow=None if flow is None else _flow(commit, flow),
        settles=commit.settles,
        sends=[_Send(m.message_id, m.flow_id, m.kind, _as_text(m.body), destination_argument(m)) for m in commit.sends],
    )
    return _encode(argument)


def _flow(commit: Commit, flow: FlowWrite) -> _Flow:
    lease = commit.lease
    record = _Record(lease.generation, lease.owner_id, flow.position, flow.at, flow.schema_version, flow.events)
    commit_id = flow.commit_id.encode()
    return _Flow(
        flow_id=flow.flow_id,
        revision=flow.revision,
        commit_id=flow.commit_id,
        position=str(flow.position),
        record=_as_text(b"%d %b%b" % (len(commit_id), commit_id, _encode(record))),
        entry=None if flow.entry is None else _as_text(_encode(flow.entry)),
        is_live=flow.entry is not None and not flow.entry.status.is_terminal,
    )


def destination_argument(message: Message) -> str:
    """The destination of a message in transit; empty for one that has arrived."""
    return str(message.destination) if message.is_in_transit else ""


def request_argument(request: StartRequest) -> bytes:
    """A request as ``start.lua`` reads it."""
    argument: dict[str, object] = {
        "workflow_id": request.workflow_id,
        "request_id": request.request_id,
        "group_id": request.group_id,
        "body": _as_text(request.body),
        "parent": request.parent,
    }
    if request.version is not None:
        argument["version"] = request.version
    if request.after is not None:
        argument["after"] = request.after
    return _encode(argument)


def record_of(group_id: int, flow_id: str, revision: int, stored: bytes) -> LogRecord:
    """A record as ``commit.lua`` got it."""
    length, _, rest = stored.partition(b" ")
    commit_id, record = rest[: int(length)], _decode_record(rest[int(length) :])
    return LogRecord(
        flow_id=flow_id,
        revision=revision,
        group_id=group_id,
        generation=record.generation,
        owner_id=record.owner_id,
        position=record.position,
        commit_id=commit_id.decode(),
        at=record.at,
        schema_version=record.schema_version,
        events=record.events,
    )


def entry_of(stored: bytes) -> RunEntry:
    """An entry as ``commit.lua`` got it."""
    return _decode_entry(stored)


def message_of(group_id: int, message_id: str, fields: Sequence[bytes | int | None]) -> Message:
    """A message out of the MESSAGE_FIELDS of ``inbox.lua``."""
    flow_id, kind, body, sequence, deliveries, state, outcome, sent_at, destination = map(_bytes, fields)
    return Message(
        group_id=group_id,
        message_id=message_id,
        flow_id=flow_id.decode(),
        kind=kind.decode(),
        body=body,
        destination=int(destination) if destination else group_id,
        sequence=int(sequence),
        deliveries=int(deliveries),
        state=MessageState(state.decode()),
        outcome=outcome.decode(),
        sent_at=float(sent_at),
    )


def run_of(flow_id: bytes, fields: Sequence[bytes | int], body: bytes, *, fresh: bool = False) -> PendingRun:
    """A run out of the RUN_FIELDS of ``runs.lua``."""
    workflow_id, version, instance_id, run_id, group_id, request_id, created_at, parent = map(_bytes, fields)
    return PendingRun(
        flow_id=flow_id.decode(),
        workflow_id=workflow_id.decode(),
        version=int(version),
        instance_id=int(instance_id),
        run_id=int(run_id),
        group_id=int(group_id),
        request_id=request_id.decode(),
        body=body,
        created_at=float(created_at),
        parent=parent.decode(),
        fresh=fresh,
    )


def _bytes(value: bytes | int | None) -> bytes:
    """A number computed by a script is a number, one that it has read is bytes, and an absent field is nil."""
    if value is None:
        return b""
    return value if isinstance(value, bytes) else str(value).encode()


def _as_text(data: bytes) -> msgspec.Raw:
    """Bytes as a MessagePack string (str 32): Redis's cmsgpack has no type for bytes, and does not check strings."""
    return msgspec.Raw(b"\xdb" + len(data).to_bytes(4, "big") + data)
