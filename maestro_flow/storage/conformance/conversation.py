"""A random conversation with two handles of a store, compared verb by verb with the model: its state and its end.

The verbs themselves are the rules in ``conversation_verbs``.
"""

from __future__ import annotations

from itertools import product
from operator import methodcaller
from typing import Any

from attrs import evolve
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.strategies import integers, sampled_from

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Commit, FlowWrite
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Opener
from maestro_flow.storage.conformance.node import LEASE_S, T0, entry_of
from maestro_flow.storage.conformance.pair import Model, Pair
from maestro_flow.storage.conformance.plans import (
    ACTIVE,
    BODIES,
    MESSAGES,
    NOWHERE,
    OWNERS,
    STEPS,
    WORKFLOWS,
    CommitPlan,
    SendPlan,
)
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["HANDLES", "ConversationState", "Setting"]

HANDLES = 2

FOREVER_S = 1e9


class Setting:
    """Where conversations take place: each in its own, empty namespace."""

    def __init__(self, opener: Opener, clock: ManualClock, *, shared: bool, durable: bool) -> None:
        self.clock, self.shared, self.durable = clock, shared, durable
        self._opener = opener
        self._count = 0

    def begin(self) -> None:
        self._count += 1

    def open(self) -> list[Storage]:
        """Two handles; for a store that cannot be shared, the same one twice."""
        handles = [self._opener(f"talk{self._count}") for _ in range(HANDLES if self.shared else 1)]
        return handles if self.shared else handles * HANDLES


