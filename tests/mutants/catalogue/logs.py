"""Mutants of what is read from a log and removed from it: cursors of sinks, pruning, mail in transit, children."""

from __future__ import annotations

from tests.mutants.mutant import Edit, Mutant

__all__ = ["LOGS"]

_OWNER_ALONE = "PROTOCOL 28: only the owner of the group prunes"
_DESTINATION = "PROTOCOL 20: a message keeps the group that it is for"

LOGS = (
    Mutant(
        "no-fence-of-a-cursor",
        "PROTOCOL 28: a sink that lost its cursor moves it no more",
        (
            Edit(
                "maestro_flow/storage/cursors.py",
                "if (there.generation, there.owner_id) != (cursor.generation, cursor.owner_id):",
                "if not there.generation:",
            ),
        ),
        ("tests/storage/test_memory.py", "-k", "takes_it_from_its_owner"),
    ),
    Mutant(
        "cursor-past-the-other",
        "PROTOCOL 28: a cursor moves only from where it stands",
        (Edit("maestro_flow/storage/cursors.py", "if there.position != cursor.position:", "if there.position < 0:"),),
        ("tests/storage/test_memory.py", "-k", "only_from_where_it_stands"),
    ),
    Mutant(
        "cursor-swapped-blindly",
        "PROTOCOL 28: of two moves at once one wins",
        (
            Edit(
                "backends/maestro_flow_redis/scripts/swap_cursor.lua",
                "if (redis.call('HGET', key('cursors'), ARGV[2]) or '') ~= ARGV[3] then",
                "if false then",
            ),
        ),
        ("tests/storage/test_redis.py", "-k", "TestRedis and two_concurrent_verbs and cursor"),
        stores=("redis",),
    ),
    Mutant(
        "prune-without-lease-in-sqlite",
        _OWNER_ALONE,
        (
            Edit(
                "backends/maestro_flow_sql/sqlite/pruning.py",
                "    check_current(db, lease)\n    removed",
                "    removed",
            ),
        ),
        ("tests/storage/test_sqlite.py", "-k", "only_the_owner_prunes"),
    ),
    Mutant(
        "prune-without-lease-in-postgres",
        _OWNER_ALONE,
        (
            Edit(
                "backends/maestro_flow_sql/postgres/pruning.py",
                "WHERE (group_id, generation, owner_id) = (%s, %s, %s)",
                "WHERE group_id = %s AND %s::bigint > 0 AND %s::text > ''",
            ),
        ),
        ("tests/storage/test_postgres.py", "-k", "only_the_owner_prunes"),
        stores=("postgres",),
    ),
    Mutant(
        "prune-without-lease-in-redis",
        _OWNER_ALONE,
        tuple(
            Edit(
                f"backends/maestro_flow_redis/scripts/{name}.lua",
                "if fence[1] ~= ARGV[2] or fence[2] ~= ARGV[3] then",
                "if false then",
            )
            for name in ("prunable", "prune")
        ),
        ("tests/storage/test_redis.py", "-k", "TestRedis and only_the_owner_prunes"),
        stores=("redis",),
    ),
    Mutant(
        "silent-gap",
        "PROTOCOL 28: a reader below the watermark is told",
        (Edit("maestro_flow/storage/pruning.py", "if max(after, 0) < pruned_through:", "if False:"),),
        ("tests/storage/test_memory.py", "-k", "below_the_watermark"),
    ),
    Mutant(
        "position-given-out-again",
        "PROTOCOL 7, 28: what was pruned had a position",
        (
            Edit(
                "backends/maestro_flow_sql/sqlite/append.py",
                "AND :position > leases.pruned_through",
                "AND :position > 0",
            ),
        ),
        ("tests/storage/test_sqlite.py", "-k", "pruned_is_never_given_out_again"),
    ),
    Mutant(
        "prune-out-of-order",
        "PROTOCOL 28: the latest run of an instance goes last",
        (Edit("maestro_flow/storage/pruning.py", "run.run_id > min(instance) or not", "not"),),
        ("tests/storage/test_memory.py", "-k", "go_in_order"),
    ),
    Mutant(
        "destination-dropped-in-sql",
        _DESTINATION,
        (
            Edit(
                "backends/maestro_flow_sql/rows.py",
                "message.destination if message.is_in_transit else None",
                "None",
            ),
        ),
        ("tests/storage/test_sqlite.py", "-k", "has_its_destination"),
    ),
    Mutant(
        "destination-dropped-in-redis",
        _DESTINATION,
        (
            Edit(
                "backends/maestro_flow_redis/scripts/inbox.lua",
                "if message.destination ~= '' then",
                "if false then",
            ),
        ),
        ("tests/storage/test_redis.py", "-k", "TestRedis and has_its_destination"),
        stores=("redis",),
    ),
    Mutant(
        "children-among-all",
        "PROTOCOL 2: ten thousand iterations hide no run",
        (
            Edit(
                "backends/maestro_flow_redis/scripts/index.lua",
                "parent == '' and '' or '/' .. parent",
                "''",
            ),
        ),
        ("tests/storage/test_redis.py", "-k", "TestRedis and that_no_step_started"),
        stores=("redis",),
    ),
)
