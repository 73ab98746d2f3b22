"""Any two verbs at the same moment, through two handles: as if one had come after the other."""

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
    """Two verbs that meet have the answers and leave the state that they would have in one order or in the other.

    What they would have is asked of the memory store. A claim has one freedom more: it may pass over a group that
    somebody is busy with at that moment, and which its next call finds.
    """

    @pytest.mark.parametrize("first", _VERBS)
    def test_two_verbs_at_once_are_as_one_after_the_other(
        self, clock: ManualClock, store: Storage, second: Storage, first: str
    ) -> None:
        """PROTOCOL 3, 4, 7, 11, 16, 17, 18: the verb against every other one, and against itself."""
        others = _VERBS[_VERBS.index(first) :] * _ROUNDS
        for scene, other in zip(map(Scene, range(store.group_count)), others, strict=False):
            began = clock.time()
            scene.prepare(store, clock)
            verbs = scene.verbs()
            answers = at_once(partial(answer_of, store, verbs[first]), partial(answer_of, second, verbs[other]))
            seen = comparable([*answers, *scene.end(store)])
            assert seen in possible(scene, began, (first, other)), f"{first}, {other}: in no order"


def possible(scene: Scene, began: float, names: tuple[str, str]) -> list[Any]:
    """What may be answered and seen: for one order and for the other, and for a claim that passes the group over."""
    orders = [(0, 1), (1, 0), *((1 - number,) for number in (0, 1) if names[number].startswith("claim"))]
    return [_played(scene, began, names, order) for order in orders]


def _played(scene: Scene, began: float, names: tuple[str, str], order: tuple[int, ...]) -> Any:
    """The scene on a store in memory. Who is not in the order is a claim that takes nothing."""
    clock = ManualClock(began)
    model = MemoryStorage(clock)
    scene.prepare(model, clock)
    answers: list[Any] = [[], []]
    for number in order:
        answers[number] = answer_of(model, scene.verbs()[names[number]])
    return comparable([*answers, *scene.end(model)])
