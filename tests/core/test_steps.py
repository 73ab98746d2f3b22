"""The table of a run's steps: it never changes, and the queues always tell what the holds tell."""

from __future__ import annotations

from random import Random

import pytest

from maestro_flow.core.holds import (
    INTERRUPTED,
    PAUSED,
    PERMITS,
    READY,
    RETRY,
    UNSATISFIED,
    Hold,
    Predecessors,
    Ready,
    Retry,
    Unsupported,
)
from maestro_flow.core.steps import Steps, StepState
from maestro_flow.model.status import StepStatus

HOLDS: tuple[Hold | None, ...] = (
    None, None, Predecessors(2, satisfied=False), UNSATISFIED, READY, READY, PAUSED, PERMITS, RETRY, INTERRUPTED,
    Unsupported(READY), Unsupported(RETRY),
)  # fmt: skip


def step(hold: Hold | None, retry_at: float | None = None) -> StepState:
    return StepState(StepStatus.CREATED, hold=hold, retry_at=retry_at)


@pytest.mark.parametrize("size", [1, 5, 64, 65, 200])
def test_any_changes_lead_to_what_a_plain_dict_and_plain_lists_say(size: int) -> None:
    random = Random(size)
    ids = [f"s{number}" for number in range(size)]
    steps = Steps.of(ids)
    plain: dict[str, StepState] = {}
    queue: dict[type, list[str]] = {}
    for _ in range(400):
        step_id, hold, due = random.choice(ids), random.choice(HOLDS), random.choice([1.0, 2.0, 3.0])
        before, told = steps, repr((steps.chunks, steps.queues))
        left = None if step_id not in plain else kind(plain[step_id].hold)
        plain[step_id] = step(hold, due)
        steps = steps.set(step_id, plain[step_id])
        if left is not kind(hold):
            if left is not None:
                queue[left].remove(step_id)
            if (joined := kind(hold)) is not None:
                queue.setdefault(joined, []).append(step_id)
        assert repr((before.chunks, before.queues)) == told, "a table never changes"
    assert dict(steps.items()) == plain
    assert list(steps) == [step_id for step_id in ids if step_id in plain], "in the order of the definition"
    assert steps.queues.keys() == {each for each, waiting in queue.items() if waiting}
    for each, waiting in steps.queues.items():
        assert sorted(waiting) == sorted(queue[each])
        assert each is Retry or list(waiting) == queue[each], "those that came first are first"
    assert steps.unsupported() == [
        i for q in steps.queues.values() for i in q if isinstance(plain[i].hold, Unsupported)
    ]


def kind(hold: Hold | None) -> type | None:
    hold = hold.behind if isinstance(hold, Unsupported) else hold
    return None if hold is None or isinstance(hold, Predecessors) else type(hold)


def test_retries_stand_in_the_order_in_which_they_are_due() -> None:
    steps = Steps.of("abc").set("a", step(RETRY, 3.0)).set("b", step(RETRY, 1.0)).set("c", step(RETRY, 2.0))
    assert tuple(steps.queue(Retry)) == ("b", "c", "a")
    assert tuple(steps.set("b", step(Unsupported(RETRY), 1.0)).queue(Retry)) == ("b", "c", "a"), "it keeps its place"
    assert [steps.retry_at(step_id) for step_id in steps.queue(Retry)] == [1.0, 2.0, 3.0]


def test_many_are_set_like_one_after_the_other() -> None:
    ids = [f"s{number}" for number in range(300)]
    changes = [
        (step_id, step(READY if number % 3 else Predecessors(1, satisfied=True))) for number, step_id in enumerate(ids)
    ]
    one_by_one = Steps.of(ids)
    for step_id, state in changes:
        one_by_one = one_by_one.set(step_id, state)
    at_once = Steps.of(ids).set_all(changes)
    assert at_once == one_by_one
    assert len(at_once.queue(Ready)) == 200


def test_a_step_that_the_graph_does_not_have_is_not_there() -> None:
    steps = Steps.of("ab")
    assert steps.get("x") is None
    assert "x" not in steps
    with pytest.raises(KeyError):
        steps["a"]
