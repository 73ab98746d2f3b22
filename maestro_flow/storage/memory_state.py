"""The data of the memory store: for each group the lease, the log and the inbox, in plain lists and dictionaries."""

from __future__ import annotations

from attrs import Factory, define, evolve

from maestro_flow.model.commit import Commit, FlowWrite
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.log import LogRecord
from maestro_flow.model.runs import RunEntry
from maestro_flow.storage.judge import check_group, may_be_redriven, state_after
from maestro_flow.storage.protocol import RunQuery

__all__ = ["Group", "MemoryState", "StoredMessage", "age", "matches"]


@define
class StoredMessage:
    """A message and what only the store knows about it."""

    message: Message
    delivered_to: int = 0
    """The latest generation that received it."""
    settled_at: float | None = None


@define
class Group:
    """One group. The owner's id is empty when nobody ever held the group, or it was released."""

    generation: int = 0
    owner_id: str = ""
    process: str = ""
    expires_at: float = 0.0
    kept_for: str = ""
    """The node that the group was released to, until ``kept_until``."""
    kept_until: float = 0.0
    pruned_through: int = 0
    cursors: dict[str, Cursor] = Factory(dict)
    """By sink."""
    log: list[LogRecord] = Factory(list)
    """In order of position."""
    inbox: dict[str, StoredMessage] = Factory(dict)
    """By message id, in order of sequence."""

    def is_free(self, owner: Owner, now: float) -> bool:
        """Whether the owner may claim it: it is not held, and not kept for another node."""
        if self.owner_id:
            return self.expires_at <= now
        return self.kept_for in ("", owner.id) or self.kept_until <= now

    def waiting(self) -> list[StoredMessage]:
        return [stored for stored in self.inbox.values() if stored.message.state is MessageState.WAITING]


@define
class MemoryState:
    """All groups, and the flows across them; these are the facts that the judge asks for (``Facts``)."""

    groups: list[Group]
    flows: dict[str, list[LogRecord]] = Factory(dict)
    """By flow id, in order of revision, without gaps."""
    entries: dict[str, RunEntry] = Factory(dict)
    """By flow id: what commits have written; a pending run is not here."""
    sequence: int = 0
    """Of the last message that was put into any inbox."""

    @property
    def group_count(self) -> int:
        return len(self.groups)

    def group(self, group_id: int) -> Group:
        """One group, or StorageError."""
        check_group(group_id, len(self.groups))
        return self.groups[group_id]

    def is_current(self, lease: Lease) -> bool:
        if not 0 <= lease.group_id < len(self.groups):
            return False
        group = self.groups[lease.group_id]
        return (group.generation, group.owner_id) == (lease.generation, lease.owner_id)

    def written(self, flow_id: str, revision: int) -> tuple[str, int] | None:
        records = self.flows.get(flow_id, [])
        if not 1 <= revision <= len(records):
            return None
        return records[revision - 1].commit_id, records[revision - 1].group_id

    def last_position(self, group_id: int) -> int:
        group = self.group(group_id)
        return max(group.pruned_through, group.log[-1].position if group.log else 0)

    def message(self, group_id: int, message_id: str) -> Message | None:
        stored = self.group(group_id).inbox.get(message_id)
        return stored.message if stored else None

    def put(self, message: Message, now: float) -> Message:
        """Put the message into the inbox if its id is new; returns the message with this id."""
        inbox = self.group(message.group_id).inbox
        if message.message_id not in inbox:
            self.sequence += 1
            fresh = Message(
                group_id=message.group_id,
                message_id=message.message_id,
                flow_id=message.flow_id,
                kind=message.kind,
                body=message.body,
                destination=message.destination,
                sequence=self.sequence,
                sent_at=now,
            )
            inbox[message.message_id] = StoredMessage(fresh)
        return inbox[message.message_id].message

    def redrive(self, group_id: int, message_id: str) -> Message:
        """A dead letter waits again, at the end of its inbox."""
        group = self.group(group_id)
        message = may_be_redriven(self.message(group_id, message_id), group_id, message_id)
        if message.state is MessageState.DEAD:
            self.sequence += 1
            del group.inbox[message_id]  # and insert it again: the inbox is in order of sequence
            message = evolve(message, state=MessageState.WAITING, sequence=self.sequence, deliveries=0, outcome="")
            group.inbox[message_id] = StoredMessage(message)
        return message

    def remove(self, flow_id: str) -> None:
        """Prune a flow."""
        records = self.flows.pop(flow_id)
        group = self.groups[self.entries.pop(flow_id).group_id]
        group.log = [record for record in group.log if record.flow_id != flow_id]
        group.pruned_through = max(group.pruned_through, records[-1].position)

    def apply(self, commit: Commit, now: float) -> None:
        """Write a commit that was judged DONE."""
        group = self.groups[commit.lease.group_id]
        if commit.flow is not None:
            record = _record(commit.lease, commit.flow)
            group.log.append(record)
            self.flows.setdefault(record.flow_id, []).append(record)
            if commit.flow.entry is not None:
                self.entries[record.flow_id] = commit.flow.entry
        for settlement in commit.settles:
            stored = group.inbox[settlement.message_id]
            if stored.settled_at is None:
                stored.settled_at = now
                stored.message = evolve(stored.message, state=state_after(settlement), outcome=settlement.outcome)
        for message in commit.sends:
            self.put(message, now)


def _record(lease: Lease, flow: FlowWrite) -> LogRecord:
    return LogRecord(
        flow_id=flow.flow_id,
        revision=flow.revision,
        group_id=lease.group_id,
        generation=lease.generation,
        owner_id=lease.owner_id,
        position=flow.position,
        commit_id=flow.commit_id,
        at=flow.at,
        schema_version=flow.schema_version,
        events=flow.events,
    )


def age(entry: RunEntry) -> tuple[float, str]:
    """By which lists of runs are ordered."""
    return entry.created_at, entry.flow_id


def matches(entry: RunEntry, query: RunQuery) -> bool:
    """Whether the query lists the run, on some page."""
    is_of_anybody = query.workflow_id is None and query.parent is None
    return (
        query.workflow_id in (None, entry.workflow_id)
        and entry.parent == ("" if is_of_anybody else entry.parent if query.parent is None else query.parent)
        and query.instance_id in (None, entry.instance_id)
        and (not query.statuses or entry.status in query.statuses)
        and (entry.blocking or not query.blocking)
        and (query.before is None or age(entry) < query.before)
    )
