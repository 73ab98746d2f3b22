"""Any definition, any inputs in any order: what must always hold of the core (see ``any_inputs``)."""

from __future__ import annotations

import pytest

from tests.core.any_inputs import World

SEEDS = 400


@pytest.mark.parametrize("first", range(0, SEEDS, 40))
def test_whatever_comes_in_the_run_is_sound_and_can_be_brought_to_its_end(first: int) -> None:
    for seed in range(first, first + 40):
        world = World(seed)
        try:
            world.play()
        except Exception as error:
            error.add_note(f"seed {seed}; the last decisions:\n" + "\n".join(world.trace[-8:]))
            raise
