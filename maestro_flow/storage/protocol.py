"""The Storage protocol: what a backend implements, verb by verb, with the exact list of failures.

It has domain verbs, not queries, and a transaction is a value (``Commit``). Every verb may be called from any thread,
and may be repeated with the identical arguments: that is how an unknown outcome is resolved (PROTOCOL 6). Every verb
may raise ``StorageUnavailable``; the other failures are listed, but for one: a group that does not exist is a bug of
the caller and a ``StorageError``. All times are seconds since the epoch by the store's clock. No verb needs two groups,
or a group and the catalog, in one transaction, so keys can live in hash slots::

    catalog   push  definition  start                          workflows, versions, starts by request id
    group     claim  renew  release  holder                    the lease: group, generation, owner, expiry
              leave  listen                                    who is there, and what came in for whom
              pending_starts  acknowledge_starts               starts that wait for their first commit
              commit                                           the one write door
              last_position  load_flows  read_flow  read_log   the log
              prune  pruned_through                            what of it is gone
              open_cursor  move_cursor  cursors  drop_cursor   how far each sink of events has read it
              send  receive  message  purge_messages           the inbox and its tombstones
              dead_letters  redrive                            what could not be handled, and another try
    index     run  list_runs                                   entries of all groups, merged

The conformance suite (``maestro_flow.storage.conformance``) has a test for each promise made here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from attrs import field, frozen, validators

from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Holder, Lease, Owner, Renewal
from maestro_flow.model.log import FlowLog, LogRecord
from maestro_flow.model.numbers import storable_number
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.model.text import storable

__all__ = ["GROUP_COUNT", "RunQuery", "Storage", "StoredDefinition"]

GROUP_COUNT = 64
"""Groups of a new store, fixed when it is created (PROTOCOL 19): enough for 64 nodes, cheap for one."""


@frozen
class StoredDefinition:
    """One version of a workflow in the catalog; ``body`` is the normalised definition as JSON."""

    workflow_id: str
    version: int
    body: bytes
    created_at: float


def _names_a_step(query: object, attribute: Any, text: str) -> None:
    storable(query, attribute, text)
    if not text:
        raise ValueError("an empty parent names no step; runs that no step started are listed without one")


@frozen
class RunQuery:
    """A page of the run index, newest run first: ``created_at`` descending, then ``flow_id`` descending.

    With ``workflow_id`` the runs of that workflow, however they were started; for a loop's iterations that is the step,
    as text (``etl/7/2/each_day``). With ``parent`` the runs that this step started, whatever their workflow. With
    neither, the runs that no step started, so that ten thousand iterations hide none of them.

    ``blocking`` asks for the runs that block their workflow alone, which costs the same however many others there are.
    An ``instance_id`` is a number within a workflow: without ``workflow_id`` or ``parent``, a page costs as much as
    there are runs with that number. ``before`` is the (created_at, flow_id) of the last entry of the page before;
    ``limit`` is 1 to 1,000 (ValueError).
    """

    workflow_id: str | None = field(default=None, validator=validators.optional(storable))
    parent: str | None = field(default=None, validator=validators.optional(_names_a_step))
    instance_id: int | None = field(default=None, validator=validators.optional(storable_number))
    statuses: frozenset[RunStatus] = frozenset()
    blocking: bool = False
    before: tuple[float, str] | None = None
    limit: int = field(default=100, validator=[validators.ge(1), validators.le(1000)])


class Storage(Protocol):
    """A store of definitions, runs and their logs, shared by any number of nodes."""

    @property
    def group_count(self) -> int:
        """Number of groups; group ids are 0 to ``group_count - 1``."""
        ...

    @property
    def schema_version(self) -> int:
        """Version of what is written in the store, 1 or more, as it is now; asks the store each time (PROTOCOL 27)."""
        ...

    # -- ownership ----------------------------------------------------------------------------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        """Take up to ``limit`` groups that nobody holds: never held, released, or expired.

        Each gets the next generation and expires ``lease_s`` seconds from now. A backend whose processes share a host
        also takes groups of an owner that is provably dead (PROTOCOL 12), and forgets that node. A group that was
        released to another node is passed over for as long as it is kept for that one. Groups of the same owner are not
        claimed again. A claim waits for a commit of the old owner that is under way; a group that somebody is busy with
        in another way it may pass over, and its next call finds it. It returns nothing of the log (PROTOCOL 10). If its
        answer is lost, the groups are held by ``owner`` all the same and turn up again when they expire.

        Raises:
            SchemaMismatch: the store was migrated since we opened it, and excludes us now (PROTOCOL 27).
        """
        ...

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        """Extend those of ``leases`` that are still ours, whether expired or not, and look around (PROTOCOL 13).

        With ``offers`` it also says, for ``lease_s`` seconds, that this node is there and what its steps can be of
        (PROTOCOL 22); None leaves the advertisement unchanged.

        One round trip. ``messages`` and ``pending`` tell of all groups that the owner holds; with no leases to renew,
        it only looks around. What changes while it looks around may be seen or not; the next renewal sees it.
        """
        ...

    def release(self, leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        """Give groups up, so that they can be claimed at once. No effect on a lease that is not current.

        With ``to``, an owner id, they are kept for that node: for ``keep_s`` seconds nobody else can claim them.
        """
        ...

    def leave(self, owner: Owner) -> None:
        """The node is gone: forget at once what it said of itself. What it holds stays held."""
        ...

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """Call ``wake(group_id)`` whenever a message is sent to a group, a run is started in it, or it is released.

        No matter which process does it; but of what this handle does to groups that are held through it, nothing need
        be said. A hint and no more: a backend may lose it, repeat it, or have none for what other processes do
        (SQLite). ``wake`` is called on a thread that is not to be kept waiting,
        after the change is durable, and never in ``commit``. Returns the function that ends it.
        """
        ...

    def holder(self, group_id: int) -> Holder | None:
        """The holder of a group now, also when the lease has expired; None if it was never claimed, or was released."""
        ...

    # -- commit ------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Apply each commit as a whole or not at all, and say which; durable when this returns. In order of the batch.

        DONE             all of it is written
        ALREADY_APPLIED  this very commit (same commit_id at this revision; or, without a flow, the same settlements
                         and sends) was written before
        OWNERSHIP_LOST   (group, generation, owner) of the lease is not current (an expired lease that nobody has
                         claimed is still current): nothing is written
        CONFLICT         another commit has the revision, or revision - 1 does not exist, or a message was settled with
                         another outcome, or a message is sent again with another body or
                         destination: nothing is written
        INVALID          it contradicts itself: flow of another group, entry of another flow, revision below 1, a first
                         revision without an entry (no takeover would find it), a message settled that does not exist,
                         a send to another group or with a destination that
                         does not exist, two outcomes or two bodies for one message: nothing is written

        A commit that was applied before is ALREADY_APPLIED even if its lease is lost by now.
        Atomicity is per commit: a batch promises nothing more (PROTOCOL 8). Two commits of one flow in a batch are
        judged in order, and what follows a refused one is refused too: it was decided on a state that never was.
        The entry of a run that a start has made repeats what the start said of it (version, numbers, group, time,
        parent), so that a store may keep both in one row.
        Positions increase within a group (PROTOCOL 7): one that is not beyond the group's last is a bug of the caller
        and raises ``StorageError``, because readers that are past it would never see its record.
        """
        ...

    # -- the log ------------------------------------------------------------------------------------------------

    def last_position(self, group_id: int) -> int:
        """Highest position written in the group, 0 if none. An owner asks after its claim, never in it."""
        ...

    def load_flows(self, group_id: int, *, after: str = "", limit: int = 100) -> list[FlowLog]:
        """A page of the group's live flows (their entry is not terminal), by flow id, with all their records.

        A page, here and elsewhere, may have fewer than ``limit`` where they are long; only an empty one is the end.
        """
        ...

    def read_flow(self, flow_id: str, *, after_revision: int = 0) -> list[LogRecord]:
        """Records of one flow beyond a revision, in order. Empty for an unknown flow."""
        ...

    def read_log(
        self, group_id: int, *, after: int = 0, limit: int = 1000, accept_gaps: bool = False
    ) -> list[LogRecord]:
        """Records of a group with a position greater than ``after``, in order of position; positions have gaps.

        ``accept_gaps`` leaves out what was pruned without a word.

        Raises:
            LogPruned: ``after`` is below ``pruned_through``, and gaps are not accepted.
        """
        ...

    def prune(self, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
        """Remove finished flows of the lease's group as a whole; returns which of ``flow_ids`` are gone now.

        Gone are the entry, the records, and what a start has left in the catalog: the same request id is a new run
        afterwards. What was gone before counts as gone, so the call may be repeated. Definitions, the counters of
        workflows (a number is never given out again) and messages stay.

        A flow stays if its entry is not terminal or blocks, or its start is not acknowledged. A run that a start has
        made stays, besides, as long as an earlier run of its instance does, or the latest one has not ended: so the
        runs of an instance go in order, and never while one of them can still read from those before it.

        The highest position that is removed becomes the group's ``pruned_through``, before or together with the
        removal. A flow is removed in one step; where group and catalog cannot change together, what the catalog has is
        removed first, so that an interrupted call leaves an ended run that cannot be restarted, until it is repeated.

        Raises:
            OwnershipLost: the lease is not current.
        """
        ...

    def pruned_through(self, group_id: int) -> int:
        """The highest position that ``prune`` has ever removed from the group's log, 0 if none."""
        ...

    # -- cursors of sinks ---------------------------------------------------------------------------------------

    def open_cursor(self, group_id: int, sink: str, owner: Owner, *, position: int | None = None) -> Cursor:
        """Take the cursor of a sink in a group over: it has the next generation and belongs to ``owner``.

        One that its owner opens again is returned as it is. A sink that is new in the group is registered, at
        ``position``, or where the log ends now (None); of one that is known, ``position`` is ignored.

        Raises:
            StorageError: ``position`` is negative, or beyond the end of the log.
        """
        ...

    def move_cursor(self, cursor: Cursor, position: int) -> Cursor:
        """Move a cursor from the position that ``cursor`` has on to another; the same move again has the same answer.

        Raises:
            OwnershipLost: the generation and the owner of ``cursor`` are not current.
            NotFound: the cursor was dropped.
            Conflict: it stands at another position than ``cursor`` says, and not at ``position`` either.
            StorageError: ``position`` is before that of ``cursor``, or beyond the end of the log.
        """
        ...

    def cursors(self, *, after: tuple[int, str] = (-1, ""), limit: int = 100) -> list[Cursor]:
        """A page of all cursors, by (group id, sink); ``after`` is that of the last one of the page before."""
        ...

    def drop_cursor(self, group_id: int, sink: str) -> None:
        """The sink reads this group no longer, and holds no record back. No effect where it has no cursor."""
        ...

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        """Put a message into the inbox of its group; anyone may. Returns it as it stands there.

        The store keeps its ``destination`` and never acts on it: a message in transit waits in the inbox that it was
        put into, like any other, until the owner of that group sends it on (PROTOCOL 20).

        The same id again returns what is there, with its outcome when it is settled (PROTOCOL 16).

        Raises:
            Conflict: the id is there with another flow, kind, body or destination.
        """
        ...

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        """The waiting messages with a sequence greater than ``after``, in order; the owner's alone, hides nothing.

        The first time that a generation receives a message its ``deliveries`` grow by one, durably (PROTOCOL 17).

        Raises:
            OwnershipLost: the lease is not current.
        """
        ...

    def message(self, group_id: int, message_id: str) -> Message | None:
        """A message or its tombstone."""
        ...

    def dead_letters(self, *, after: tuple[int, int] = (-1, 0), limit: int = 100) -> list[Message]:
        """A page of the dead letters of all groups, by (group id, sequence); ``after`` is that of the last one."""
        ...

    def redrive(self, group_id: int, message_id: str) -> Message:
        """A dead letter waits again, as if it had never been delivered, behind all others; returns it so.

        It has a new ``sequence``, so that an owner who is past the old one receives it. One that waits already is
        returned as it is.

        Raises:
            NotFound: there is no such message.
            Conflict: it was settled, and has its outcome.
        """
        ...

    def purge_messages(self, *, settled_before: float) -> int:
        """Drop tombstones that were settled before a time; returns how many. Waiting messages and dead letters stay."""
        ...

    # -- the catalog --------------------------------------------------------------------------------------------

    def push(self, workflow_id: str, body: bytes) -> int:
        """Store a definition and return its version, dense from 1; the latest body again is the latest version."""
        ...

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        """One version, or the latest.

        Raises:
            ValueNotStorable: the version has more than 64 bits.
        """
        ...

    def start(self, requests: Sequence[StartRequest]) -> list[PendingRun]:
        """Step (a) of a start: give each request its instance number (dense from 1 per workflow), run 1, and its group.

        A restart (``request.after``) gets the next run number of that instance instead. The run that it follows must be
        the latest of the instance that a start has made; that it has ended is for the caller to see, and stays so. What
        the requests before it have made counts, also those of the same call. A restart is created later than the run
        that it follows, whatever the clock says, so that ``list_runs`` has the latest run of an instance first.

        All or nothing, durable when this returns. The same request again returns the run that it made, with the group
        that was chosen first.

        Raises:
            NotFound: the workflow, the version, or the run to follow does not exist.
            Conflict: the request id was used with another body, another explicit version, another parent, or after
                another run; or the run to follow is not the latest one.
        """
        ...

    def pending_starts(self, group_id: int, *, after: int = 0, limit: int = 100) -> list[PendingRun]:
        """Starts of the group that are not acknowledged, oldest first, with a ``sequence`` beyond ``after``.

        A start that is made while a reader pages through them may get a sequence that the reader is past; the next
        read from the beginning finds it.
        """
        ...

    def acknowledge_starts(self, flow_ids: Sequence[str]) -> None:
        """Mark runs whose first commit is written: ``pending_starts`` does not return them any more."""
        ...

    # -- the run index ------------------------------------------------------------------------------------------

    def run(self, flow_id: str) -> RunEntry | None:
        """The entry of one run; a pending run has the status CREATED."""
        ...

    def list_runs(self, query: RunQuery) -> list[RunEntry]:
        """A page of runs, pending ones included."""
        ...

    def close(self) -> None:
        """Let go of files and connections. Leases stay until they expire or were released."""
        ...
