"""The permit flow on its own: its messages find the way between groups, through crashes, and its log stays short."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from maestro_flow import Workflow
from maestro_flow.actors.base import post
from maestro_flow.actors.messages import Received
from maestro_flow.core.permits.state import PermitState
from maestro_flow.core.placement import place
from maestro_flow.errors import NotFound, SettingsError, StorageUnavailable, StorageUnusable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.definition import Tag
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.permits import (
    LIMIT,
    PERMITS,
    RELEASE,
    REQUEST,
    PermitLimit,
    PermitRelease,
    PermitRequest,
    requester_of,
)
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.node.health import StoreHealth
from maestro_flow.storage.protocol import RunQuery
from maestro_flow.system.permits import PERMIT_FLOW
from maestro_flow.testing import ManualClock
from maestro_flow.views.tag_permits import TagPermit
from tests.engine.world import Crash, World, crash_at, let_pass

HOME = place(PERMITS, range(64))
AWAY = (HOME + 1) % 64


def requester(number: int) -> str:
    return requester_of("w/1/1", f"s{number}", 1)


def ask(world: World, number: int, group_id: int = AWAY, **permits: int) -> None:
    """What the commit of a flow of that group leaves in its inbox."""
    body = PermitRequest("w/1/1", f"s{number}", 1, permits, group_id)
    encoded = msgspec.json.encode(body)
    world.storage.send(Message(group_id, f"{requester(number)}/request", PERMITS, REQUEST, encoded, destination=HOME))


def give_back(world: World, number: int, group_id: int = AWAY) -> None:
    body = PermitRelease("w/1/1", f"s{number}", 1)
    encoded = msgspec.json.encode(body)
    world.storage.send(Message(group_id, f"{requester(number)}/release", PERMITS, RELEASE, encoded, destination=HOME))


def is_granted(world: World, number: int, group_id: int = AWAY) -> bool:
    return world.storage.message(group_id, f"{requester(number)}/granted") is not None


def permit_runs(world: World) -> list[RunEntry]:
    return sorted(world.storage.list_runs(RunQuery(workflow_id=PERMITS)), key=lambda entry: entry.run_id)


def state(world: World) -> PermitState:
    flow_id = permit_runs(world)[-1].flow_id
    return PERMIT_FLOW.fold(flow_id, world.storage.read_flow(flow_id))


def quick() -> Workflow:
    wf = Workflow("quick")
    wf.add("nothing", type="NoOp")
    return wf


def waiting_messages(world: World) -> list[str]:
    inboxes = [group.inbox.values() for group in world.storage._state.groups]  # type: ignore[attr-defined]
    letters = [letter.message for inbox in inboxes for letter in inbox]
    return [message.message_id for message in letters if message.state is MessageState.WAITING]


@pytest.mark.parametrize("group_id", [HOME, AWAY])
def test_a_request_is_granted_in_the_group_of_its_flow(group_id: int) -> None:
    world = World()
    process = world.process()
    ask(world, 1, group_id, db=1)
    let_pass(process)
    ask(world, 2, group_id, db=1)
    let_pass(process)
    assert [is_granted(world, number, group_id) for number in (1, 2)] == [True, False]
    give_back(world, 1, group_id)
    let_pass(process)
    assert is_granted(world, 2, group_id)
    assert waiting_messages(world) == []
    sent = world.storage.message(group_id, f"{requester(1)}/request")
    assert sent is not None
    assert sent.outcome == ("accepted" if group_id == HOME else "forwarded")


def test_the_permit_flow_of_a_store_without_limits_is_never_made() -> None:
    world = World()
    let_pass(world.process(), 30.0)
    assert permit_runs(world) == []


def test_a_message_that_cannot_be_read_is_answered() -> None:
    world = World()
    process = world.process()
    world.storage.send(Message(HOME, "broken", PERMITS, REQUEST, b"{}"))
    world.storage.send(Message(HOME, "stop", PERMITS, "stop"))
    world.storage.send(Message(AWAY, "lost", "w/1/1", REQUEST))
    let_pass(process)
    outcomes = [world.storage.message(*place) for place in ((HOME, "broken"), (HOME, "stop"), (AWAY, "lost"))]
    assert [outcome.outcome.partition(":")[0] for outcome in outcomes if outcome] == ["conflict"] * 3
    assert permit_runs(world) == []


@pytest.mark.parametrize("group_id", [HOME, AWAY])
def test_a_request_that_a_scan_brings_after_its_release_is_not_asked_again(group_id: int) -> None:
    """The scan read it before it was settled: taken for a new one, it would hold its permit for ever."""
    world = World()
    process = world.process()
    ask(world, 1, group_id, db=1)
    let_pass(process)
    give_back(world, 1, group_id)
    let_pass(process)
    for owned in process.engine._node._keeper.groups.values():
        letter = world.storage.message(owned.held.lease.group_id, f"{requester(1)}/request")
        if letter is not None:
            post(owned.ref, Received((letter,)))
    let_pass(process)
    assert state(world).requesters == {}


@pytest.mark.parametrize("seed", range(20))
def test_a_limit_that_was_set_before_a_run_is_read_before_its_requests(seed: int) -> None:
    world = World()
    process = world.process(seed)
    body = msgspec.json.encode(PermitLimit("db", 0))
    world.storage.send(Message(HOME, "limit", PERMITS, LIMIT, body))  # as by a client elsewhere
    wf = Workflow("limited")
    wf.add("work", type="NoOp", tags=[Tag("db", permit=1)])
    process.engine.push(wf)
    run = process.engine.start("limited")
    let_pass(process)
    assert run.steps["work"].status is StepStatus.WAITING_FOR_PERMITS


def test_a_letter_goes_through_the_store_when_its_group_is_held_no_more_and_as_soon_as_that_answers() -> None:
    world = World()
    process = world.process()
    commit, send, failures = process.storage.commit, world.storage.send, iter(range(3))
    refused: list[Commit] = []

    def lost(batch: Sequence[Commit]) -> list[Outcome]:
        refused.extend(one for one in batch if one.sends and one.flow is None)
        return [Outcome.OWNERSHIP_LOST if one in refused else commit([one])[0] for one in batch]

    def flaky(message: Message) -> Message:
        if next(failures, None) is not None:
            raise StorageUnavailable("the connection died")
        return send(message)

    process.storage.commit = lost  # type: ignore[method-assign]
    process.storage.send = flaky  # type: ignore[attr-defined]
    ask(world, 1, db=1)
    let_pass(process)
    assert [message.message_id for one in refused for message in one.sends] == [
        f"{requester(1)}/request",
        f"{requester(1)}/granted",
    ]
    assert is_granted(world, 1)
    assert waiting_messages(world) == []


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 14))
def test_whenever_a_process_dies_the_next_one_grants_what_is_free_and_no_more(
    monkeypatch: pytest.MonkeyPatch, number: int, when: str
) -> None:
    monkeypatch.setattr("maestro_flow.system.permits._EVENTS_MAX", 5)  # so that a next run begins in the middle
    world = World()
    world.storage.send(Message(HOME, "limit", PERMITS, LIMIT, msgspec.json.encode(PermitLimit("db", 2))))
    for asked in range(4):
        ask(world, asked, db=9)
    dying = world.process(seed=number, fault=crash_at(number, when), lease_s=10.0, batch_max=1)
    dying.runtime.call_later(3.0, lambda: give_back(world, 0))
    with pytest.raises(Crash):
        let_pass(dying)
    give_back(world, 0)
    world.clock.advance(30.0)
    heir = world.process(seed=number + 1)
    let_pass(heir)
    assert sum(is_granted(world, asked) for asked in (1, 2, 3)) == 2
    assert waiting_messages(world) == []
    assert state(world).held == {"db": 2}
    *ended, live = permit_runs(world)
    assert live.status is RunStatus.IN_PROGRESS
    assert ended
    assert {entry.status for entry in ended} == {RunStatus.SUCCEEDED}
    for asked in (1, 2, 3):
        give_back(world, asked)
    let_pass(heir)
    assert state(world).requesters == {}


def test_users_set_limits_and_see_them_but_no_run_of_the_permit_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_flow.system.permits._EVENTS_MAX", 3)
    world = World()
    process = world.process()
    engine = process.engine
    assert engine.tag_permits() == {}
    engine.set_tag_permit("db", 1)
    engine.set_tag_permit("gpu", 0)
    let_pass(process)
    ask(world, 1, db=9, gpu=9)
    ask(world, 2, db=9)
    let_pass(process)
    assert engine.tag_permits() == {"db": TagPermit("db", 1, 1, 1), "gpu": TagPermit("gpu", 0, 0, 1)}
    engine.set_tag_permit("gpu", None)
    let_pass(process)
    assert engine.tag_permits()["gpu"] == TagPermit("gpu", None, 0, 1)
    engine.push(quick())
    run = engine.run(quick())
    assert len(permit_runs(world)) > 1
    assert [entry.flow_id for entry in engine.runs(limit=1)] == [run.flow_id]
    assert [entry.flow_id for entry in engine.runs()] == [run.flow_id]
    assert engine.unfinished() == []
    with pytest.raises(NotFound):
        engine.find(PERMITS)
    with pytest.raises(NotFound):
        engine.find(PERMITS, 1, 1)


def test_a_page_of_runs_is_full_whatever_is_hidden_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("maestro_flow.system.permits._EVENTS_MAX", 1)
    world = World()
    process = world.process()
    started = []
    for limit in range(6):
        started.append(process.engine.run(quick()).flow_id)
        process.engine.set_tag_permit("db", limit)
        let_pass(process)
    assert len(permit_runs(world)) > 5
    assert [entry.flow_id for entry in process.engine.runs(limit=4)] == started[:1:-1]


@pytest.mark.parametrize(("tag", "limit"), [("", 1), ("a\0b", 1), ("db", -1)])
def test_a_limit_that_makes_no_sense_is_refused(tag: str, limit: int) -> None:
    with pytest.raises(SettingsError, match="tag"):
        World().process().engine.set_tag_permit(tag, limit)


def test_what_fails_because_its_node_closes_is_not_a_failure_of_the_store() -> None:
    """Letters may be on their way when the store is closed below them: it was told as lost to the user."""
    told: list[str] = []
    health = StoreHealth(ManualClock(), lambda: told.append("lost"))
    health.close()
    health.fail(StorageUnusable("the store is closed"))
    health.check()
    assert told == []
