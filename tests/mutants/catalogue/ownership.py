"""Bugs in who holds what: scans and deadlines."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

__all__ = ["OWNERSHIP"]

_KEEPER = "maestro_flow/node/ownership.py"

OWNERSHIP = (
    Mutant(
        "scan-without-messages",
        "L: what no hint has told is found by a scan",
        (Edit(_KEEPER, "for group_id in renewal.messages | renewal.pending:", "for group_id in frozenset[int]():"),),
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
    Mutant(
        "released-before-it-rests",
        "PROTOCOL 14: a group that is given up is released when its flows have come to rest",
        (
            Edit(
                _KEEPER,
                "if owned.draining is not None and owned.draining.is_set:",
                "if owned.draining is not None:",
            ),
        ),
        ("tests/engine/test_shares.py",),
    ),
    Mutant(
        "drained-and-hungry",
        "a flow that is given up asks for nothing more",
        (
            Edit(
                "maestro_flow/actors/flow_slots.py",
                "        return Capacity(self._limits, {}, ",
                "        return Capacity(self._limits, {name: Slots(0, 0, 0) for name in support.counts}, ",
            ),
        ),
        ("tests/simulation", "-k", "whatever_happens"),
    ),
    Mutant(
        "held-twice",
        "PROTOCOL 10: what is claimed anew is loaded anew, and its actors of old are gone",
        (Edit(_KEEPER, "        self._lose(again, ", "        self._lose([], "),),
        ("tests/engine/test_reclaim.py", "-k", "held_once"),
    ),
)
