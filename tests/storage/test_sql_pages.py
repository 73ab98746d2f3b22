"""A page of flows has a bounded size in SQL stores: it must be read within the timeout of a statement."""

from __future__ import annotations

from attrs import evolve
from maestro_flow_sql.postgres import open_postgres

from maestro_flow.clock import SystemClock
from maestro_flow.storage.conformance.node import Node
from tests.servers.postgres import Server


def test_a_page_of_long_flows_is_short_and_none_is_left_out(postgres: Server, schema: str) -> None:
    store = open_postgres(postgres.url(schema), SystemClock())
    node = Node(store)
    node.claim()
    ids = [f"w/{number}/1" for number in range(1, 6)]
    for flow_id in ids:
        commit = node.write(flow_id, 1)
        assert commit.flow is not None
        node.commit(evolve(commit, flow=evolve(commit.flow, events=b"[" + b"1" * 5_000_000 + b"]")))
    sizes, found = [], [""]
    while page := store.load_flows(node.group_id, after=found[-1]):
        sizes.append(len(page))
        found += [log.entry.flow_id for log in page]
    store.close()
    assert found[1:] == ids
    assert sizes == [1] * 5
