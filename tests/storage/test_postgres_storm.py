"""Claims against commits on PostgreSQL, as many as there is time for (PROTOCOL 11)."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from maestro_flow_sql.postgres import open_postgres

from maestro_flow.clock import SystemClock
from tests.servers.postgres import Server
from tests.storage.storm import GROUPS, Tally, storm

OWNERS = 4
ROUNDS = 3
_FEW_GROUPS = "UPDATE leases SET owner_id = 'nobody', expires_at = 'infinity' WHERE group_id >= %s"
_EXPIRE = "UPDATE leases SET expires_at = 0 WHERE group_id = %s"


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_in_a_storm_of_claims_no_commit_is_lost_and_none_is_wrongly_accepted(
    postgres: Server, schema: str, request: pytest.FixtureRequest, seed: int
) -> None:
    """For longer: ``--storm-s 60``, with ``-s`` to see the counts."""
    seconds = request.config.getoption("--storm-s") / ROUNDS
    with ExitStack() as at_the_end:
        stores = [open_postgres(postgres.url(schema), SystemClock()) for _ in range(OWNERS)]
        for store in stores:
            at_the_end.callback(store.close)
        hand = at_the_end.enter_context(postgres.connect(schema))
        hand.execute(_FEW_GROUPS, (GROUPS,))
        tally = storm(stores, lambda group_id: hand.execute(_EXPIRE, (group_id,)), seconds=seconds, seed=seed)
    print(tally)
    assert tally == Tally(tally.claims, tally.accepted, tally.rejected, tally.resent, lost=0, wrongly_accepted=0)
    assert tally.rejected > 10, f"too quiet to prove anything: {tally}"
    assert tally.accepted > 10, f"too wild to prove anything: {tally}"
