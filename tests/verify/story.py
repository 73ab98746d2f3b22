"""Histories written by hand: each line is a record, and everything that is not said is as it should be."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from maestro_flow.core.graph import Graph
from maestro_flow.model.events import (
    Event,
    RunEnded,
    RunQueued,
    RunStarted,
    StepEnded,
    StepInterrupted,
    StepRunning,
    StepStarting,
    encode_events,
)
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.log import LogRecord
from maestro_flow.model.permit_events import PERMIT_EVENTS, PermitEvent
from maestro_flow.model.permits import PERMITS
from maestro_flow.model.requests import RunRequest
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.history import Answer, Claimed, Execution, History, Operation
from tests.core.transcript import parse_workflow


class Story:
    """The workflow ``wf`` of these lines, in version 1, and all that is written about its runs."""

    def __init__(self, *lines: str, **fields: Any) -> None:
        definition = evolve(parse_workflow(list(lines or ("a -> b", "b"))), **fields)
        self.graphs = {("wf", 1): Graph.of(definition, 1)}
        self.records: list[LogRecord] = []
        self.seen: dict[str, Any] = {"operations": [], "executions": [], "messages": [], "entries": [], "claims": []}

    def write(self, flow: str, *events: Event, **other: Any) -> Story:
        """The next record of a flow (``1`` is wf/1/1, ``2/3`` is run 3 of instance 2), apart from ``other``."""
        return self._write(flow_of(flow), encode_events(events), other)

    def permits(self, *events: PermitEvent, run: int = 1, **other: Any) -> Story:
        """The next record of the permit flow."""
        return self._write(str(FlowId(PERMITS, 1, run)), PERMIT_EVENTS.encode(events), other)

    def _write(self, flow_id: str, events: bytes, other: dict[str, Any]) -> Story:
        before = [record for record in self.records if record.flow_id == flow_id]
        number = len(self.records) + 1
        record = LogRecord(
            flow_id=flow_id,
            revision=before[-1].revision + 1 if before else 1,
            group_id=0,
            generation=max((each.generation for each in self.records), default=1),
            owner_id=self.records[-1].owner_id if self.records else "one",
            position=number,
            commit_id=f"commit {number}",
            at=float(number),
            schema_version=2,
            events=events,
        )
        self.records.append(evolve(record, **other))
        return self

    def told(self, kind: str, key: str, answer: str = "accepted", flow: str = "1", step: str = "") -> Story:
        """A client asked, and was answered."""
        flow_id = flow_of(flow) if flow else ""
        self.seen["operations"].append(Operation(kind, Answer(answer), key, flow_id, step, "wf"))
        return self

    def called(self, step: str, attempt: int = 1, execution: int = 1, generation: int = 1) -> Story:
        """A step's code has seen itself called, in run 1."""
        self.seen["executions"].append(Execution("wf/1/1", step, attempt, execution, generation))
        return self

    def claimed(self, generation: int, position: int) -> Story:
        """The group was handed out when it had so many records."""
        self.seen["claims"].append(Claimed(0, generation, position))
        return self

    def letter(self, message_id: str, state: str = "settled", outcome: str = "accepted", **other: Any) -> Story:
        """A message in an inbox, to run 1."""
        letter = Message(0, message_id, "wf/1/1", "stop", state=MessageState(state), outcome=outcome)
        self.seen["messages"].append(evolve(letter, **other))
        return self

    def entry(self, flow: str = "1", status: RunStatus = RunStatus.SUCCEEDED, **other: Any) -> Story:
        """What the index says, by default of a run that was started by the first record and ended by the last."""
        which = FlowId.parse(flow_of(flow))
        entry = RunEntry(
            flow_of(flow),
            which.workflow_id,
            1,
            which.instance_id,
            which.run_id,
            0,
            status,
            created_at=0.0,
            started_at=1.0,
            ended_at=float(len(self.records)) if status.is_terminal else None,
        )
        self.seen["entries"].append(evolve(entry, **other))
        return self

    def history(self, **other: Any) -> History:
        return History(self.records, self.graphs, system_flows=SYSTEM_FLOWS, **self.seen, **other)


def flow_of(flow: str) -> str:
    instance, _, run = flow.partition("/")
    return str(FlowId("wf", int(instance), int(run or 1)))


# -- events, as short as they are often -------------------------------------------------------------------------


def begun(flow: str = "1", *, previous: str = "", **other: Any) -> RunStarted:
    instance, _, run = flow.partition("/")
    request = other.pop("request", None) or (RunRequest(previous=flow_of(previous)) if previous else None)
    return RunStarted("wf", other.pop("version", 1), int(instance), int(run or 1), 0.0, {}, request, **other)


def queued(flow: str = "1", created_at: float = 0.0) -> RunQueued:
    return RunQueued("wf", 1, int(flow), 1, created_at)


def over(status: RunStatus = RunStatus.SUCCEEDED) -> RunEnded:
    return RunEnded(status)


def starts(step: str, attempt: int = 1) -> StepStarting:
    return StepStarting(step, attempt)


def runs(step: str, attempt: int = 1, execution: int = 1) -> StepRunning:
    return StepRunning(step, attempt, 0.0, execution)


def cut(step: str, execution: int = 2, crashes: int = 0, attempt: int = 1, **other: Any) -> StepInterrupted:
    return StepInterrupted(step, attempt, execution, crashes, **other)


def done(step: str, attempt: int = 1, status: StepStatus = StepStatus.SUCCEEDED, **other: Any) -> StepEnded:
    return StepEnded(step, attempt, status, **other)


def failed(step: str, attempt: int = 1, retry_at: float | None = 0.0) -> StepEnded:
    return StepEnded(step, attempt, StepStatus.USER_FAILED, retry_at=retry_at)
