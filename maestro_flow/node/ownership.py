"""The keeper: which groups this node holds, from claim to release (PROTOCOL 10-15).

It does not depend on the actors' mailboxes, so that a busy node does not lose its leases::

    free, expired ──claim──> loading ──> serving ──drain──> draining ──release──> free
                                │           │                  │
                                └── lost: refused a renewal, or past its own deadline ──> disbanded

Time: the deadline of a lease is counted on the local monotonic clock from before the request was sent; ``now`` is the
store's clock, estimated from each renewal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

from attrs import Factory, define

from maestro_flow.actors.base import ActorRef, post
from maestro_flow.actors.group import GroupActor
from maestro_flow.actors.messages import Disband, Drain, HandOverAll
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held
from maestro_flow.clock import Clock
from maestro_flow.config.settings import Settings
from maestro_flow.errors import StorageError
from maestro_flow.model.leases import Lease, NodeEntry, Owner, Renewal
from maestro_flow.node.acknowledgements import StartAcknowledgements
from maestro_flow.node.fair_share import better_node, fair_share, surplus
from maestro_flow.storage.protocol import Storage

__all__ = ["Keeper", "OwnedGroup", "StoreClock"]

logger = logging.getLogger("maestro_flow.engine")


_DRAINED_MAX = 8
"""How many groups are drained at a time: most of a node's runs continue while it gives some away."""


class StoreClock:
    """The store's clock as this process knows it: an offset to the monotonic clock, from the last renewal."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offset = clock.time() - clock.monotonic()

    def now(self) -> float:
        """Seconds since the epoch, within half a round trip of the store's own reading."""
        return self._clock.monotonic() + self._offset

    def observe(self, store_now: float, sent: float, answered: float) -> None:
        """Adjust the offset: the store read its clock between two readings of our monotonic clock."""
        self._offset = store_now - (sent + answered) / 2


@define
class OwnedGroup:
    """A group that this node holds, and its actor; ``is_serving`` once its flows are loaded."""

    held: Held
    ref: ActorRef[GroupActor]
    claimed_at: float
    """On the local monotonic clock."""
    is_serving: bool = False
    draining: Drained | None = None
    """Set while it is being given up."""
    is_looked_at: bool = False
    """A look at its inbox was requested and has not begun."""
    last_sequence: int = 0
    """Sequence of the last message received from the inbox."""
    loaded_through: str = ""
    """Id of the last flow loaded so far."""
    on_the_way: dict[str, float] = Factory(dict)
    """Pending runs handed to the actor that have no commit yet, and when on the local monotonic clock."""
    unreadable: set[str] = Factory(set)
    """Pending runs that cannot be taken up here because their definition cannot be read."""


