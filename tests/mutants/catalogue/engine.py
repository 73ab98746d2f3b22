"""Bugs between a decision and the store: effects, outcomes, positions, messages."""

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
                "            self.submit(decision)\n",
                "            self.submit(decision)\n"
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
                "        if not message.outcome.is_durable:\n            self.lose",
                "        if not message.outcome:\n            self.lose",
            ),
        ),
        ("tests/engine/test_reclaim.py", "tests/engine/test_refusals.py", "tests/engine/test_ownership.py"),
    ),
    Mutant(
        "positions-reused",
        "PROTOCOL 7: a position is given out once",
        (Edit("maestro_flow/storage/judge.py", "if flow.position <= last:", "if flow.position < last:"),),
        ("tests/storage/test_memory.py", "-k", "position_that_was_used_before"),
    ),
    Mutant(
        "page-skipped",
        "PROTOCOL 10: a new owner loads every flow of its group",
        (
            Edit(
                "maestro_flow/reading/pages.py",
                "    while page := read(after):",
                "    if page := read(after):",
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
        "destination-ignored",
        "PROTOCOL 20: a message is handled by the group that it is for, and by no other",
        (Edit("maestro_flow/core/inbox.py", "if message.is_in_transit:", "if not message.message_id:"),),
        ("tests/engine/test_system_flows.py", "tests/engine/test_permit_messages.py"),
    ),
    Mutant(
        "answered-at-home",
        "PROTOCOL 20: what a flow sends goes to the group of its receiver",
        (
            Edit(
                "maestro_flow/actors/recording.py",
                "self.services.system_flows.destination_of(message)",
                "self.held.lease.group_id",
            ),
        ),
        ("tests/engine/test_system_flows.py", "tests/engine/test_permits.py", "-k", "answers or share"),
    ),
    Mutant(
        "lost-with-its-flow",
        "PROTOCOL 17: a flow that is loaded again gets the messages that it had in hand",
        (
            Edit(
                "maestro_flow/core/inbox.py",
                "in_hand = list(self._by_flow.get(flow_id, ()))",
                "in_hand = list(self._by_flow.pop(flow_id, ()))",
            ),
        ),
        ("tests/core/test_inbox.py", "tests/engine/test_poison.py"),
    ),
    Mutant(
        "system-flow-in-two",
        "PROTOCOL 21: of two runs of a system flow, which a crash may leave, the later one counts",
        (
            Edit(
                "maestro_flow/reading/system.py",
                "key=lambda entry: entry.run_id)",
                "key=lambda entry: -entry.run_id)",
            ),
        ),
        ("tests/engine/test_system_flows.py", "tests/engine/test_permit_messages.py", "-k", "dies"),
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
