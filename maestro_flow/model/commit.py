"""What passes through the one write door: leases, commits with their outcomes, messages, starts (PROTOCOL 1-9, 16-19).

All of these are values. A transaction is a ``Commit``, which a store applies as a whole or not at all, so that a Lua
script is a peer of an SQL transaction.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen, validators

from maestro_flow.model.events import SCHEMA_VERSION
from maestro_flow.model.numbers import storable_number, storable_pair
from maestro_flow.model.status import RunStatus
from maestro_flow.model.text import storable

__all__ = [
    "Commit",
    "FlowLog",
    "FlowWrite",
    "GivenRun",
    "Holder",
    "Lease",
    "LogRecord",
    "Message",
    "MessageState",
    "NodeEntry",
    "Outcome",
    "Owner",
    "Renewal",
    "RunEntry",
    "Settlement",
    "StartRequest",
    "flow_id_of",
]


def flow_id_of(workflow_id: str, instance_id: int, run_id: int) -> str:
    """The id of a run inside the engine; unique, because a workflow id has no slash, and readable in the store."""
    return f"{workflow_id}/{instance_id}/{run_id}"


@frozen
class Owner:
    """A process that may hold groups. ``id`` is random per process start (PROTOCOL 3).

    ``process`` lets another process on the same host prove that this one is dead (``maestro_flow.storage.process``);
    empty where that cannot be told.
    """

    id: str
    process: str = ""


@frozen
class Lease:
    """Proof of ownership: the fence compares (group, generation, owner), never the time."""

    group_id: int
    generation: int
    owner_id: str


@frozen
class Holder:
    """Who holds a group, as anyone may ask; it may have changed by the time of the answer."""

    group_id: int
    generation: int
    owner_id: str
    process: str
    expires_at: float
    now: float
    """The store's clock, in the same answer: from ``expires_at`` on anyone may claim the group, also if nobody has."""


@frozen
class NodeEntry:
    """A live node as it advertises itself to the others (PROTOCOL 14, 22)."""

    owner_id: str
    process: str
    offers: frozenset[str]
    """What its steps can be of: the names of the step types, and of the code of Python workflows, that it has."""
    groups: int
    """How many groups it holds, as the store knows."""
    expires_at: float
    """By the store's clock; a node that does not say again that it is there is gone from then on."""


@frozen
class Renewal:
    """Answer of the one query a second (PROTOCOL 13): all that a node wants to know about its groups."""

    now: float
    """The store's clock, seconds since the epoch."""
    lost: frozenset[int]
    """Groups among the given leases that are not ours any more."""
    claimable: int
    """Groups that could be claimed now."""
    mail: frozenset[int]
    """Held groups with messages that are not settled."""
    given: frozenset[int]
    """Held groups with runs that are given and not yet taken up."""
    nodes: tuple[NodeEntry, ...] = ()
    """All nodes that are alive, by owner id; the one that asks is among them if it has said what it offers."""


@frozen
class RunEntry:
    """A run as the index of its group shows it; times are seconds since the epoch by the store's clock."""

    flow_id: str
    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    group_id: int
    status: RunStatus
    created_at: float
    started_at: float | None = None
    ended_at: float | None = None
    blocking: bool = False
    """It has failed under a limited run strategy, and was neither restarted nor unblocked: it keeps a workflow that is
    STRICT_SEQUENTIAL from going on, and others from being switched to that."""


@frozen
class FlowWrite:
    """The flow's part of a commit: revision ``revision`` (1 is the first) with its events as a JSON array.

    ``entry`` is the run's new entry in the group's index, when this commit changes it.
    """

    flow_id: str
    revision: int
    commit_id: str
    position: int
    at: float
    events: bytes
    schema_version: int = SCHEMA_VERSION
    entry: RunEntry | None = None


@frozen
class Settlement:
    """A message is done with, and this is its outcome; ``dead`` puts it among the dead letters.

    Raises:
        ValueNotStorable: the outcome is no text that every store can hold; ``model.text.escaped`` makes it so.
    """

    message_id: str
    outcome: str = field(validator=storable)
    dead: bool = False


@frozen
class Commit:
    """One atomic, fenced write of an owner (PROTOCOL 2): a flow's next revision, messages settled, messages sent.

    ``sends`` go to the lease's own group only. A commit without a flow settles what yields no event.
    """

    lease: Lease
    flow: FlowWrite | None = None
    settles: tuple[Settlement, ...] = ()
    sends: tuple[Message, ...] = ()


class Outcome(StrEnum):
    """What became of a commit (PROTOCOL 5). Only DONE and ALREADY_APPLIED mean that it is written."""

    DONE = "done"
    ALREADY_APPLIED = "already applied"
    OWNERSHIP_LOST = "ownership lost"
    CONFLICT = "conflict"
    INVALID = "invalid"

    @property
    def is_durable(self) -> bool:
        return self in (Outcome.DONE, Outcome.ALREADY_APPLIED)


@frozen
class LogRecord:
    """One committed revision, as it is read back; with the fence it was written under, for ``verify``."""

    flow_id: str
    revision: int
    group_id: int
    generation: int
    owner_id: str
    position: int
    commit_id: str
    at: float
    schema_version: int
    events: bytes


@frozen
class FlowLog:
    """All records of one flow in order of revision, and its entry in the index."""

    entry: RunEntry
    records: tuple[LogRecord, ...]


class MessageState(StrEnum):
    """A message waits in the inbox, or is a tombstone with its outcome, or a dead letter (PROTOCOL 16, 17)."""

    WAITING = "waiting"
    SETTLED = "settled"
    DEAD = "dead"


@frozen
class Message:
    """A durable letter to a flow, in the inbox of the flow's group; ``body`` is JSON.

    The last five fields are the store's: ``sequence`` orders the inbox, ``deliveries`` counts the owners that had the
    message in hand.
    """

    group_id: int
    message_id: str = field(validator=validators.and_(storable, validators.min_len(1)))
    flow_id: str = field(validator=storable)
    kind: str = field(validator=storable)
    body: bytes = b"{}"
    sequence: int = field(default=0, eq=False)
    deliveries: int = field(default=0, eq=False)
    state: MessageState = field(default=MessageState.WAITING, eq=False)
    outcome: str = field(default="", eq=False)
    sent_at: float = field(default=0.0, eq=False)


@frozen
class StartRequest:
    """Step (a) of a start (PROTOCOL 18): idempotent by (workflow_id, request_id).

    ``body`` says in JSON what the run is to do, which the store never looks into. ``version`` None means the latest, or
    that of the run which a restart follows.
    """

    workflow_id: str = field(validator=storable)
    request_id: str = field(validator=storable)
    group_id: int
    version: int | None = field(default=None, validator=validators.optional(storable_number))
    body: bytes = b"{}"
    after: tuple[int, int] | None = field(default=None, validator=validators.optional(storable_pair))
    """A restart: (instance_id, run_id) of the run that the new one follows, in its instance. None: a new instance."""


@frozen
class GivenRun:
    """A run that has its number and its group, and waits for (or already has) its first commit."""

    flow_id: str
    workflow_id: str
    version: int
    instance_id: int
    run_id: int
    group_id: int
    request_id: str
    body: bytes
    created_at: float
    fresh: bool = False
    """True in the answer to the request that created it, False for a duplicate and in listings."""
    sequence: int = field(default=0, eq=False)
    """In what ``given`` returns: orders it. Elsewhere 0."""
