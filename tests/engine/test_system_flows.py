"""A flow of the engine itself is an entry of one registry: here is another one, and no other file knows of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec
import pytest
from attrs import define

from maestro_flow import RunStatus, Workflow
from maestro_flow.core.evolve import IllegalEvent
from maestro_flow.core.inputs import OutgoingMessage
from maestro_flow.core.message_kinds import MessageKind
from maestro_flow.core.placement import place
from maestro_flow.core.system_flow import SystemDecision, SystemFlow, SystemReplay, SystemState
from maestro_flow.errors import NotFound
from maestro_flow.model.commit import Settlement
from maestro_flow.model.event_codec import EventCodec
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import RunEntry
from maestro_flow.reading.system import read_state
from maestro_flow.storage.protocol import RunQuery
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.history import Violated
from tests.engine.world import Crash, Process, World, crash_at

NAME = "maestro_counter"
HOME = place(NAME, range(64))
AWAY = (HOME + 1) % 64
TARGET = 5
"""At this count, the run that has added last is told to stop."""


# -- the flow ---------------------------------------------------------------------------------------------------


class Add(msgspec.Struct, frozen=True):
    """Body of a message: add so much. ``run`` is a run in group ``group_id``."""

    by: int
    run: str = ""
    group_id: int = 0


class Added(msgspec.Struct, frozen=True, tag_field="kind", tag="added"):
    by: int
    message_id: str


class CarriedOver(msgspec.Struct, frozen=True, tag_field="kind", tag="carried_over"):
    count: int


class CarriedOn(msgspec.Struct, frozen=True, tag_field="kind", tag="carried_on"):
    flow_id: str


CountEvent: TypeAlias = Added | CarriedOver | CarriedOn


@define
class CounterState(SystemState):
    count: int = 0


@define
class Request:
    message_id: str
    body: Add


class CounterReplay:
    """Counts once more, by itself; adding nothing breaks a promise."""

    def __init__(self, before: SystemReplay | None) -> None:
        self.is_over = False
        self.count, self.before = 0, before

    def take(self, event: CountEvent, at: float) -> None:
        assert at > 0
        match event:
            case Added(by=0):
                raise Violated("I13", "nothing was added")
            case Added():
                self.count += event.by
            case CarriedOver():
                if isinstance(self.before, CounterReplay) and self.before.count != event.count:
                    raise Violated("I21", "it has miscounted")
                self.count = event.count
            case CarriedOn():
                self.is_over = True


class Counter(SystemFlow[CounterState, CountEvent, Request]):
    name = NAME
    codec = EventCodec(msgspec.json.Decoder(tuple[CountEvent, ...]))

    def __init__(self, size_max: int) -> None:
        self.size_max = size_max
        self.kinds = {"add": MessageKind(Add, Request)}

    def new(self, flow_id: str) -> CounterState:
        return CounterState(flow_id)

    def evolve(self, state: CounterState, event: CountEvent, at: float) -> None:
        if at < state.at:
            raise IllegalEvent("time goes back")
        match event:
            case Added():
                state.count += event.by
            case CarriedOver():
                state.count = event.count
            case CarriedOn():
                state.is_over = True

    def decide(
        self, state: CounterState, inputs: Sequence[Request], now: float, events_max: int
    ) -> SystemDecision[CountEvent, Request]:
        at = max(now, state.at)
        taken, rest = inputs[:events_max], inputs[events_max:]
        events = tuple(Added(each.body.by, each.message_id) for each in taken)
        for event in events:
            self.evolve(state, event, at)
        stops: tuple[OutgoingMessage, ...] = ()
        if taken and taken[-1].body.run and state.count >= TARGET:
            last = taken[-1].body
            stops = (OutgoingMessage(f"{last.run}/enough", last.run, "stop", b"{}", last.group_id),)
        settles = tuple(Settlement(each.message_id, "accepted") for each in taken)
        return SystemDecision(at, events, stops, settles, tuple(rest))

    def carried_over(self, state: CounterState, at: float) -> CountEvent | None:
        return CarriedOver(state.count) if state.size >= self.size_max else None

    def carried_on(self, flow_id: str) -> CountEvent:
        return CarriedOn(flow_id)

    def replay(self, flow_id: str, before: SystemReplay | None) -> CounterReplay:
        assert flow_id.startswith(f"{NAME}/1/")
        return CounterReplay(before)


# -- that is all ------------------------------------------------------------------------------------------------


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """It never rolls over, unless a test lets it."""
    made = Counter(size_max=1_000_000)
    monkeypatch.setitem(SYSTEM_FLOWS, NAME, made)
    return made


def add(message_id: str, by: int = 1, group_id: int = HOME, *, run: str = "", run_group: int = 0) -> Message:
    """A message in the inbox of this group, to the counter."""
    return Message(group_id, message_id, NAME, "add", msgspec.json.encode(Add(by, run, run_group)), HOME)


def let_pass(process: Process, seconds: float = 10.0) -> None:
    process.runtime.run(lambda: False, timeout_s=seconds)


def send_later(process: Process, seconds: float, message: Message) -> None:
    def send() -> None:
        process.engine.storage.send(message)

    process.runtime.call_later(seconds, send)


def its_runs(world: World) -> list[RunEntry]:
    return sorted(world.storage.list_runs(RunQuery(workflow_id=NAME)), key=lambda entry: entry.run_id)


def outcome(world: World, group_id: int, message_id: str) -> str:
    message = world.storage.message(group_id, message_id)
    assert message is not None
    return message.outcome if message.state is MessageState.SETTLED else message.state


def sleeper() -> Workflow:
    wf = Workflow("sleeper")
    wf.add("pause", type="Sleep", params={"sleep_seconds": 3000.0})
    return wf


def test_it_is_placed_by_its_name_and_made_when_it_is_first_needed(counter: Counter) -> None:
    world = World()
    process = world.process()
    let_pass(process)
    assert its_runs(world) == []
    process.send(add("a", 2))
    process.send(add("b", 3))
    let_pass(process)
    (entry,) = its_runs(world)
    assert (entry.flow_id, entry.group_id, entry.status) == (f"{NAME}/1/1", HOME, RunStatus.IN_PROGRESS)
    assert read_state(world.storage, counter).count == 5
    assert [outcome(world, HOME, message_id) for message_id in "ab"] == ["accepted"] * 2


def test_it_answers_a_run_in_the_group_that_the_request_has_named(counter: Counter) -> None:
    """What a run has sent lies in the inbox of its own group first, and so does the answer in that of the counter."""
    world = World()
    process = world.process()
    process.engine.push(sleeper())
    runs = process.engine.start_many("sleeper", [{}] * 20)
    run = next(run for run in runs if run.group_id != HOME)
    let_pass(process, 2.0)
    for number in range(TARGET):
        message = add(f"m{number}", group_id=run.group_id, run=run.flow_id, run_group=run.group_id)
        world.storage.send(message)
    let_pass(process)
    assert read_state(world.storage, counter).count == TARGET
    assert run.status is RunStatus.STOPPED
    assert outcome(world, run.group_id, "m0") == "forwarded"
    assert outcome(world, HOME, f"{run.flow_id}/enough") == "forwarded"
    assert outcome(world, run.group_id, f"{run.flow_id}/enough") == "accepted"
    assert {other.status for other in runs if other.flow_id != run.flow_id} == {RunStatus.IN_PROGRESS}


def test_it_hears_from_another_node_which_does_not_hold_it(counter: Counter) -> None:
    world = World()
    leases = world.storage.claim(Owner("somebody"), lease_s=1000.0, limit=64)
    world.storage.release([lease for lease in leases if lease.group_id == HOME])
    owner = world.process(seed=1)
    let_pass(owner, 1.0)
    world.storage.release([lease for lease in leases if lease.group_id != HOME])
    other = world.process(seed=2)
    let_pass(other, 1.0)
    assert owner.engine._node.serving_groups() == [HOME]
    assert AWAY in other.engine._node.serving_groups()
    world.storage.send(add("far", 4, AWAY))
    other.send(add("near", 3))
    for _ in range(40):
        let_pass(other, 0.25)
        let_pass(owner, 0.25)
    assert read_state(world.storage, counter).count == 7
    assert outcome(world, AWAY, "far") == "forwarded"


@pytest.mark.parametrize("size_max", [3, 1_000_000])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 15))
def test_whenever_its_owner_dies_the_next_one_counts_on(
    counter: Counter, number: int, when: str, size_max: int
) -> None:
    counter.size_max = size_max
    world = World()
    for message in range(4):
        world.storage.send(add(f"m{message}", 1, AWAY))
    dying = world.process(seed=number, fault=crash_at(number, when), lease_s=10.0, batch_max=1)
    for message in range(4, 8):  # which it gets one by one, if it lives for so long
        send_later(dying, message * 2.0, add(f"m{message}", 1))
    with pytest.raises(Crash):
        let_pass(dying, 30.0)
    for message in range(4, 8):
        world.storage.send(add(f"m{message}", 1))
    world.clock.advance(30.0)
    heir = world.process(seed=number + 1)
    let_pass(heir)
    assert read_state(world.storage, counter).count == 8
    *ended, live = its_runs(world)
    assert live.status is RunStatus.IN_PROGRESS
    assert {entry.status for entry in ended} == ({RunStatus.SUCCEEDED} if size_max == 3 else set())
    assert heir.engine.verify().violations == ()


def test_an_owner_that_closes_hands_it_over(counter: Counter) -> None:
    world = World()
    first = world.process(seed=1)
    first.send(add("a"))
    let_pass(first)
    first.engine.close()
    second = world.process(seed=2)
    second.send(add("b"))
    let_pass(second)
    assert read_state(world.storage, counter).count == 2
    assert len(world.storage.read_flow(f"{NAME}/1/1")) == 2


@pytest.mark.usefixtures("counter")
def test_users_do_not_see_it() -> None:
    world = World()
    process = world.process()
    process.engine.push(sleeper())
    run = process.engine.start("sleeper")
    process.send(add("a"))
    let_pass(process)
    assert its_runs(world)
    assert [entry.flow_id for entry in process.engine.runs()] == [run.flow_id]
    assert [each.flow_id for each in process.engine.unfinished()] == [run.flow_id]
    for found in ((NAME,), (NAME, 1), (NAME, 1, 1)):
        with pytest.raises(NotFound):
            process.engine.find(*found)


@pytest.mark.usefixtures("counter")
def test_it_is_verified_by_its_own_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    process = world.process()
    process.send(add("a"))
    let_pass(process)
    verified = process.engine.verify()
    assert (verified.runs, verified.records, verified.violations) == (0, 1, ())
    process.send(add("nothing", 0))
    let_pass(process)
    (violation,) = process.engine.verify().violations
    assert (violation.invariant, violation.flow_id, violation.message) == ("I13", f"{NAME}/1/1", "nothing was added")
    monkeypatch.delitem(SYSTEM_FLOWS, NAME)
    (violation,) = process.engine.verify().violations
    assert violation.invariant == "I21"
    assert violation.message == f"this version does not know a flow {NAME} of the engine itself"


@pytest.mark.usefixtures("counter")
def test_what_it_cannot_read_is_answered_and_a_version_without_it_refuses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    process = world.process()
    process.engine.push(sleeper())
    process.send(Message(HOME, "stop", NAME, "stop"))
    process.send(Message(HOME, "garbage", NAME, "add", b"{"))
    run = process.engine.start("sleeper")
    process.send(Message(run.group_id, "add", run.flow_id, "add"))
    let_pass(process)
    assert outcome(world, HOME, "stop") == f"conflict: in this version, {NAME} does not accept messages of kind 'stop'"
    assert outcome(world, HOME, "garbage").startswith("conflict: the body of the add cannot be read: ")
    assert outcome(world, run.group_id, "add").startswith(
        f"conflict: in this version, {run.flow_id} does not accept messages"
    )
    process.engine.close()
    monkeypatch.delitem(SYSTEM_FLOWS, NAME)
    older = world.process(seed=2)
    older.send(add("a"))
    let_pass(older)
    assert outcome(world, HOME, "a").startswith(
        f"conflict: in this version, {NAME} does not accept messages of kind 'add'"
    )


def test_a_message_to_a_run_has_to_name_a_group(counter: Counter) -> None:
    process = World().process()
    flows = process.engine._node._services.system_flows
    assert flows.destination_of(OutgoingMessage("m", NAME, "add", b"{}")) == counter.group_id(64) == HOME
    assert flows.destination_of(OutgoingMessage("m", "w/1/1", "stop", b"{}", 9)) == 9
    with pytest.raises(LookupError, match="message m to run w/1/1 does not name a group"):
        flows.destination_of(OutgoingMessage("m", "w/1/1", "stop", b"{}"))
