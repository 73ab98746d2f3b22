"""The mutation check itself: mutants fit the code, and the runner tells a caught one from one that survives.

All of them are tried by ``python -m tests.mutants``, which takes minutes.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

import pytest

from maestro_flow.storage.protocol import Storage
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Edit, Misfit
from tests.mutants.running import control, try_mutant
from tests.tidy.sources import files_of_tests, modules

QUICK = "timer-early"


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fits_the_code(name: str) -> None:
    """Otherwise the text has moved, and the mutant proves nothing until it is repaired."""
    MUTANTS[name].check()


@pytest.mark.parametrize("name", MUTANTS)
def test_the_tests_that_catch_a_mutant_still_have_their_names(name: str) -> None:
    """Otherwise none is selected, which looks like a mutant that cannot be tried."""
    arguments = MUTANTS[name].caught_by
    selections = [after for option, after in pairwise(arguments) if option == "-k"]
    words = {word for selection in selections for word in re.findall(r"\w+", selection)} - {"and", "or", "not"}
    assert {word for word in words if word not in selectable()} == set()


@cache
def selectable() -> str:
    """What ``-k`` may match: names of tests and their classes, and the parameters that are verbs of a store."""
    paths = [*files_of_tests(), *(path for module, path in modules().items() if ".conformance" in module)]
    sources = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return " ".join([*re.findall(r"(?:def|class) ([Tt]est\w+)", sources), *vars(Storage)])


def test_a_mutant_is_caught_and_its_tests_pass_without_it() -> None:
    verdict, without = try_mutant(MUTANTS[QUICK]), control(MUTANTS[QUICK].caught_by)
    assert (verdict.word, without.word) == ("caught", "survived"), verdict.output + without.output
    assert verdict.first


def test_text_that_is_not_there_is_a_misfit() -> None:
    with pytest.raises(Misfit, match="0 times"):
        Edit("spam.py", "no such text", "").apply("spam")
