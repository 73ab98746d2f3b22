"""Bugs in who holds what: scans and deadlines."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

__all__ = ["OWNERSHIP"]

_KEEPER = "maestro_flow/engine/ownership.py"

OWNERSHIP = (
    Mutant(
        "scan-without-mail",
        "L: what no hint has told is found by a scan",
        (Edit(_KEEPER, "for group_id in renewal.mail | renewal.given:", "for group_id in frozenset[int]():"),),
        ("tests/engine/test_ownership.py", "-k", "start_on_a_node_without_groups"),
    ),
    Mutant(
        "deadline-from-the-answer",
        "PROTOCOL 13: a lease counts from before its request was sent",
        (
            Edit(
                _KEEPER,
                "self._groups[lease.group_id].held.deadline = sent +",
                "self._groups[lease.group_id].held.deadline = self._runtime.clock.monotonic() +",
            ),
        ),
        ("tests/engine/test_promises.py", "-k", "lease_counts"),
    ),
)
