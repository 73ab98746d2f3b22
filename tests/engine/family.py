"""A run whose loop has live children, written into a store commit by commit, as an owner that is gone has left it."""

from __future__ import annotations

from typing import Any

from attrs import Factory, define, evolve

from maestro_flow.core.decide import decide
from maestro_flow.core.inputs import Input, Report
from maestro_flow.core.state import FlowState
from maestro_flow.model.commit import Commit, FlowWrite
from maestro_flow.model.definition import ForeachStep, TypedStep, WorkflowDefinition
from maestro_flow.model.definition_codec import encode_definition
from maestro_flow.model.events import encode_events
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.params import Param, ParamType, infer_param
from maestro_flow.model.requests import RunPolicy, RunRequest, encode_request
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.model.status import Verdict
from maestro_flow.reading.flows import FlowReader
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.storage.protocol import Storage
from maestro_flow.testing import ManualClock
from tests.core.capacities import capacity

GROUP = 3
LEASE_S = 5.0
ROOT = "etl/1/1"
LOOP = f"{ROOT}/each"
CHILD = f"{LOOP}/3/1"
INNER = f"{CHILD}/inner"
OTHER = f"{LOOP}/2/1"
GRANDCHILD = f"{INNER}/1/1"


def definition() -> WorkflowDefinition:
    """A loop of ``fetch``, the function ``transform`` and, where ``x`` is large, a loop over ``deep``."""
    doubled = {"twice": Param(ParamType.LONG, expression="x * 2")}
    body = (
        TypedStep("fetch", "NoOp", params=doubled, successors={"transform": "fetch__twice > 0"}),
        TypedStep("transform", "Python", successors={"inner": "x > 2"}),
        ForeachStep("inner", (TypedStep("deep", "NoOp"),)),
    )
    each = ForeachStep("each", body, params={"loop_params": infer_param("loop_params", {"x": [1, 2, 3]})})
    return WorkflowDefinition("etl", (TypedStep("first", "NoOp", successors={"each": True}), each), timeout_s=3600.0)


@define
class Family:
    """The store, and the lease of one group of it, under which it is written."""

    storage: Storage
    clock: ManualClock
    lease: Lease = Factory(lambda self: self._claim(), takes_self=True)
    positions: int = 0

    def _claim(self) -> Lease:
        leases = self.storage.claim(Owner("gone"), lease_s=LEASE_S, limit=self.storage.group_count)
        return next(lease for lease in leases if lease.group_id == GROUP)

    @property
    def reader(self) -> FlowReader:
        return FlowReader(self.storage, GraphCache(self.storage))

    def found(self) -> FlowState:
        """Push the definition, start the root, and take it as far as its loop, which nobody here can run."""
        self.storage.push("etl", encode_definition(definition()))
        (pending,) = self.storage.start([StartRequest("etl", "r1", GROUP)])
        state, start = self.reader.take_up(pending)
        state = self.write(state, start)
        return self.write(state, Report("first", 1, 1, Verdict.DONE))

    def child(
        self, flow_id: str, *, parent: str = "", previous: str = "", filed_as: str = "", **params: int
    ) -> FlowState:
        """Start a child, and write its first commit, under another flow's id if it is to be wrong."""
        which = FlowId.parse(flow_id)
        given = {name: infer_param(name, value) for name, value in params.items()}
        policy = RunPolicy.RESTART_FROM_INCOMPLETE if previous else RunPolicy.START_FRESH_NEW_RUN
        request = RunRequest(given, policy=policy, previous=previous, parent=parent or str(which.parent))
        numbers, body = (which.instance_id, which.run_id), encode_request(request)
        pending = PendingRun(flow_id, which.workflow_id, 1, *numbers, GROUP, flow_id, body, self.clock.time())
        state, start = self.reader.take_up(pending)
        return self.write(state, start, filed_as=filed_as)

    def write(self, state: FlowState, *inputs: Input, filed_as: str = "", **entry: Any) -> FlowState:
        """Commit what follows from the inputs; ``entry`` has fields of the index that are to be wrong."""
        decision = decide(state, inputs, self.clock.time(), capacity(unsupported=frozenset({"each", "inner"})))
        after = decision.state
        self.positions += 1
        write = FlowWrite(
            filed_as or after.flow_id,
            after.revision,
            f"commit {self.positions}",
            self.positions,
            decision.at,
            encode_events(decision.events),
            entry=evolve(self._entry(after), flow_id=filed_as or after.flow_id, **entry),
        )
        (outcome,) = self.storage.commit([Commit(self.lease, write)])
        assert outcome.is_durable
        return after

    def _entry(self, state: FlowState) -> RunEntry:
        return RunEntry(
            state.flow_id,
            state.workflow_id,
            state.graph.version,
            state.instance_id,
            state.run_id,
            GROUP,
            state.status,
            state.created_at,
            state.started_at,
            state.ended_at,
            parent=state.request.parent,
        )
