"""A minimal owner for the tests: it holds groups and numbers its commits as a journal does, and nothing else."""

from __future__ import annotations

from attrs import Factory, define

from maestro_flow.model.commit import Commit, FlowWrite, Outcome, Settlement
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner, Renewal
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.protocol import Storage

__all__ = ["LEASE_S", "Node", "entry_of", "message_to"]

LEASE_S = 10.0
"""How long the leases of these tests last, in seconds."""

T0 = 1_600_000_000.0


@define
class Node:
    """An owner on a store with the leases it has claimed; it writes under the first."""

    store: Storage
    name: str = "anna"
    leases: list[Lease] = Factory(list)
    last: dict[int, int] = Factory(dict)
    """The last position used, by group."""
    commits: int = 0

    @property
    def owner(self) -> Owner:
        return Owner(f"owner-{self.name}")

    @property
    def lease(self) -> Lease:
        return self.leases[0]

    @property
    def group_id(self) -> int:
        return self.lease.group_id

    def claim(self, limit: int = 1) -> list[Lease]:
        """Claim, and only then read the last position (PROTOCOL 10)."""
        claimed = self.store.claim(self.owner, lease_s=LEASE_S, limit=limit)
        self.last |= {lease.group_id: self.store.last_position(lease.group_id) for lease in claimed}
        self.leases += claimed
        return claimed

    def renew(self) -> Renewal:
        return self.store.renew(self.owner, self.leases, lease_s=LEASE_S)

    def write(
        self,
        flow_id: str,
        revision: int,
        *,
        status: RunStatus | None = None,
        blocking: bool = False,
        lease: Lease | None = None,
        position: int | None = None,
        settles: tuple[Settlement, ...] = (),
        sends: tuple[Message, ...] = (),
        parent: str | None = None,
    ) -> Commit:
        """A commit of a flow with the next position; the first has an entry, later ones if ``status`` is set."""
        lease = lease or self.lease
        self.commits += 1
        self.last[lease.group_id] = self.last.get(lease.group_id, 0) + 1 if position is None else position
        if revision == 1 and status is None:
            status = RunStatus.IN_PROGRESS
        flow = FlowWrite(
            flow_id=flow_id,
            revision=revision,
            commit_id=f"{self.name}-{self.commits}",
            position=self.last[lease.group_id],
            at=T0 + self.commits,
            events=b'[{"kind":"step_starting","step":"s%d"}]' % revision,
            entry=None
            if status is None
            else entry_of(flow_id, lease.group_id, status, blocking=blocking, parent=parent),
        )
        return Commit(lease, flow, settles, sends)

    def settle(self, message_id: str, outcome: str = "applied", *, dead: bool = False) -> Commit:
        """A commit that only settles a message."""
        return Commit(self.lease, settles=(Settlement(message_id, outcome, dead),))

    def commit(self, *batch: Commit) -> list[Outcome]:
        return self.store.commit(batch)


def entry_of(
    flow_id: str,
    group_id: int,
    status: RunStatus = RunStatus.IN_PROGRESS,
    *,
    blocking: bool = False,
    parent: str | None = None,
) -> RunEntry:
    """The entry of a run; a flow id that has a step in it says whose child it is, unless ``parent`` does."""
    which = FlowId.parse(flow_id)
    if parent is None:
        parent = str(which.parent or "")
    return RunEntry(
        flow_id=flow_id,
        workflow_id=which.workflow_id,
        version=1,
        instance_id=which.instance_id,
        run_id=which.run_id,
        group_id=group_id,
        status=status,
        created_at=T0 + which.instance_id,
        started_at=T0 + which.instance_id + 1,
        ended_at=T0 + which.instance_id + 2 if status.is_terminal else None,
        blocking=blocking,
        parent=parent,
    )


def message_to(
    group_id: int,
    message_id: str = "m1",
    *,
    flow_id: str = "w/1/1",
    body: bytes = b'{"a":1}',
    destination: int | None = None,
) -> Message:
    """A message as a sender creates it; in transit if its destination is another group."""
    return Message(group_id, message_id, flow_id, "stop", body, group_id if destination is None else destination)
