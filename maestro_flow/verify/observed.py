"""Observations against the log: by clients, the code of steps, the inboxes (I11 to I16, I22, I23, L4, L5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from attrs import Factory, define

from maestro_flow.model.event_codec import UnknownEvent
from maestro_flow.model.events import (
    Event,
    RunEnded,
    RunStopping,
    RunUnblocked,
    StepEnded,
    StepInterrupted,
    StepStarting,
    StepStopping,
    StepWaiting,
    decode_events,
)
from maestro_flow.model.flow_id import system_name
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.permits import requester_of
from maestro_flow.verify.history import Answer, Claimed, Execution, History, Operation, Violation

__all__ = ["check_observations"]


@define
class _Logged:
    """What the log says about things that were observed, too."""

    flows: set[str] = Factory(set)
    executions: dict[tuple[str, str, int], int] = Factory(dict)
    """Of each attempt: the number of its latest execution."""
    promised: dict[str, str] = Factory(dict)
    """Messages that an event promises, with the flow of the event."""
    effects: dict[str, list[str]] = Factory(lambda: defaultdict(list))
    """Flows in whose logs a message has taken effect."""
    ended_early: set[str] = Factory(set)
    ended_steps: set[tuple[str, str]] = Factory(set)

    def read(self, flow_id: str, event: Event) -> None:
        self.flows.add(flow_id)
        match event:
            case StepStarting():
                self.executions[flow_id, event.step, event.attempt] = 1
            case StepInterrupted():
                self.executions[flow_id, event.step, event.attempt] = event.execution
            case StepStopping():
                self.ended_steps.add((flow_id, event.step))
            case StepWaiting():
                self.promised[f"{requester_of(flow_id, event.step, event.attempt)}/request"] = flow_id
            case StepEnded():
                self.ended_steps.add((flow_id, event.step))
                requester = requester_of(flow_id, event.step, event.attempt)
                if f"{requester}/request" in self.promised:
                    self.promised[f"{requester}/release"] = flow_id
            case RunStopping():
                self.ended_early.add(flow_id)
                self.effects[event.message_id].append(flow_id)
            case RunEnded(reason=reason) if "before it began" in reason:
                self.ended_early.add(flow_id)
            case RunUnblocked():
                self.effects[event.message_id].append(flow_id)


def check_observations(history: History) -> Iterator[Violation]:
    """All observations that disagree with the log."""
    yield from _check_claims(history)
    if not (history.operations or history.executions or history.messages):
        return
    logged = _read(history)
    yield from _check_operations(history, logged)
    yield from _check_executions(history, logged)
    if history.messages:
        yield from _check_messages(history, logged)


def _read(history: History) -> _Logged:
    logged = _Logged()
    for record in sorted(history.records, key=lambda each: (each.flow_id, each.revision)):
        try:
            flow = history.system_flows.get(system_name(record.flow_id))
            if flow is not None:
                events = flow.codec.decode(record.events, record.schema_version)
                logged.promised.update(dict.fromkeys(flow.promised(events), record.flow_id))
            else:
                for event in decode_events(record.events, record.schema_version):
                    logged.read(record.flow_id, event)
        except UnknownEvent:
            continue  # the checker of the log has reported it
    logged.effects.pop("", None)
    return logged


# -- clients ----------------------------------------------------------------------------------------------------


def _check_operations(history: History, logged: _Logged) -> Iterator[Violation]:
    starts: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    known = logged.flows | {entry.flow_id for entry in history.entries}
    for operation in history.operations:
        if operation.kind == "start":
            starts[operation.workflow_id, operation.key].append(operation)
        elif operation.answer is Answer.ACCEPTED and not _has_effect(operation, logged):
            problem = f"the {operation.kind} with message {operation.key} was accepted, and the log does not have it"
            yield Violation("I15", problem, operation.flow_id, operation.step_id)
        elif operation.answer is Answer.REFUSED and operation.key in logged.effects:
            problem = f"the {operation.kind} with message {operation.key} was refused, and has taken effect"
            yield Violation("I17", problem, operation.flow_id, operation.step_id)
    for (workflow_id, key), operations in starts.items():
        flows = sorted({operation.flow_id for operation in operations if operation.flow_id})
        if len(flows) > 1:
            was_unknown = any(operation.answer is Answer.UNKNOWN for operation in operations)
            problem = f"request {key} of workflow {workflow_id} has started {' and '.join(flows)}"
            yield Violation("I16" if was_unknown else "I14", problem, flows[-1])
        for flow_id in flows:
            if flow_id not in known:
                yield Violation(
                    "I15", f"request {key} was told that this run was started, and there is no such run", flow_id
                )


def _has_effect(operation: Operation, logged: _Logged) -> bool:
    """Whether an accepted action shows in the log; some actions need no event if the state is right already."""
    if operation.key in logged.effects:
        return True
    if operation.kind in ("stop", "kill", "skip") and operation.step_id:
        return (operation.flow_id, operation.step_id) in logged.ended_steps
    if operation.kind in ("stop", "kill"):
        return operation.flow_id in logged.ended_early
    return operation.flow_id in logged.flows


# -- code of steps ------------------------------------------------------------------------------------------


def _check_executions(history: History, logged: _Logged) -> Iterator[Violation]:
    steps: dict[tuple[str, str], list[Execution]] = defaultdict(list)
    seen: set[tuple[str, str, int, int]] = set()
    for each in history.executions:
        steps[each.flow_id, each.step_id].append(each)
        latest = logged.executions.get((each.flow_id, each.step_id, each.attempt), 0)
        which = f"execution {each.execution} of attempt {each.attempt}"
        if (key := (each.flow_id, each.step_id, each.attempt, each.execution)) in seen:
            yield Violation("I22", f"{which} was called more than once", each.flow_id, each.step_id)
        elif each.execution > latest:
            problem = f"{which} was called, and the log knows of {latest or 'none'}"
            yield Violation("I22", problem, each.flow_id, each.step_id)
        seen.add(key)
    for (flow_id, step_id), executions in steps.items():
        ordered = sorted(executions, key=lambda each: (each.attempt, each.execution))
        for before, after in pairwise(ordered):
            if after.generation < before.generation:
                problem = (
                    f"execution {after.attempt}.{after.execution} has the fence of generation {after.generation}, "
                    f"and the one before it that of {before.generation}"
                )
                yield Violation("I23", problem, flow_id, step_id)


# -- owners -----------------------------------------------------------------------------------------------------


def _check_claims(history: History) -> Iterator[Violation]:
    """Stale writes fail by their revision, too; this shows that the fence stops them before that."""
    claims: dict[int, list[Claimed]] = defaultdict(list)
    for claimed in history.claims:
        claims[claimed.group_id].append(claimed)
    for record in history.records:
        for claimed in claims[record.group_id]:
            if record.generation < claimed.generation and record.position > claimed.position:
                problem = (
                    f"generation {record.generation} wrote at position {record.position}, but at "
                    f"{claimed.position} the group was generation {claimed.generation}'s"
                )
                yield Violation("I1", problem, record.flow_id, group_id=record.group_id, position=record.position)


# -- the inboxes ------------------------------------------------------------------------------------------------


def _check_messages(history: History, logged: _Logged) -> Iterator[Violation]:
    known = {message.message_id for message in history.messages}
    for message_id, flow_id in logged.promised.items():
        if message_id not in known:
            yield Violation("I11", f"message {message_id} was promised, but no inbox has it", flow_id)
    for message in history.messages:
        if message.message_id.endswith(("/request", "/release")) and message.message_id not in logged.promised:
            problem = f"the log does not show what sent message {message.message_id}"
            yield Violation("I11", problem, message.flow_id, group_id=message.group_id)
        yield from _check_message(history, logged, message)
    for message_id, flows in logged.effects.items():
        if len(flows) > 1:
            yield Violation("I13", f"message {message_id} has taken effect {len(flows)} times", flows[-1])


def _check_message(history: History, logged: _Logged, message: Message) -> Iterator[Violation]:
    is_effective = message.message_id in logged.effects

    def violation(invariant: str, problem: str) -> Violation:
        text = f"message {message.message_id} ({message.kind}) {problem}"
        return Violation(invariant, text, message.flow_id, group_id=message.group_id)

    match message.state:
        case MessageState.WAITING if message.deliveries > history.deliveries_max + 1:
            yield violation("L5", f"was delivered {message.deliveries} times, and is not a dead letter")
        case MessageState.WAITING if is_effective:
            yield violation("I13", "has taken effect and was not settled with it")
        case MessageState.WAITING if history.is_quiet:
            yield violation("L4", "was never handled")
        case MessageState.DEAD if is_effective:
            yield violation("I13", "has taken effect and is a dead letter")
        case MessageState.DEAD | MessageState.SETTLED if not message.outcome:
            yield violation("I12", f"is {message.state} without an outcome")
        case MessageState.SETTLED if is_effective and message.outcome.startswith("conflict"):
            yield violation("I13", f"has taken effect, and its outcome is {message.outcome!r}")
