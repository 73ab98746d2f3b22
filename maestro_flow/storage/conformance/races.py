"""Any two verbs at the same moment, through two handles: as if one came after the other."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.pair import answer_of, comparable
from maestro_flow.storage.conformance.scene import Scene
from maestro_flow.storage.conformance.threads import at_once
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.protocol import Storage

__all__ = ["Races"]

_ROUNDS = 2
_VERBS = tuple(Scene(0).verbs())


class Races(Concern):
    """Two concurrent verbs return what they would return, and leave the state they would leave, in one of two orders.

    The memory store says what that is. A claim has one more choice: it may skip a group that another call is using at
    that moment, and which the next claim finds.
    """

    @pytest.mark.parametrize("first", _VERBS)
    def test_two_concurrent_verbs_behave_as_in_one_order(
        self, clock: ManualClock, store: Storage, second: Storage, first: str
    ) -> None:
        """PROTOCOL 3, 4, 7, 11, 16, 17, 18: the verb against every other verb, and against itself."""
        others = _VERBS[_VERBS.index(first) :] * _ROUNDS
        for scene, other in zip(map(Scene, range(store.group_count)), others, strict=False):
            began = clock.time()
            scene.prepare(store, clock)
            verbs = scene.verbs()
            answers = at_once(partial(answer_of, store, verbs[first]), partial(answer_of, second, verbs[other]))
            seen = comparable([*answers, *scene.end(store)])
            assert seen in possible(scene, began, (first, other)), f"{first}, {other}: neither order explains this"


def possible(scene: Scene, began: float, names: tuple[str, str]) -> list[Any]:
    """The possible answers and states: for either order, and for a claim that skips the group."""
    orders = [(0, 1), (1, 0), *((1 - number,) for number in (0, 1) if names[number].startswith("claim"))]
    return [_played(scene, began, names, order) for order in orders]


def _played(scene: Scene, began: float, names: tuple[str, str], order: tuple[int, ...]) -> Any:
    """The scene on a store in memory. A verb that is not in ``order`` is a claim that takes nothing."""
    clock = ManualClock(began)
    model = MemoryStorage(clock)
    scene.prepare(model, clock)
    answers: list[Any] = [[], []]
    for number in order:
        answers[number] = answer_of(model, scene.verbs()[names[number]])
    return comparable([*answers, *scene.end(model)])
