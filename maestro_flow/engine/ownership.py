"""The keeper: which groups this node holds, from claim to release (DESIGN 7, PROTOCOL 10-15).

Apart from the actors' mailboxes, so that a busy node does not lose its leases::

    free, expired ──claim──> loading ──> serving ──release──> free
                                │           │
                                └── lost: refused a renewal, or past its own deadline ──> disbanded

Time: the deadline of a lease is counted on the local monotonic clock from before the request was sent; ``now`` is the
store's clock, estimated from each renewal.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from attrs import Factory, define

from maestro_flow.actors.base import ActorRef, post
from maestro_flow.actors.group import GroupActor
from maestro_flow.actors.messages import Disband, HandOverAll
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held
from maestro_flow.clock import Clock
from maestro_flow.engine.settings import Settings
from maestro_flow.engine.taken import TakenRuns
from maestro_flow.errors import StorageError
from maestro_flow.model.commit import Lease, Owner, Renewal
from maestro_flow.storage.protocol import Storage

__all__ = ["Keeper", "OwnedGroup", "StoreClock"]

logger = logging.getLogger("maestro_flow.engine")


class StoreClock:
    """The store's clock as this process knows it: an offset to the monotonic clock, from the last renewal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.time() - clock.monotonic()

    def now(self) -> float:
        """Seconds since the epoch, within half a round trip of the store's own reading."""
        return self._clock.monotonic() + self._offset

    def observe(self, store_now: float, sent: float, answered: float) -> None:
        """The store read its clock between two readings of our monotonic clock."""
        self._offset = store_now - (sent + answered) / 2


@define
class OwnedGroup:
    """A group that this node holds, and its actor; ``is_serving`` once its flows are loaded."""

    held: Held
    ref: ActorRef[GroupActor]
    is_serving: bool = False
    is_looked_at: bool = False
    """A look at its mail was asked for and has not begun."""
    last_sequence: int = 0
    """Of the inbox: what came after it was not received yet."""
    loaded_through: str = ""
    """The last flow that was loaded so far, by id."""
    unreadable: set[str] = Factory(set)
    """Given runs that cannot be taken up here, because their definition cannot be read."""


class Keeper:
    """See the module. ``tick`` is one scan: the node calls it every ``scan_interval_s``, never twice at a time."""

    def __init__(
        self,
        runtime: Runtime,
        storage: Storage,
        *,
        settings: Settings,
        owner: Owner,
        store_clock: StoreClock,
        open_group: Callable[[Held], OwnedGroup],
        look_at: Callable[[OwnedGroup], None],
        taken: TakenRuns,
    ) -> None:
        self._runtime, self._storage, self._settings = runtime, storage, settings
        self._owner, self._store_clock = owner, store_clock
        self._open_group, self._look_at, self._taken = open_group, look_at, taken
        self._groups: dict[int, OwnedGroup] = {}
        self._renew_at = float("-inf")
        self._scanning = threading.Lock()
        self._is_closing = self.is_closed = False
        self.has_scanned = False
        """At least one scan is over, whatever it found."""

    @property
    def groups(self) -> dict[int, OwnedGroup]:
        """The groups that are held now, by id; a copy."""
        return dict(self._groups)

    def tick(self) -> None:
        """Renew what is due, notice what is lost, claim what is free, look at what came in.

        Raises:
            StorageUnavailable: as far as it came, it holds; the next one does the rest.
            StorageFailed: there is no use in another one.
        """
        with self._scanning:
            if not self.is_closed:
                self._scan()

    def close(self) -> None:
        """Record what runs as handed over, release every group, at once for the next owner (PROTOCOL 14).

        Scans go on meanwhile, to renew, and claim nothing more. Called again, it goes on where it was interrupted.
        """
        self._is_closing = True
        with self._scanning:  # a scan under way may be claiming: what it brings is handed over, too
            letters = [(owned.ref, HandOverAll(self._runtime.event())) for owned in self._groups.values()]
        self._post(letters)
        deadline = self._runtime.clock.monotonic() + self._settings.handover_s
        for _, letter in letters:
            if not letter.done.wait(max(0.0, deadline - self._runtime.clock.monotonic())):
                logger.warning("closing before everything that runs is handed over: it will count as interrupted")
                break
        with self._scanning:
            self.is_closed = True
            leases = [owned.held.lease for owned in self._groups.values()]
            for owned in self.groups.values():
                self._disband(owned)
        try:
            if leases:
                self._storage.release(leases)
            self._taken.tell()
        except StorageError as error:
            logger.warning("the groups could not be released, they expire: %s", error)

    def give_up(self, reason: str) -> None:
        """Hold nothing any more, without a word to the store."""
        with self._scanning:
            self._lose(list(self._groups.values()), reason)

    # -- parts of a tick ----------------------------------------------------------------------------------------

    def _scan(self) -> None:
        sent = self._runtime.clock.monotonic()
        late = [owned for owned in self._groups.values() if sent >= owned.held.deadline]
        self._lose(late, "not renewed in time")
        # Due now, or before the next scan: a renewal is never later than a quarter of the lease (PROTOCOL 13).
        due = sent + self._settings.scan_interval_s > self._renew_at
        leases = [owned.held.lease for owned in self._groups.values()] if due else []
        renewal = self._storage.renew(self._owner, leases, lease_s=self._settings.lease_s)
        self._store_clock.observe(renewal.now, sent, self._runtime.clock.monotonic())
        if due:
            self._renew_at = sent + self._settings.renewal_s
            self._renewed(leases, renewal, sent)
        for group_id in renewal.mail | renewal.given:
            owned_group = self._groups.get(group_id)
            if owned_group is not None and owned_group.is_serving:
                self._look_at(owned_group)
        if renewal.claimable and not self._is_closing:
            self._claim()
        self.has_scanned = True
        self._taken.tell()

    def _renewed(self, leases: list[Lease], renewal: Renewal, sent: float) -> None:
        for lease in leases:
            if lease.group_id not in renewal.lost:
                self._groups[lease.group_id].held.deadline = sent + self._settings.lease_s
        self._lose([self._groups[group_id] for group_id in renewal.lost], "claimed by another owner")

    def _claim(self) -> None:
        sent = self._runtime.clock.monotonic()
        claimed = self._storage.claim(self._owner, lease_s=self._settings.lease_s, limit=self._storage.group_count)
        for lease in claimed:
            held = Held(lease, deadline=sent + self._settings.lease_s)
            self._groups[lease.group_id] = self._open_group(held)
        if claimed:
            logger.info("claimed %d groups", len(claimed))

    def _lose(self, lost: list[OwnedGroup], reason: str) -> None:
        if lost:
            logger.warning("%d groups are lost (%s): their runs go on where they are held now", len(lost), reason)
        for owned in lost:
            self._disband(owned)

    def _disband(self, owned: OwnedGroup) -> None:
        # The flag first: every actor of the group is deaf from now on, whatever waits in its mailbox.
        owned.held.lost = True
        self._groups.pop(owned.held.lease.group_id, None)
        self._post([(owned.ref, Disband())])

    def _post(self, letters: Sequence[tuple[ActorRef[GroupActor], Any]]) -> None:
        """To groups, also from the thread of a user who closes."""

        def call() -> None:
            for ref, letter in letters:
                post(ref, letter)

        self._runtime.call_soon(call)
