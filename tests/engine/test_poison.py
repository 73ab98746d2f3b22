"""Messages that cannot be handled: put aside with their traceback after a few tries, in nobody's way, tried again."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from maestro_flow import RunStatus, Workflow
from maestro_flow.core.decide import decide
from maestro_flow.core.inputs import Act
from maestro_flow.errors import NotFound
from maestro_flow.model.actions import ActionOrder
from maestro_flow.model.inbox import Message, MessageState
from tests.engine.world import World, let_pass

GOOD, POISONED = 1000, 10


def waiting() -> Workflow:
    wf = Workflow("waiting")
    wf.add("pause", type="Sleep", params={"sleep_seconds": 3000.0})
    return wf


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The core fails over every message whose id begins with ``poison``."""

    def poisoned(state: Any, inputs: Any, now: float, capacity: Any) -> Any:
        if any(isinstance(given, Act) and given.message_id.startswith("poison") for given in inputs):
            raise ZeroDivisionError("poison")
        return decide(state, inputs, now, capacity)

    monkeypatch.setattr("maestro_flow.actors.flow.decide", poisoned)
    return monkeypatch


def message(group_id: int, message_id: str, flow_id: str, step: str = "pause") -> Message:
    return Message(group_id, message_id, flow_id, "breakpoint", msgspec.json.encode(ActionOrder(step)))


@pytest.mark.usefixtures("defect")
def test_poison_is_put_aside_and_a_thousand_good_messages_do_not_wait_for_it() -> None:
    world = World()
    process = world.process()
    process.engine.push(waiting())
    bad = process.engine.start_many("waiting", [{}] * POISONED)
    good = process.engine.start_many("waiting", [{}] * GOOD)
    let_pass(process, 5.0)
    for number, run in enumerate(bad):
        process.send(message(run.group_id, f"poison{number}", run.flow_id))
    for number, run in enumerate(good):
        process.send(message(run.group_id, f"good{number}", run.flow_id))
    let_pass(process, 2.0)  # two scans: the poison is far from its end
    assert process.engine.dead_letters() == []
    answers = [world.storage.message(run.group_id, f"good{number}") for number, run in enumerate(good)]
    assert {answer and answer.outcome for answer in answers} == {"accepted"}
    let_pass(process, 60.0)
    letters = process.engine.dead_letters()
    assert {letter.message_id for letter in letters} == {f"poison{number}" for number in range(POISONED)}
    for letter in letters:
        assert letter.reason.startswith("given up: 5 owners failed")
        assert 'raise ZeroDivisionError("poison")' in letter.reason
        assert (letter.kind, letter.body, letter.deliveries) == ("breakpoint", '{"step":"pause"}', 1)
    process.send(Message(bad[0].group_id, "end", bad[0].flow_id, "stop"))
    assert bad[0].wait(timeout_s=10) is RunStatus.STOPPED, "its run is as well as any"
    assert process.engine.verify().violations == ()


@pytest.mark.usefixtures("defect")
def test_what_comes_with_poison_for_the_same_run_is_handled() -> None:
    """Nobody can tell which of them it was until each was tried alone."""
    world = World()
    process = world.process()
    process.engine.push(waiting())
    run = process.engine.start("waiting")
    let_pass(process, 2.0)
    for message_id in ("good1", "poison1", "good2", "poison2", "good3"):
        world.storage.send(message(run.group_id, message_id, run.flow_id))
    let_pass(process, 120.0)
    assert [letter.message_id for letter in process.engine.dead_letters()] == ["poison1", "poison2"]
    answers = [world.storage.message(run.group_id, message_id) for message_id in ("good1", "good2", "good3")]
    assert [answer and answer.outcome for answer in answers] == ["accepted"] * 3
    world.storage.send(message(run.group_id, "good4", run.flow_id))
    let_pass(process, 3.0)
    answer = world.storage.message(run.group_id, "good4")
    assert answer is not None
    assert answer.outcome == "accepted"


def test_a_dead_letter_is_tried_again_by_the_very_owner_that_gave_it_up(defect: pytest.MonkeyPatch) -> None:
    world = World()
    process = world.process()
    process.engine.push(waiting())
    run = process.engine.start("waiting")
    let_pass(process, 2.0)
    process.send(Message(run.group_id, "poison", run.flow_id, "stop"))
    let_pass(process, 60.0)
    assert [letter.message_id for letter in process.engine.dead_letters()] == ["poison"]
    process.engine.redrive("poison")
    assert process.engine.dead_letters() == []
    let_pass(process, 100.0)
    assert [letter.message_id for letter in process.engine.dead_letters()] == ["poison"], "the defect is still there"
    defect.undo()
    process.engine.redrive("poison")
    assert run.wait(timeout_s=10) is RunStatus.STOPPED
    settled = world.storage.message(run.group_id, "poison")
    assert settled is not None
    assert (settled.state, settled.outcome) == (MessageState.SETTLED, "accepted")
    with pytest.raises(NotFound, match="no dead letter 'poison'"):
        process.engine.redrive("poison")


def test_a_message_with_an_unreadable_body_is_answered_at_once() -> None:
    world = World()
    process = world.process()
    process.engine.push(waiting())
    run = process.engine.start("waiting")
    let_pass(process, 2.0)
    process.send(Message(run.group_id, "garbage", run.flow_id, "stop", b"\xff{"))
    let_pass(process, 2.0)
    answer = world.storage.message(run.group_id, "garbage")
    assert answer is not None
    assert answer.outcome.startswith("conflict: the body of the stop cannot be read")
    assert process.engine.dead_letters() == []
