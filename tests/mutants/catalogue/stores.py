"""Bugs in the stores, each of which judges in its own language."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

__all__ = ["STORES"]

_FENCE = "PROTOCOL 3: only the current (group, generation, owner) writes"

STORES = (
    Mutant(
        "no-fence-in-memory",
        _FENCE,
        (
            Edit(
                "maestro_flow/storage/memory_state.py",
                "(group.generation, group.owner_id) == (lease.generation, lease.owner_id)",
                "bool(group.generation)",
            ),
        ),
        ("tests/storage/test_memory.py", "-k", "replaced_writes"),
    ),
    Mutant(
        "no-fence-in-sqlite",
        _FENCE,
        (
            Edit(
                "backends/maestro_flow_sql/sqlite/append.py",
                "(leases.group_id, leases.generation, leases.owner_id) = (:group_id, :generation, :owner_id)",
                "leases.group_id = :group_id",
            ),
        ),
        (
            "tests/storage/test_sqlite.py",
            "-k",
            "TestSqlite and (generation or replaced or stale or takeover or commits)",
        ),
    ),
    Mutant(
        "no-fence-in-redis",
        _FENCE,
        (
            Edit(
                "backends/maestro_flow_redis/scripts/commit.lua",
                "elseif commit.generation ~= generation or commit.owner_id ~= owner_id then",
                "elseif false then",
            ),
        ),
        ("tests/storage/test_redis.py", "-k", "replaced_writes"),
        stores=("redis",),
    ),
    Mutant(
        "no-lock-in-postgres",
        "PROTOCOL 11: a claim and a commit of the old owner exclude each other",
        (Edit("backends/maestro_flow_sql/postgres/commit_in_statement.py", "        FOR KEY SHARE\n", ""),),
        ("tests/storage/test_postgres_faults.py", "-k", "waits_for_a_claim"),
        stores=("postgres",),
    ),
    Mutant(
        "no-new-generation",
        "PROTOCOL 3: each claim raises the generation",
        (Edit("backends/maestro_flow_sql/sqlite/leases.py", "SET generation = generation + 1,", "SET"),),
        ("tests/storage/test_sqlite.py", "-k", "next_generation"),
    ),
    Mutant(
        "renewal-of-a-lost-lease",
        "PROTOCOL 13: a lease that somebody else has by now is not extended",
        (
            Edit(
                "backends/maestro_flow_redis/scripts/renew.lua",
                "owner_id == ARGV[2] and there[2] == ARGV[3]",
                "ARGV[3] ~= ''",
            ),
        ),
        ("tests/storage/test_redis.py", "-k", "reports_what_was_lost"),
        stores=("redis",),
    ),
    Mutant(
        "message-twice",
        "PROTOCOL 16: an id stands for one message",
        (
            Edit(
                "maestro_flow/storage/memory_state.py",
                "if message.message_id not in inbox:",
                "if message.message_id:",
            ),
        ),
        ("tests/storage/test_memory.py", "-k", "same_message_again"),
    ),
    Mutant(
        "start-twice",
        "PROTOCOL 18: a request is one run",
        (
            Edit(
                "maestro_flow/storage/memory.py",
                "        if there is not None:\n            check_same_start",
                "        if there is not None and not there:\n            check_same_start",
            ),
        ),
        ("tests/storage/test_memory.py", "-k", "same_request"),
    ),
    Mutant(
        "applied-is-forgotten",
        "PROTOCOL 6: the identical batch again is already applied",
        (Edit("maestro_flow/storage/judge.py", "    if _is_applied(commit, facts):\n", "    if not commit:\n"),),
        ("tests/storage/test_memory.py", "-k", "identical_batch"),
    ),
)
