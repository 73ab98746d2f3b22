"""Placement: where new runs and the children of loops go."""

from __future__ import annotations

from collections import Counter

from maestro_flow.core.placement import place_child
from maestro_flow.model.flow_id import FlowId

PARENT = FlowId("etl", 7, 2)


def test_children_are_in_the_group_of_their_parent() -> None:
    assert {place_child(str(PARENT.child("each", number)), 5, 16) for number in range(1, 100)} == {5}


def test_children_that_are_spread_use_every_group_about_equally_and_always_the_same() -> None:
    children = [str(PARENT.child("each", number)) for number in range(1, 1601)]
    groups = [place_child(child, 5, 16, spread=True) for child in children]
    assert groups == [place_child(child, 9, 16, spread=True) for child in children]
    counts = Counter(groups)
    assert len(counts) == 16
    assert max(counts.values()) < 150
