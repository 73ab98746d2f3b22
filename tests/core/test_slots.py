"""Slots are counted for each executor: one that is full holds up its own steps, and no others."""

from __future__ import annotations

from maestro_flow.core.holds import Interrupted, Ready
from maestro_flow.core.slots import Slots
from maestro_flow.model.definition import TypedStep, WorkflowDefinition
from tests.core.capacities import capacity
from tests.core.transcript import Player


def player(**slots: Slots) -> Player:
    """Steps a and b on ``threads``, x and y on ``other``, which have so many slots."""
    made = Player(WorkflowDefinition("wf", tuple(TypedStep(name, "Test") for name in ("a", "b", "x", "y"))))
    made.capacity = capacity(dict(slots), executors={"x": "other", "y": "other"})
    return made


def active(made: Player) -> list[str]:
    return sorted(step_id for step_id, step in made.state.steps.items() if step.is_active)


def test_each_executor_takes_what_it_has_slots_for() -> None:
    made = player(threads=Slots(1), other=Slots(1))
    made.play(["start"])
    assert active(made) == ["a", "x"]


def test_a_full_executor_does_not_hold_up_another_one() -> None:
    made = player(threads=Slots(0), other=Slots(9))
    made.play(["start"])
    assert active(made) == ["x", "y"]
    assert tuple(made.state.steps.queue(Ready)) == ("a", "b")


def test_an_executor_that_is_not_offered_has_no_slots() -> None:
    made = player(threads=Slots(9))
    made.play(["start"])
    assert active(made) == ["a", "b"]


def test_suspects_are_few_on_each_executor() -> None:
    made = player(threads=Slots(9, suspects=1), other=Slots(9, suspects=1))
    made.play(["start"])
    made.play(["crash"])
    assert tuple(made.state.steps.queue(Interrupted)) == ("b", "y")
