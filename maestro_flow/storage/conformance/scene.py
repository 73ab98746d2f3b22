"""A scene for a race of two verbs: a group whose owner's lease has just expired, and what may happen to it next."""

from __future__ import annotations

from collections.abc import Mapping
from operator import methodcaller
from typing import Any

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Commit, FlowWrite, Settlement
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.node import LEASE_S, T0, Node, message_to
from maestro_flow.storage.conformance.pair import Verb, answer_of
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Scene"]

_FOREVER_S = 1e9
_LANDLORD = Owner("landlord")


class Scene:
    """Group ``group_id`` of a store, and names with its number; a store has one scene for each of its groups.

    A landlord holds all other groups. This one has a flow at revision 1, one that has ended, the waiting message m1,
    the tombstone m2, a pending start, and the cursor of a sink, at the beginning. The lease of anna has expired, and
    the group has not been claimed yet.
    """

    def __init__(self, group_id: int) -> None:
        self.group_id, self.workflow_id = group_id, f"w{group_id}"
        self.flow_id, self.ended_id = f"x{group_id}/1/1", f"x{group_id}/2/1"
        self.old = Lease(group_id, 2, "owner-anna")
        self.next = [Lease(group_id, 3, f"owner-{name}") for name in ("boris", "clara")]

    def prepare(self, store: Storage, clock: ManualClock) -> None:
        clock.advance(LEASE_S)  # the last holder of the previous scene's group loses it to the landlord
        store.claim(_LANDLORD, lease_s=_FOREVER_S, limit=store.group_count)
        store.purge_messages(settled_before=float("inf"))
        store.release([Lease(self.group_id, 1, _LANDLORD.id)])
        node = Node(store)
        assert node.claim() == [self.old]
        store.push(self.workflow_id, b"{}")
        store.start([StartRequest(self.workflow_id, "r1", self.group_id)])
        for message_id in ("m1", "m2"):
            store.send(message_to(self.group_id, message_id))
        node.commit(node.write(self.flow_id, 1), node.settle("m2"))
        node.commit(node.write(self.ended_id, 1, status=RunStatus.SUCCEEDED))
        store.open_cursor(self.group_id, "sink", Owner("owner-anna"), position=0)
        clock.advance(LEASE_S)

    def verbs(self) -> Mapping[str, Verb]:
        """What may happen; most exclude another verb, or change its answer."""
        one, other = self._commit("applied"), self._commit("refused")
        boris, clara = (Owner(lease.owner_id) for lease in self.next)
        cursor = Cursor(self.group_id, "sink", 0, 1, "owner-anna", 0.0)
        m1, m2, m3 = (message_to(self.group_id, message_id) for message_id in ("m1", "m2", "m3"))
        return {
            "claim": lambda store: store.claim(boris, lease_s=LEASE_S, limit=1),
            "claim by another": lambda store: store.claim(clara, lease_s=LEASE_S, limit=1),
            "renew": self._renew,
            "release": lambda store: store.release([self.old]),
            "commit": lambda store: store.commit([one]),
            "commit of another": lambda store: store.commit([other]),
            "settle": lambda store: store.commit([Commit(self.old, settles=(Settlement("m1", "applied"),))]),
            "send what waits": lambda store: store.send(m1),
            "send what is settled": lambda store: store.send(m2),
            "send what a commit sends": lambda store: store.send(m3),
            "receive": lambda store: store.receive(self.old),
            "purge": lambda store: store.purge_messages(settled_before=float("inf")),
            "prune": lambda store: store.prune(self.old, [self.ended_id]),
            "open the cursor": lambda store: store.open_cursor(self.group_id, "sink", boris),
            "move the cursor": lambda store: store.move_cursor(cursor, 1),
            "move the cursor further": lambda store: store.move_cursor(cursor, 2),
            "drop the cursor": lambda store: store.drop_cursor(self.group_id, "sink"),
            "push": lambda store: store.push(self.workflow_id, b"[]"),
            "start": lambda store: store.start([StartRequest(self.workflow_id, "r2", self.group_id)]),
            "start of another": lambda store: store.start([StartRequest(self.workflow_id, "r3", self.group_id)]),
            "restart": lambda store: store.start([self._restart("r4")]),
            "restart by another": lambda store: store.start([self._restart("r5")]),
            "acknowledge_starts": lambda store: store.acknowledge_starts([f"{self.workflow_id}/1/1"]),
        }

    def _restart(self, request_id: str) -> StartRequest:
        return StartRequest(self.workflow_id, request_id, self.group_id, after=(1, 1))

    def _renew(self, store: Storage) -> tuple[float, frozenset[int]]:
        """A renewal without its scan, which may or may not see what changes at that moment."""
        renewal = store.renew(Owner(self.old.owner_id), [self.old], lease_s=LEASE_S)
        return renewal.now, renewal.lost

    def _commit(self, outcome: str) -> Commit:
        """Revision 2 of the flow, which settles m1 and sends m3."""
        flow = FlowWrite(self.flow_id, 2, commit_id=outcome, position=3, at=T0, events=b"[]")
        return Commit(self.old, flow, (Settlement("m1", outcome),), (message_to(self.group_id, "m3"),))

    def end(self, store: Storage) -> list[Any]:
        """Everything that is visible afterwards."""
        return [
            store.renew(_LANDLORD, [], lease_s=LEASE_S).claimable,
            *(answer_of(store, methodcaller("receive", lease)) for lease in (self.old, *self.next)),
            *(store.message(self.group_id, message_id) for message_id in ("m1", "m2", "m3")),
            store.read_log(self.group_id, accept_gaps=True),
            store.pruned_through(self.group_id),
            [cursor for cursor in store.cursors(after=(self.group_id - 1, "sink")) if cursor.group_id == self.group_id],
            store.run(self.ended_id),
            store.load_flows(self.group_id),
            store.pending_starts(self.group_id),
            store.definition(self.workflow_id),
            store.list_runs(RunQuery(workflow_id=self.workflow_id)),
            store.run(self.flow_id),
            store.holder(self.group_id),
        ]
