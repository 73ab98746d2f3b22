"""The verbs of a conversation: each is a rule with arguments that mostly make sense."""

from __future__ import annotations

from operator import methodcaller

from attrs import evolve
from hypothesis import note
from hypothesis.stateful import rule
from hypothesis.strategies import integers, lists, none, one_of, sampled_from, tuples

from maestro_flow.model.commit import Commit
from maestro_flow.model.cursors import Cursor
from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.conformance.conversation import HANDLES, ConversationState
from maestro_flow.storage.conformance.node import LEASE_S
from maestro_flow.storage.conformance.plans import (
    ACTIVE,
    BODIES,
    LEASES_S,
    MESSAGES,
    WORKFLOWS,
    CommitPlan,
    SendPlan,
    a_lease,
    appends,
    batches,
    forgeries,
    groups,
    groups_or_nowhere,
    limits,
    owners,
    positions,
    queries,
    sends,
    sinks,
    starts,
    versions,
)
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Conversation"]

handles = integers(0, HANDLES - 1)


class Ownership(ConversationState):
    """claim, renew, release, holder."""

    @rule(through=handles, owner=owners, lease_s=sampled_from(LEASES_S), limit=integers(0, ACTIVE))
    def claim(self, through: int, owner: Owner, lease_s: float, limit: int) -> None:
        self.leases += self.pair.claim(through, owner, lease_s=lease_s, limit=limit)

    @rule(through=handles, owner=owners, lease_s=sampled_from(LEASES_S), given=lists(a_lease, max_size=3))
    def renew(self, through: int, owner: Owner, lease_s: float, given: list[int]) -> None:
        leases = [self.lease_of(number, "") for number in given]
        self.pair.ask(through, lambda store: store.renew(owner, leases, lease_s=lease_s))

    @rule(through=handles, given=lists(a_lease, max_size=2), forged=forgeries, successor=owners)
    def release(self, through: int, given: list[int], forged: str, successor: Owner) -> None:
        """Release, after which another owner takes over."""
        leases = [self.lease_of(number, forged) for number in given]
        self.pair.ask(through, lambda store: store.release(leases))
        self.claim(through, successor, LEASE_S, limit=1)

    @rule(through=handles, group=groups_or_nowhere)
    def holder(self, through: int, group: int) -> None:
        group_id = self.group_of(group)
        self.pair.ask(through, lambda store: store.holder(group_id))


