"""The Storage protocol: what a backend implements, verb by verb, with the exact list of failures.

It has domain verbs, not queries, and a transaction is a value (``Commit``). Every verb may be called from any thread,
and may be repeated with identical arguments, which is how an unknown outcome is resolved (PROTOCOL 6). Every verb may
raise ``StorageUnavailable``; the other failures are listed, except that a group that does not exist is a bug of the
caller and raises ``StorageError``. Times are seconds since the epoch by the store's clock. No verb needs two groups, or
a group and the catalog, in one transaction, so keys can live in hash slots::

    catalog   push  definition  start                          workflows, versions, starts by request id
    group     claim  renew  release  holder                    the lease: group, generation, owner, expiry
              leave  listen                                    live nodes, and hints of news for groups
              pending_starts  acknowledge_starts               starts that wait for their first commit
              commit                                           the only way to write runs
              last_position  load_flows  read_flow  read_log   the log
              prune  pruned_through                            removing finished flows from it
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
    """A query for a page of the run index, newest run first: by ``created_at``, then ``flow_id``, descending.

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
        """The store's current schema version, 1 or more; reads the store each time (PROTOCOL 27)."""
        ...

    # -- ownership ----------------------------------------------------------------------------------------------

    def claim(self, owner: Owner, *, lease_s: float, limit: int) -> list[Lease]:
        """Take up to ``limit`` groups that nobody holds: never held, released, or expired.

        Each gets the next generation and expires ``lease_s`` seconds from now. A backend whose processes share a host
        also takes groups of an owner that is provably dead (PROTOCOL 12), and forgets that node. A group that was
        released to another node is skipped for as long as it is kept for that one. Groups of the same owner are not
        claimed again. A claim waits for a commit of the old owner in progress; a group that is busy in another way may
        be skipped, and the next call finds it. It returns nothing of the log (PROTOCOL 10). If its answer is lost,
        ``owner`` holds the groups anyway, and they become free again when they expire.

        Raises:
            SchemaMismatch: the store was migrated since it was opened, and now excludes this program (PROTOCOL 27).
        """
        ...

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        """Extend those of ``leases`` that the owner still has, even if expired, and look around (PROTOCOL 13).

        With ``offers``, also advertise this node and the code that it offers for ``lease_s`` seconds (PROTOCOL 22);
        None leaves the advertisement unchanged.

        One round trip. ``messages`` and ``pending`` cover all groups that the owner holds; without leases to renew, it
        only looks around. Concurrent changes may be missed; the next renewal sees them.
        """
        ...

    def release(self, leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        """Release groups, so that they can be claimed at once. No effect on a lease that is not current.

        With ``to``, an owner id, they are kept for that node: for ``keep_s`` seconds no other can claim them.
        """
        ...

    def leave(self, owner: Owner) -> None:
        """The node is leaving: remove its advertisement at once. The groups that it holds stay held."""
        ...

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """Call ``wake(group_id)`` whenever a message is sent to a group, a run is started in it, or it is released.

        Whichever process does so, except that calls through this handle for groups held through it need not be
        reported. Only a hint: a backend may lose it, repeat it, or have none for other processes (SQLite). ``wake`` is
        called after the change is durable, never in ``commit``, on a thread that it must not block. Returns the
        function that ends it.
        """
        ...

    def holder(self, group_id: int) -> Holder | None:
        """The holder of a group, even if the lease has expired; None if it was never claimed, or was released."""
        ...

    # -- commit ------------------------------------------------------------------------------------------------

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        """Apply each commit as a whole or not at all, in order; returns the outcomes, durable when this returns.

        DONE             all of it is written
        ALREADY_APPLIED  the same commit (same commit_id at this revision; or, without a flow, the same settlements and
                         sends) was written before
        OWNERSHIP_LOST   (group, generation, owner) of the lease is not current (an expired lease that nobody has
                         claimed is still current): nothing is written
        CONFLICT         another commit has the revision, or revision - 1 does not exist, or a message was settled with
                         another outcome, or a message is sent again with another body or
                         destination: nothing is written
        INVALID          it contradicts itself: flow of another group, entry of another flow, revision below 1, a first
                         revision without an entry (no takeover would find it), a message settled that does not exist,
                         a send to another group or with a destination that
                         does not exist, two outcomes or two bodies for one message: nothing is written

        A commit that was applied before is ALREADY_APPLIED even if its lease has been lost since.
        Atomicity is per commit: a batch promises nothing more (PROTOCOL 8). Two commits of one flow in a batch are
        judged in order, and what follows a refused one is refused, too: it was decided on a state that never existed.
        The entry of a run created by a start repeats the values of the start (version, numbers, group, time, parent),
        so that a store may keep both in one row.
        Positions increase within a group (PROTOCOL 7): one that is not beyond the group's last is a bug of the caller
        and raises ``StorageError``, because readers that are past it would never see its record.
        """
        ...

    # -- the log ------------------------------------------------------------------------------------------------

    def last_position(self, group_id: int) -> int:
        """Highest position written in the group, 0 if none. An owner asks after its claim, never as part of it."""
        ...

    def load_flows(self, group_id: int, *, after: str = "", limit: int = 100) -> list[FlowLog]:
        """A page of the group's live flows (their entry is not terminal), by flow id, with all their records.

        A page, here and elsewhere, may have fewer than ``limit`` items if they are long; only an empty one is the end.
        """
        ...

    def read_flow(self, flow_id: str, *, after_revision: int = 0) -> list[LogRecord]:
        """Records of one flow beyond a revision, in order. Empty for an unknown flow."""
        ...

    def read_log(
        self, group_id: int, *, after: int = 0, limit: int = 1000, accept_gaps: bool = False
    ) -> list[LogRecord]:
        """Records of a group with a position greater than ``after``, in order of position; positions have gaps.

        ``accept_gaps`` silently leaves out what was pruned.

        Raises:
            LogPruned: ``after`` is below ``pruned_through``, and gaps are not accepted.
        """
        ...

    def prune(self, lease: Lease, flow_ids: Sequence[str]) -> frozenset[str]:
        """Remove finished flows of the lease's group as a whole; returns which of ``flow_ids`` are gone now.

        This removes the entry, the records, and the start in the catalog: the same request id is a new run afterwards.
        A flow that was already gone counts as gone, so the call may be repeated. Definitions, the counters of workflows
        (a number is never reused) and messages stay.

        A flow stays if its entry is not terminal or blocks, or its start is not acknowledged. A run created by a start
        also stays while an earlier run of its instance does, or while the latest one has not ended: so the runs of an
        instance are removed in order, and never while one of them may still read from earlier ones.

        The highest removed position becomes the group's ``pruned_through``, before or together with the removal. A flow
        is removed in one step. Where group and catalog cannot change together, the catalog's part is removed first, so
        that an interrupted call leaves an ended run that cannot be restarted, until the call is repeated.

        Raises:
            OwnershipLost: the lease is not current.
        """
        ...

    def pruned_through(self, group_id: int) -> int:
        """The highest position that ``prune`` has removed from the group's log, 0 if none."""
        ...

    # -- cursors of sinks ---------------------------------------------------------------------------------------

    def open_cursor(self, group_id: int, sink: str, owner: Owner, *, position: int | None = None) -> Cursor:
        """Take over the cursor of a sink in a group: it gets the next generation and belongs to ``owner``.

        A cursor that its owner opens again is returned unchanged. A sink that is new in the group is registered at
        ``position``, or at the current end of the log (None); for a known sink, ``position`` is ignored.

        Raises:
            StorageError: ``position`` is negative, or beyond the end of the log.
        """
        ...

    def move_cursor(self, cursor: Cursor, position: int) -> Cursor:
        """Move a cursor from its position in ``cursor`` to another; repeating the same move gives the same answer.

        Raises:
            OwnershipLost: the generation and the owner of ``cursor`` are not current.
            NotFound: the cursor was dropped.
            Conflict: it is neither at the position in ``cursor`` nor at ``position``.
            StorageError: ``position`` is before that of ``cursor``, or beyond the end of the log.
        """
        ...

    def cursors(self, *, after: tuple[int, str] = (-1, ""), limit: int = 100) -> list[Cursor]:
        """A page of all cursors, by (group id, sink); ``after`` is that of the last one of the page before."""
        ...

    def drop_cursor(self, group_id: int, sink: str) -> None:
        """Remove the cursor: the sink no longer reads this group. No effect if it has no cursor there."""
        ...

    # -- the inbox ----------------------------------------------------------------------------------------------

    def send(self, message: Message) -> Message:
        """Put a message into the inbox of its group; any process may. Returns the message as stored.

        The store keeps its ``destination`` and never acts on it: a message in transit waits in the inbox that it was
        put into, like any other, until the owner of that group forwards it (PROTOCOL 20).

        The same id again returns the stored message, with its outcome once it is settled (PROTOCOL 16).

        Raises:
            Conflict: the id exists with another flow, kind, body or destination.
        """
        ...

    def receive(self, lease: Lease, *, after: int = 0, limit: int = 100) -> list[Message]:
        """The waiting messages with a sequence greater than ``after``, in order; only for the owner.

        When a generation first receives a message, its ``deliveries`` are increased by one, durably (PROTOCOL 17).

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
        """Let a dead letter wait again, behind all others, as if it had never been delivered; returns the new message.

        It gets a new ``sequence``, so that an owner that is past the old one receives it. A message that is already
        waiting is returned unchanged.

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
        """Store a definition and return its version, from 1 without gaps; the latest body again has the latest one."""
        ...

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        """One version, or the latest.

        Raises:
            ValueNotStorable: the version has more than 64 bits.
        """
        ...

    def start(self, requests: Sequence[StartRequest]) -> list[PendingRun]:
        """Step (a) of a start: give each request an instance number (from 1 per workflow, no gaps), run 1, and a group.

        A restart (``request.after``) gets the next run number of that instance instead. The run that it follows must be
        the instance's latest run created by a start, including those of earlier requests in the same call; the caller
        must check that it has ended. A restart is created later than the run that it follows, whatever the clock says,
        so that ``list_runs`` has the latest run of an instance first.

        All or nothing, durable when this returns. The same request again returns the same run, with the group that was
        chosen first.

        Raises:
            NotFound: the workflow, the version, or the run to follow does not exist.
            Conflict: the request id was used with another body, another explicit version, another parent, or after
                another run; or the run to follow is not the latest one.
        """
        ...

    def pending_starts(self, group_id: int, *, after: int = 0, limit: int = 100) -> list[PendingRun]:
        """Starts of the group that are not acknowledged, oldest first, with a ``sequence`` beyond ``after``.

        A start during paging may get a sequence that the reader is already past; the next read from the beginning finds
        it.
        """
        ...

    def acknowledge_starts(self, flow_ids: Sequence[str]) -> None:
        """Mark runs whose first commit is written: ``pending_starts`` no longer returns them."""
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
