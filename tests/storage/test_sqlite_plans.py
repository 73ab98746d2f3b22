"""No statement of a verb walks over a table that grows: a hundred thousand finished runs make no difference."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from maestro_flow_sql.sqlite import open_sqlite

from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Owner, StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.node import Node, letter
from maestro_flow.storage.process import this_process
from maestro_flow.storage.protocol import RunQuery

GROWING = ("definitions", "log", "before", "messages", "runs", "workflows")
"""Tables that grow, and the other name that one of them has in a statement."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is executed, with its values in it."""
    seen: list[str] = []
    connect = sqlite3.connect

    def traced(*args: object, **more: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **more)  # type: ignore[call-overload] # handed through as it came
        connection.set_trace_callback(seen.append)
        return connection

    monkeypatch.setattr(sqlite3, "connect", traced)
    return seen


def use_every_verb(url: str) -> None:
    store = open_sqlite(url, ManualClock())
    node = Node(store)
    store.push("w", b"{}")
    store.definition("w")
    store.definition("w", 1)
    store.start([StartRequest("w", "r1", 0), StartRequest("w", "r2", 0)])
    store.claim(Owner("o", this_process()), lease_s=9, limit=1)
    node.claim(2)
    store.given(node.group_id)
    store.send(letter(node.group_id))
    node.commit(node.write("w/1/1", 1, sends=(letter(node.group_id, "m2"),)), node.settle("m1"))
    node.commit(node.write("w/1/1", 2))
    node.renew()
    store.receive(node.lease)
    store.message(node.group_id, "m1")
    store.taken(["w/1/1"])
    store.load_flows(node.group_id)
    store.read_flow("w/1/1")
    store.read_log(node.group_id)
    store.run("w/1/1")
    failed = frozenset({RunStatus.FAILED, RunStatus.STOPPED})
    for before in (None, (1.0, "w/1/1")):
        store.list_runs(RunQuery(before=before))
        store.list_runs(RunQuery(before=before, workflow_id="w", statuses=failed))
        store.list_runs(RunQuery(before=before, instance_id=3, statuses=failed))
        store.list_runs(RunQuery(before=before, workflow_id="w", instance_id=3))
    store.purge_messages(settled_before=1.0)
    store.release(node.leases)
    store.close()


def test_every_statement_finds_its_rows_by_an_index(tmp_path: Path, statements: list[str]) -> None:
    use_every_verb(f"sqlite:///{tmp_path}/store.db")
    queries = [text for text in statements if text.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE")]
    assert len(queries) > 40
    checked = sqlite3.connect(tmp_path / "store.db")
    scans = [
        (step, query)
        for query in queries
        for *_, step in checked.execute(f"EXPLAIN QUERY PLAN {query}")
        if step.startswith("SCAN") and step.split()[1] in GROWING
    ]
    checked.close()
    assert scans == []


def test_a_page_of_one_instance_reads_that_instance_alone(tmp_path: Path, statements: list[str]) -> None:
    """Of the indexes that fit, the one by status would lead over every run of the workflow."""
    use_every_verb(f"sqlite:///{tmp_path}/store.db")
    checked = sqlite3.connect(tmp_path / "store.db")
    steps = [
        step
        for query in statements
        if "runs.instance_id = 3" in query
        for *_, step in checked.execute(f"EXPLAIN QUERY PLAN {query}")
        if "SEARCH runs" in step
    ]
    checked.close()
    assert len(steps) == 4
    assert all("runs_of_instance" in step for step in steps)