class Writing(ConversationState):
    """commit, the log, and the entries of runs."""

    @rule(through=handles, batches=lists(batches, min_size=1, max_size=2))
    def commit(self, through: int, batches: list[list[CommitPlan]]) -> None:
        for plans in batches:
            batch: list[Commit] = []
            for plan in plans:
                batch.append(self.commit_of(plan, batch))
            self.send_batch(through, batch)

    @rule(through=handles, plans=lists(appends, min_size=1, max_size=3))
    def append(self, through: int, plans: list[CommitPlan]) -> None:
        for plan in plans:
            self.send_batch(through, [self.commit_of(plan, [])])

    @rule(through=handles, which=integers(0, 3))
    def commit_again(self, through: int, which: int) -> None:
        """Send the identical batch, as a writer does whose answer was lost (PROTOCOL 6)."""
        if self.batches:
            self.send_batch(through, self.batches[-1 - which % len(self.batches)])

    def send_batch(self, through: int, batch: list[Commit]) -> None:
        """Send it whole, or commit by commit if one may raise: then nothing is promised about the others."""
        for part in [[one] for one in batch] if any(map(self.may_raise, batch)) else [batch]:
            self.send_part(through, part)

    def send_part(self, through: int, part: list[Commit]) -> None:
        self.batches.append(part)
        note(f"    {part}")
        self.pair.ask(through, lambda store: store.commit(part))
        sent = {(message.group_id, message.message_id) for commit in part for message in commit.sends}
        for group_id, message_id in sorted(sent, key=self.age):
            self.look_at(through, group_id, message_id)

    def age(self, place: tuple[int, str]) -> int:
        """Orders messages as they were put into the inbox; a message that is not there comes first."""
        there = self.model.message(*place) if place[0] in self.flows else None
        return 0 if there is None else there.sequence

    def may_raise(self, commit: Commit) -> bool:
        """Whether its position was used before, for something else."""
        flow, group_id = commit.flow, commit.lease.group_id
        if flow is None or flow.position > self.model.last_position(group_id):
            return False
        written = {record.revision: record.commit_id for record in self.model.read_flow(flow.flow_id)}
        return written.get(flow.revision) != flow.commit_id

    @rule(through=handles, group=groups_or_nowhere, after=integers(-1, 4), limit=limits)
    def read_log(self, through: int, group: int, after: int, limit: int) -> None:
        group_id = self.group_of(group)
        for gaps in (False, True):
            self.pair.ask(through, methodcaller("read_log", group_id, after=after, limit=limit, accept_gaps=gaps))
        self.pair.ask(through, lambda store: store.pruned_through(group_id))
        self.pair.ask(through, lambda store: store.last_position(group_id))

    @rule(through=handles, group=groups, flow=integers(0, 5), after=integers(-1, 3), limit=limits)
    def read_flows(self, through: int, group: int, flow: int, after: int, limit: int) -> None:
        group_id, flow_id = self.groups[group], self.flow_of(group, flow)
        self.pair.ask(through, lambda store: store.read_flow(flow_id, after_revision=after))
        self.pair.ask(through, lambda store: store.run(flow_id))
        for beyond in ("", flow_id):
            self.pair.ask(through, methodcaller("load_flows", group_id, after=beyond, limit=limit))

    def flow_of(self, group: int, flow: int) -> str:
        flows = self.flows[self.groups[group]]
        return flows[flow % len(flows)]


class Inboxes(Writing):
    """send, receive, message, purge_messages."""

    @rule(through=handles, plan=sends)
    def send(self, through: int, plan: SendPlan) -> None:
        group_id = self.group_of(plan.group)
        message = self.message_of(plan, group_id)
        self.pair.ask(through, lambda store: store.send(message))
        self.look_at(through, group_id, plan.message_id)

    @rule(through=handles, lease=a_lease, forged=forgeries, after=one_of(none(), sampled_from(MESSAGES)), limit=limits)
    def receive(self, through: int, lease: int, forged: str, after: str | None, limit: int) -> None:
        """After a message that is or was in the inbox, by its sequence in each of the two stores."""
        held = self.lease_of(lease, forged)

        def place(store: Storage) -> int:
            there = None if after is None or forged else store.message(held.group_id, after)
            return 0 if there is None else there.sequence

        self.pair.ask(through, lambda store: store.receive(held, after=place(store), limit=limit))

    @rule(through=handles, age_s=sampled_from([-1.0, 0.0, 4.0]))
    def purge_messages(self, through: int, age_s: float) -> None:
        settled_before = self.clock.time() - age_s
        self.pair.ask(through, lambda store: store.purge_messages(settled_before=settled_before))
        for group_id in self.groups:
            for message_id in MESSAGES:
                self.look_at(through, group_id, message_id)


