"""Bugs between a decision and the store: effects, outcomes, positions, mail."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

__all__ = ["ENGINE"]

ENGINE = (
    Mutant(
        "effects-before-durable",
        "law 3: what follows from a commit happens when it is durable, and not before",
        (
            Edit(
                "maestro_flow/actors/flow.py",
                "            self.services.journal.submit(self.write(decision))\n",
                "            self.services.journal.submit(self.write(decision))\n"
                "            from maestro_flow.model.commit import Outcome\n"
                "            self.committed(Committed(Outcome.DONE))\n",
            ),
        ),
        ("tests/engine/test_promises.py", "tests/engine/test_ownership.py", "tests/engine/test_store_faults.py"),
    ),
    Mutant(
        "conflict-ignored",
        "PROTOCOL 4: a flow whose commit was refused is read again",
        (
            Edit(
                "maestro_flow/actors/flow.py",
                "        if not message.outcome.is_durable:\n            self.give_up",
                "        if not message.outcome:\n            self.give_up",
            ),
        ),
        ("tests/engine/test_reclaim.py", "tests/engine/test_refusals.py", "tests/engine/test_ownership.py"),
    ),
    Mutant(
        "positions-reused",
        "PROTOCOL 7: a position is given out once",
        (Edit("maestro_flow/storage/judge.py", "if flow.position <= last:", "if flow.position < last:"),),
        ("tests/storage/test_memory.py", "-k", "given_out_already"),
    ),
    Mutant(
        "page-skipped",
        "PROTOCOL 10: a new owner loads every flow of its group",
        (
            Edit(
                "maestro_flow/node/loader.py",
                "while page := self._storage.load_flows(",
                "if page := self._storage.load_flows(",
            ),
        ),
        ("tests/engine/test_promises.py", "-k", "every_page"),
    ),
    Mutant(
        "poison-for-ever",
        "PROTOCOL 17: a message whose handling always fails is a dead letter after some tries",
        (
            Edit(
                "maestro_flow/core/inbox.py",
                "if failures >= self._deliveries_max:",
                "if failures >= 1_000_000:",
            ),
        ),
        ("tests/engine/test_ownership.py", "-k", "dead_letter"),
    ),
    Mutant(
        "journal-past-its-deadline",
        "PROTOCOL 14: an owner whose lease has run out writes nothing",
        (
            Edit(
                "maestro_flow/node/journal.py",
                "if write.held.lost or now >= write.held.deadline:",
                "if write.held.lost:",
            ),
        ),
        ("tests/engine/test_journal.py", "-k", "fences_itself"),
    ),
)
