"""The mutation check itself: mutants fit the code, and the runner tells a caught one from one that survives.

All of them are tried by ``python -m tests.mutants``, which takes minutes.
"""

from __future__ import annotations

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Edit, Misfit
from tests.mutants.running import control, try_mutant

QUICK = "timer-early"


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fits_the_code(name: str) -> None:
    """Otherwise the text has moved, and the mutant proves nothing until it is repaired."""
    MUTANTS[name].check()


def test_a_mutant_is_caught_and_its_tests_pass_without_it() -> None:
    verdict, without = try_mutant(MUTANTS[QUICK]), control(MUTANTS[QUICK].caught_by)
    assert (verdict.word, without.word) == ("caught", "survived"), verdict.output + without.output
    assert verdict.first


def test_text_that_is_not_there_is_a_misfit() -> None:
    with pytest.raises(Misfit, match="0 times"):
        Edit("spam.py", "no such text", "").apply("spam")