class Drained:
    """Set by the group's actor when all of its flows are handed over; wakes the keeper to release the group."""

    def __init__(self, wake: Callable[[], None], to: str) -> None:
        self.is_set, self._wake, self.to = False, wake, to

    def set(self) -> None:
        self.is_set = True
        self._wake()


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
        acknowledged: StartAcknowledgements,
        offers: Callable[[], frozenset[str]],
        wake: Callable[[], None],
    ) -> None:
        self._offers, self._wake = offers, wake
        self._runtime, self._storage, self._settings = runtime, storage, settings
        self._owner, self._store_clock = owner, store_clock
        self._open_group, self._look_at, self._acknowledged = open_group, look_at, acknowledged
        self._groups: dict[int, OwnedGroup] = {}
        self._renew_at = float("-inf")
        self._patient_until = float("inf")
        """Until then, groups beyond our share are left to others."""
        self._scanning = runtime.lock()
        self._is_closing = self.is_closed = False
        self.has_scanned = False
        """At least one scan has finished, whatever it found."""

    @property
    def groups(self) -> dict[int, OwnedGroup]:
        """The groups held now, by id; a copy."""
        return dict(self._groups)

    def holds(self, group_id: int) -> bool:
        """Whether the group is held here, serving or not."""
        return group_id in self._groups

    def tick(self) -> None:
        """Renew leases that are due, notice lost ones, claim free groups, look at new messages and starts.

        Raises:
            StorageUnavailable: what was done is valid; the next scan does the rest.
            StorageFailed: another scan would fail, too.
        """
        with self._scanning:
            if not self.is_closed:
                self._scan()

    def close(self) -> None:
        """Record what runs as handed over, and release every group, so that others can claim it at once (PROTOCOL 14).

        Scans continue meanwhile to renew leases, but claim nothing. Called again, it resumes where it was interrupted.
        """
        self._is_closing = True
        with self._scanning:  # a scan in progress may be claiming: those groups are handed over, too
            handed_over = [(owned.ref, self._runtime.event()) for owned in self._groups.values()]
        self._post([(ref, HandOverAll(done.set)) for ref, done in handed_over])
        deadline = self._runtime.clock.monotonic() + self._settings.handover_s
        for _, done in handed_over:
            if not done.wait(max(0.0, deadline - self._runtime.clock.monotonic())):
                logger.warning("closing before all running steps are handed over: the rest will count as interrupted")
                break
        with self._scanning:
            self.is_closed = True
            leases = [owned.held.lease for owned in self._groups.values()]
            for owned in self.groups.values():
                self._disband(owned)
        try:
            self._storage.leave(self._owner)  # first, so that nodes that hear of the released groups no longer count us
            if leases:
                self._storage.release(leases)
            self._acknowledged.send()
        except StorageError as error:
            logger.warning("the groups could not be released and will expire: %s", error)

    def abandon_all(self, reason: str) -> None:
        """Give up all groups without telling the store."""
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
        offers = self._offers() if due and not self._is_closing else None
        renewal = self._storage.renew(self._owner, leases, lease_s=self._settings.lease_s, offers=offers)
        self._store_clock.observe(renewal.now, sent, self._runtime.clock.monotonic())
        if due:
            self._renew_at = sent + self._settings.renewal_s
            self._renewed(leases, renewal, sent)
        for group_id in renewal.messages | renewal.pending:
            owned_group = self._groups.get(group_id)
            if owned_group is not None and owned_group.is_serving:
                self._look_at(owned_group)
        others = [node for node in renewal.nodes if node.owner_id != self._owner.id]
        self._release_drained()
        if not self._is_closing:
            share = fair_share(self._storage.group_count, [node.groups for node in others])
            self._claim(renewal.claimable, share)
            self._rebalance(others)
        self.has_scanned = True
        self._acknowledged.send()

    def _renewed(self, leases: list[Lease], renewal: Renewal, sent: float) -> None:
        for lease in leases:
            if lease.group_id not in renewal.lost:
                self._groups[lease.group_id].held.deadline = sent + self._settings.lease_s
        self._lose([self._groups[group_id] for group_id in renewal.lost], "claimed by another owner")

    def _claim(self, claimable: int, share: int) -> None:
        """Claim up to our share; after two scans also groups that no node with fewer groups has taken."""
        sent = self._runtime.clock.monotonic()
        limit = share - len(self._groups)
        if not claimable or limit > 0:
            self._patient_until = sent + 2 * self._settings.scan_interval_s
        if not claimable or (limit <= 0 and sent < self._patient_until):
            return
        limit = max(1, limit)
        claimed = self._storage.claim(self._owner, lease_s=self._settings.lease_s, limit=limit)
        again = [self._groups[lease.group_id] for lease in claimed if lease.group_id in self._groups]
        self._lose(again, "expired by the clock of the store, which must have jumped")
        for lease in claimed:
            held = Held(lease, deadline=sent + self._settings.lease_s)
            self._groups[lease.group_id] = self._open_group(held)
        if claimed:
            logger.info("claimed %d groups", len(claimed))

    def _rebalance(self, others: Sequence[NodeEntry]) -> None:
        """Start to give up groups to nodes that have too few, or that have code which steps wait for here."""
        draining = [owned for owned in self._groups.values() if owned.draining is not None]
        free = _DRAINED_MAX - len(draining)
        serving = [owned for owned in self._groups.values() if owned.is_serving and owned.draining is None]
        self._drain([(owned, to) for owned in serving if (to := self._moves_to(owned, others))][:free])
        held = len(self._groups) - len(draining)
        count = surplus(self._storage.group_count, held, [node.groups for node in others]) - len(draining)
        offered = frozenset.intersection(*(node.offers for node in others)) if others else frozenset()
        movable = [owned for owned in serving if owned.draining is None and owned.held.needs <= offered]
        self._drain([(owned, "") for owned in movable[: max(0, min(count, free))]])

    def _moves_to(self, owned: OwnedGroup, others: Sequence[NodeEntry]) -> str:
        """A node with the code that steps of the group wait for (PROTOCOL 22); "" if there is none, or it is too early.

        If two programs each have part of the code that a group needs, it alternates between them and stays a while.
        """
        unsupported = owned.held.unsupported - self._offers() if owned.held.unsupported else frozenset()
        has_stayed = self._runtime.clock.monotonic() >= owned.claimed_at + self._settings.move_s
        if not unsupported or not has_stayed:
            return ""
        return better_node(unsupported, {node.owner_id: node.offers for node in others})

    def _drain(self, chosen: Sequence[tuple[OwnedGroup, str]]) -> None:
        """Drain these groups, each for the node that it is meant for (PROTOCOL 14)."""
        told = []
        for owned, to in chosen:
            owned.is_serving, owned.draining = False, Drained(self._wake, to)
            told.append((owned.ref, Drain(self._settings.drain_s, owned.draining.set)))
        self._post(told)
        if chosen:
            logger.info("giving up %d of %d groups", len(chosen), len(self._groups))

    def _release_drained(self) -> None:
        for owned in self.groups.values():
            if owned.draining is not None and owned.draining.is_set:
                self._disband(owned)
                to = owned.draining.to
                self._storage.release([owned.held.lease], to=to, keep_s=self._settings.lease_s if to else 0.0)

    def _lose(self, lost: list[OwnedGroup], reason: str) -> None:
        if lost:
            logger.warning("%d groups are lost (%s): their runs continue on their new owners", len(lost), reason)
        for owned in lost:
            self._disband(owned)

    def _disband(self, owned: OwnedGroup) -> None:
        # The flag first: from now on every actor of the group ignores its mailbox.
        owned.held.lost = True
        self._groups.pop(owned.held.lease.group_id, None)
        self._post([(owned.ref, Disband())])

    def _post(self, messages: Sequence[tuple[ActorRef[GroupActor], Any]]) -> None:
        """Tell groups, possibly from a user's thread that is closing the node."""

        def call() -> None:
            for ref, message in messages:
                post(ref, message)

        self._runtime.call_soon(call)