class Catalog(Writing):
    """push, definition, start, given, taken."""

    @rule(through=handles, workflow_id=sampled_from(WORKFLOWS), body=sampled_from(BODIES))
    def push(self, through: int, workflow_id: str, body: bytes) -> None:
        self.pair.ask(through, lambda store: store.push(workflow_id, body))

    @rule(through=handles, workflow_id=sampled_from([*WORKFLOWS, "nowhere"]), version=versions)
    def definition(self, through: int, workflow_id: str, version: int | None) -> None:
        self.pair.ask(through, lambda store: store.definition(workflow_id, version))

    @rule(through=handles, asked=lists(starts, max_size=3))
    def start(self, through: int, asked: list[StartRequest]) -> None:
        requests = [evolve(request, group_id=self.group_of(request.group_id)) for request in asked]
        runs: list[PendingRun] | type[Exception] = self.pair.ask(through, lambda store: store.start(requests))
        for run in runs if isinstance(runs, list) else []:
            if run.fresh:
                self.flows[run.group_id].append(run.flow_id)
                self.started[run.flow_id] = run

    @rule(through=handles, group=groups_or_nowhere, after=integers(0, 2), limit=limits)
    def pending_starts(self, through: int, group: int, after: int, limit: int) -> None:
        """After the first ones, by their sequence in each of the two stores."""
        group_id = self.group_of(group)

        def place(store: Storage) -> int:
            return max([run.sequence for run in store.pending_starts(group_id, limit=after)], default=0)

        self.pair.ask(through, lambda store: store.pending_starts(group_id, after=place(store), limit=limit))

    @rule(through=handles, flows=lists(tuples(groups, integers(0, 5)), max_size=3))
    def acknowledge_starts(self, through: int, flows: list[tuple[int, int]]) -> None:
        flow_ids = [self.flow_of(group, flow) for group, flow in flows]
        self.pair.ask(through, lambda store: store.acknowledge_starts([*flow_ids, "nowhere/1/1"]))


class Sinks(Writing):
    """open_cursor, move_cursor, cursors, drop_cursor, prune."""

    @rule(through=handles, group=groups_or_nowhere, sink=sinks, owner=owners, position=positions)
    def open_cursor(self, through: int, group: int, sink: str, owner: Owner, position: int | None) -> None:
        group_id = self.group_of(group)
        cursor = self.pair.ask(through, lambda store: store.open_cursor(group_id, sink, owner, position=position))
        if isinstance(cursor, Cursor):
            self.cursors.append(cursor)

    @rule(through=handles, which=integers(0, 5), forged=forgeries, position=integers(-1, 6))
    def move_cursor(self, through: int, which: int, forged: str, position: int) -> None:
        """One that was given out, mostly the last one."""
        if not self.cursors:
            return
        cursor = self.cursors[-1 - which % len(self.cursors)]
        match forged:
            case "owner":
                cursor = evolve(cursor, owner_id="impostor")
            case "generation":
                cursor = evolve(cursor, generation=cursor.generation + 1)
        moved = self.pair.ask(through, lambda store: store.move_cursor(cursor, position))
        if isinstance(moved, Cursor):
            self.cursors.append(moved)

    @rule(through=handles, group=groups, sink=sinks, limit=limits)
    def list_cursors(self, through: int, group: int, sink: str, limit: int) -> None:
        after = (self.groups[group], sink)
        self.pair.ask(through, lambda store: store.cursors(after=after, limit=limit))

    @rule(through=handles, group=groups_or_nowhere, sink=sinks)
    def drop_cursor(self, through: int, group: int, sink: str) -> None:
        group_id = self.group_of(group)
        self.pair.ask(through, lambda store: store.drop_cursor(group_id, sink))

    @rule(through=handles, lease=a_lease, forged=forgeries, flows=lists(tuples(groups, integers(0, 5)), max_size=4))
    def prune(self, through: int, lease: int, forged: str, flows: list[tuple[int, int]]) -> None:
        held = self.lease_of(lease, forged)
        flow_ids = [*(self.flow_of(group, flow) for group, flow in flows), "nowhere/1/1"]
        gone = self.pair.ask(through, lambda store: store.prune(held, flow_ids))
        for flow_id in gone if isinstance(gone, frozenset) else ():
            self.started.pop(flow_id, None)


class Index(Writing):
    """list_runs."""

    @rule(through=handles, query=queries, before=one_of(none(), integers(0, 5)))
    def list_runs(self, through: int, query: RunQuery, before: int | None) -> None:
        """A page, from the top or after one of the first runs."""
        runs = self.model.list_runs(RunQuery())
        if before is not None and runs:
            last = runs[before % len(runs)]
            query = evolve(query, before=(last.created_at, last.flow_id))
        self.pair.ask(through, lambda store: store.list_runs(query))


class Conversation(Ownership, Inboxes, Catalog, Sinks, Index):
    """All verbs."""
