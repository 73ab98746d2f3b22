"""What is updated all the time on PostgreSQL leaves nothing behind that makes the next update slower."""

from __future__ import annotations

import psycopg
import pytest
from maestro_flow_sql.postgres import open_postgres

from maestro_flow.clock import SystemClock
from maestro_flow.storage.conformance.node import Node
from tests.servers.postgres import Server

RENEWALS = 300

_UPDATES = """
    SELECT n_tup_upd, n_tup_hot_upd, pg_relation_size(relid), pg_indexes_size(relid)
    FROM pg_stat_user_tables WHERE schemaname = %s AND relname = 'leases'
"""


def updates(connection: psycopg.Connection[tuple[int, ...]], schema: str, *, at_least: int) -> tuple[int, ...]:
    """Of the leases: updates, those without an index, and sizes in bytes. A session reports when it ends."""
    while True:
        row = connection.execute(_UPDATES, (schema,)).fetchone()
        assert row is not None
        if row[0] >= at_least:
            return row


def test_a_renewal_touches_no_index_and_the_leases_do_not_grow(postgres: Server, schema: str) -> None:
    """A heap-only update: no index has ``expires_at``, and there is room in its page (fillfactor)."""
    store = open_postgres(postgres.url(schema), SystemClock())
    node = Node(store)
    groups = len(node.claim(store.group_count))
    for _ in range(5):
        node.renew()
    store.close()
    with postgres.connect() as connection:
        before = updates(connection, schema, at_least=6 * groups)
        store = open_postgres(postgres.url(schema), SystemClock())
        node = Node(store, leases=node.leases)
        for _ in range(RENEWALS):
            assert not node.renew().lost
        store.close()
        after = updates(connection, schema, at_least=(6 + RENEWALS) * groups)
    made, without_index = after[0] - before[0], after[1] - before[1]
    assert made == RENEWALS * groups
    assert without_index >= 0.98 * made, f"{made - without_index} of {made} renewals wrote into the indexes"
    assert after[2] <= 4 * before[2], f"the leases grew from {before[2]:,} to {after[2]:,} bytes"


@pytest.mark.parametrize("table", ["leases", "messages", "runs", "workflows"])
def test_what_is_updated_often_is_vacuumed_early_and_at_full_speed(postgres: Server, schema: str, table: str) -> None:
    open_postgres(postgres.url(schema), SystemClock()).close()
    with postgres.connect(schema) as connection:
        row = connection.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", (table,)).fetchone()
    assert row is not None
    assert {"autovacuum_vacuum_scale_factor=0.01", "autovacuum_vacuum_cost_delay=0"} <= set(row[0])
