"""The conformance suite itself: complete by the rules of the protocol, and nothing in it hides anything else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import NotFound, StorageError, StorageUnavailable
from maestro_flow.storage.conformance import StorageConformance
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.dead_owners import DeadOwners
from maestro_flow.storage.conformance.durability import Durability
from maestro_flow.storage.conformance.hints import SharedHints
from maestro_flow.storage.conformance.pair import answer_of
from maestro_flow.storage.conformance.sharing import Sharing
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.protocol import Storage

RULES_OF_A_STORE = {*range(1, 11), 13, *range(15, 21), 28}
"""PROTOCOL 11 is Postgres', 12 is SQLite's (``test_sqlite_processes``), 14 the node's."""


def promises() -> list[tuple[str, str]]:
    """Names and docstrings of the tests of all concerns."""
    return [
        (name, member.__doc__ or "")
        for concern in StorageConformance.__mro__
        for name, member in vars(concern).items()
        if name.startswith("test_")
    ]


def collected(concern: type[Concern]) -> set[str]:
    return {name for name in dir(concern) if name.startswith("test_") and callable(getattr(concern, name))}


def test_every_test_names_the_rule_that_it_is_for() -> None:
    assert [name for name, text in promises() if not re.search(r"PROTOCOL \d", text)] == []


def test_every_rule_of_the_protocol_that_concerns_a_store_has_a_test() -> None:
    named = {
        int(rule)
        for _, text in promises()
        for list_ in re.findall(r"PROTOCOL ([\d, ]+)", text)
        for rule in re.findall(r"\d+", list_)
    }
    assert named >= RULES_OF_A_STORE


def test_no_concern_overrides_a_test_or_a_fixture_of_another() -> None:
    names = Counter(
        name for concern in StorageConformance.__mro__[1:-1] for name in vars(concern) if not name.startswith("_")
    )
    helpers = {"send", "needs"}
    assert {name for name, count in names.items() if count > 1} <= helpers


def test_only_tests_of_missing_capabilities_are_not_collected() -> None:
    class Lacking(StorageConformance):
        durable = shared = hints_others = False

    class Able(StorageConformance):
        proves_dead_owners = True

    assert collected(Able) == collected(StorageConformance)
    lacked = (Durability, Sharing, DeadOwners, SharedHints)
    assert collected(Able) - collected(Lacking) == set().union(*map(collected, lacked))


@pytest.mark.parametrize(
    ("failures", "answer"),
    [
        ([], "an answer"),
        ([StorageUnavailable] * 2, "an answer"),
        ([StorageUnavailable] * 3, StorageUnavailable),
        ([StorageUnavailable, NotFound], NotFound),
        ([StorageError], StorageError),
    ],
)
def test_a_store_that_is_unavailable_is_asked_again_a_few_times(
    failures: list[type[Exception]], answer: object
) -> None:
    left = list(failures)

    def verb(_: Storage) -> str:
        if left:
            raise left.pop(0)("as the test wants it")
        return "an answer"

    assert answer_of(MemoryStorage(ManualClock()), verb) == answer
    assert left == []


def test_without_its_requirements_it_says_how_to_install_them() -> None:
    lines = "import sys; sys.modules['hypothesis'] = None; import maestro_flow.storage.conformance"
    done = subprocess.run([sys.executable, "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'maestro-flow[conformance]'" in done.stderr
