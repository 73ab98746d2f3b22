"""What a group's actor does with messages and with pending starts: nothing is lost, nothing is answered wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from maestro_flow import RunStatus
from maestro_flow.actors.base import post
from maestro_flow.actors.messages import HandOverAll
from maestro_flow.core.decide import decide
from maestro_flow.core.inputs import Act
from maestro_flow.model.actions import Action
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.inbox import Message, MessageState
from maestro_flow.model.runs import PendingRun
from tests.engine.workflows import sleeper
from tests.engine.world import World, let_pass


def answer(world: World, group_id: int, message_id: str = "m") -> Message:
    message = world.storage.message(group_id, message_id)
    assert message is not None
    return message


def test_a_settlement_that_was_not_written_is_tried_again() -> None:
    world = World()
    process = world.process()
    commit, refused = process.storage.commit, list[int]()

    def refuse_twice(batch: Sequence[Commit]) -> list[Outcome]:
        if len(refused) < 2:
            refused.append(len(batch))
            return [Outcome.CONFLICT] * len(batch)
        return commit(batch)

    process.storage.commit = refuse_twice  # type: ignore[method-assign]
    world.storage.send(Message(0, "m", "gone/1/1", "stop"))
    let_pass(process, 10.0)
    assert len(refused) == 2
    assert answer(world, 0).outcome == "conflict: there is no run gone/1/1"


def test_a_message_that_comes_twice_is_delivered_once_while_it_is_in_hand() -> None:
    """A settlement of the group that was refused lets all messages come again, also what flows are at work on."""
    world = World()
    process = world.process()
    process.engine.push(sleeper())
    run = process.engine.start("sleeper")
    let_pass(process, 1.0)
    owned = process.engine._node._keeper.groups[run.group_id]
    group: Any = owned.ref._actor_weakref()
    flow: Any = group.flows[run.flow_id].ref._actor_weakref()
    handle, stops = flow.handle, list[Act]()

    def deaf_to_stops(message: object) -> None:
        if isinstance(message, Act):
            stops.append(message)
        else:
            handle(message)

    flow.handle = deaf_to_stops
    process.send(Message(run.group_id, "m", run.flow_id, "stop"))
    let_pass(process, 3.0)
    process.engine._node._receive_again(owned.held)
    let_pass(process, 3.0)
    assert stops == [Act("m", Action.STOP)]
    assert owned.last_sequence > 0, "it was received again"


def test_a_stop_during_the_hand_over_waits_for_the_next_owner() -> None:
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper())
    run = first.engine.start("sleeper")
    let_pass(first, 1.0)
    owned = first.engine._node._keeper.groups[run.group_id]
    post(owned.ref, HandOverAll(first.runtime.event().set))
    let_pass(first, 0.01)
    first.send(Message(run.group_id, "m", run.flow_id, "stop"))
    let_pass(first, 0.01)
    assert run.status is RunStatus.IN_PROGRESS
    assert answer(world, run.group_id).state is MessageState.WAITING
    first.engine.close()
    second = world.process(seed=2)
    assert second.engine.find("sleeper").wait(timeout_s=60) is RunStatus.STOPPED
    assert answer(world, run.group_id).outcome == "accepted"


def test_a_message_that_breaks_its_flow_again_and_again_is_a_dead_letter_with_its_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    process = world.process()
    process.engine.push(sleeper(20.0))
    run = process.engine.start("sleeper")
    let_pass(process, 1.0)

    def poisoned(state: Any, inputs: Any, now: float, capacity: Any) -> Any:
        if any(isinstance(given, Act) for given in inputs):
            raise ZeroDivisionError("poison")
        return decide(state, inputs, now, capacity)

    monkeypatch.setattr("maestro_flow.actors.flow.decide", poisoned)
    process.send(Message(run.group_id, "m", run.flow_id, "stop"))
    assert run.wait(timeout_s=120) is RunStatus.SUCCEEDED, "the flow is better off without it"
    dead = answer(world, run.group_id)
    assert dead.state is MessageState.DEAD
    assert dead.outcome.startswith("given up: 5 owners failed while they had it in hand\nTraceback")
    assert 'raise ZeroDivisionError("poison")' in dead.outcome


def test_starts_that_a_dead_owner_left_unacknowledged_are_acknowledged_by_the_next_one() -> None:
    world = World()
    dead = world.process(seed=1)
    dead.engine.push(sleeper())
    dead.engine.start_many("sleeper", [{}] * 20)
    let_pass(dead, 0.5)  # all have their first commit, and the catalog does not know
    groups = range(world.storage.group_count)
    assert sum(len(world.storage.pending_starts(group_id)) for group_id in groups) == 20
    world.clock.advance(30)
    heir = world.process(seed=2)
    let_pass(heir, 5.0)
    assert sum(len(world.storage.pending_starts(group_id)) for group_id in groups) == 0
    reads: list[int] = []
    given = world.storage.pending_starts

    def counted(group_id: int, *, limit: int = 100) -> list[PendingRun]:
        reads.append(group_id)
        return given(group_id, limit=limit)

    heir.storage.pending_starts = counted  # type: ignore[attr-defined]
    let_pass(heir, 30.0)
    assert not reads, "nothing is given, so nothing is read"