class ConversationState(RuleBasedStateMachine):
    """The state of a conversation. ``groups`` are those it involves, ``leases`` all that were ever issued.

    A flow belongs to one group, which is decided once (PROTOCOL 19), and a store that separates groups could not detect
    a violation. So each flow is written only under leases of its own group. The entry of a run that a start has created
    repeats what the start said about it, so that a store may keep both in one row.
    """

    def __init__(self, setting: Setting) -> None:
        super().__init__()
        self.setting, self.clock = setting, setting.clock
        setting.begin()
        handles = setting.open()
        self.pair = Pair(Model(self.clock, handles[0].group_count), handles)
        self.groups: list[int] = []
        self.leases: list[Lease] = []
        self.flows: dict[int, list[str]] = {}
        self.started: dict[str, PendingRun] = {}
        self.batches: list[list[Commit]] = []
        self.cursors: list[Cursor] = []
        self.commits = 0
        self.is_reopened = False

    @property
    def model(self) -> Model:
        return self.pair.model

    @initialize(through=integers(0, HANDLES - 1))
    def begin(self, through: int) -> None:
        """A landlord holds all groups but a few, and the first owner the rest."""
        count = self.model.group_count
        held = self.pair.claim(through, Owner("landlord"), lease_s=FOREVER_S, limit=count - ACTIVE)
        self.groups = sorted(set(range(count)) - {lease.group_id for lease in held})
        names = ("x", "y", "x/1/1/call")
        self.flows = {g: [f"{name}/{number}/1" for name in names] for number, g in enumerate(self.groups, 1)}
        self.leases += self.pair.claim(through, OWNERS[0], lease_s=LEASE_S, limit=count)
        for workflow_id in WORKFLOWS:
            self.pair.ask(through, methodcaller("push", workflow_id, BODIES[0]))

    @rule(seconds=sampled_from([1.0, 3.0, LEASE_S]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @precondition(lambda self: self.setting.durable and not self.is_reopened)
    @rule()
    def open_again(self) -> None:
        """What was returned survives the handles. Only once, because it takes most of the time."""
        self.is_reopened = True
        self.close()
        self.pair.handles = self.setting.open()

    def commit_of(self, plan: CommitPlan, before: list[Commit]) -> Commit:
        """The commit that a plan means now, given the commits ``before`` it in its batch."""
        lease = self.lease_of(plan.lease, plan.forged)
        sends = tuple(self.message_of(send, self.neighbour(lease.group_id, send.group)) for send in plan.sends)
        settles = plan.settles
        if lease.group_id not in self.flows:
            return Commit(lease, None, settles, sends)
        if plan.flaw != "blind":
            settles = tuple(s for s in settles if self.model.message(lease.group_id, s.message_id))
        flow = None if plan.flow is None else self._flow_of(plan, lease.group_id, before)
        return Commit(lease, flow, settles, sends)

    def message_of(self, plan: SendPlan, group_id: int) -> Message:
        """The message that a plan means, in the inbox of a group."""
        match plan.destination:
            case "elsewhere":
                return plan.to(group_id, self.neighbour(group_id, 1))
            case "nowhere":
                return plan.to(group_id, self.model.group_count)
        return plan.to(group_id, group_id)

    def _flow_of(self, plan: CommitPlan, group_id: int, before: list[Commit]) -> FlowWrite:
        flows = self.flows[group_id]
        flow_id = flows[(plan.flow or 0) % len(flows)]
        records = self.model.read_flow(flow_id)
        planned = [c.flow for c in before if c.flow is not None and c.lease.group_id == group_id]
        revision = len(records) + sum(flow.flow_id == flow_id for flow in planned) + 1 + plan.step
        is_there = plan.again and 1 <= revision <= len(records)
        self.commits += 1
        last = max([self.model.last_position(group_id), *(flow.position for flow in planned)])
        return FlowWrite(
            flow_id=flow_id,
            revision=revision,
            commit_id=records[revision - 1].commit_id if is_there else f"commit-{self.commits}",
            position=last if plan.flaw == "position" else last + 1,
            at=T0 + self.commits,
            events=b'["%d"]' % self.commits,
            entry=self._entry_of(plan, flow_id, group_id, revision),
        )

    def _entry_of(self, plan: CommitPlan, flow_id: str, group_id: int, revision: int) -> RunEntry | None:
        if plan.status is None and (revision > 1 or plan.flaw == "blind"):
            return None
        entry = entry_of(flow_id, group_id, plan.status or RunStatus.IN_PROGRESS, blocking=plan.blocking)
        if flow_id in self.started:
            run = self.started[flow_id]
            entry = evolve(entry, version=run.version, created_at=run.created_at, parent=run.parent)
        match plan.flaw:
            case "flow":
                return evolve(entry, flow_id="z/1/1")
            case "group":
                return evolve(entry, group_id=self.neighbour(group_id, 1))
        return entry

    def lease_of(self, number: int, forged: str) -> Lease:
        """A lease that was issued (``a_lease``), or one that never was."""
        of_group = [lease for lease in self.leases if lease.group_id == self.groups[number % ACTIVE]]
        lease = of_group[-1 - min(number // ACTIVE, len(of_group) - 1)]
        match forged:
            case "owner":
                return evolve(lease, owner_id="impostor")
            case "generation":
                return evolve(lease, generation=lease.generation + 1)
            case "group":
                return evolve(lease, group_id=self.model.group_count)
        return lease

    def group_of(self, group: int) -> int:
        """The active group with a number, or one that does not exist."""
        return self.model.group_count if group == NOWHERE else self.groups[group]

    def neighbour(self, group_id: int, distance: int) -> int:
        """An active group; a group that does not exist is its own neighbour."""
        if distance == 0 or group_id not in self.flows:
            return group_id
        return self.groups[(self.groups.index(group_id) + distance) % ACTIVE]

    def everything(self, storage: Storage) -> dict[str, Any]:
        """Everything that can be read."""
        flows = [flow_id for group_id in self.groups for flow_id in self.flows[group_id]]
        found: dict[str, Any] = {
            "definitions": [storage.definition(name, n) for name, n in product(WORKFLOWS, range(1, 4))],
            "runs": storage.list_runs(RunQuery(limit=1000)),
            "children": [storage.list_runs(RunQuery(parent=step)) for step in STEPS],
            "cursors": storage.cursors(),
            "blocking": storage.list_runs(RunQuery(limit=1000, blocking=True)),
            "flows": {flow_id: (storage.run(flow_id), storage.read_flow(flow_id)) for flow_id in flows},
            "renewals": [storage.renew(owner, [], lease_s=LEASE_S) for owner in OWNERS],
        }
        for group_id in self.groups:
            found[f"group {group_id}"] = (
                storage.last_position(group_id),
                storage.read_log(group_id, accept_gaps=True),
                storage.pruned_through(group_id),
                storage.load_flows(group_id),
                storage.pending_starts(group_id),
                storage.holder(group_id),
            )
        return found

    def teardown(self) -> None:
        """At the end everything is equal through each handle."""
        try:
            if self.pair.agree:
                for through in range(HANDLES):
                    self.pair.ask(through, self.everything)
                    for group_id, message_id in product(self.groups, MESSAGES):
                        self.look_at(through, group_id, message_id)
        finally:
            self.close()

    def look_at(self, through: int, group_id: int, message_id: str) -> None:
        """Check a message that may just have been sent, settled or purged."""
        self.pair.ask(through, lambda store: store.message(group_id, message_id))
        if group_id in self.flows:
            self.pair.check_sequence(through, group_id, message_id)

    def close(self) -> None:
        for handle in {id(handle): handle for handle in self.pair.handles}.values():
            handle.close()
