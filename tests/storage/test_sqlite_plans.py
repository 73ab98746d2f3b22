"""No statement of a verb walks over a table that grows: a hundred thousand finished runs make no difference."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from maestro_flow_sql.sqlite import open_sqlite

from maestro_flow.clock import ManualClock
from tests.storage.verbs import use_every_verb

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


def test_every_statement_finds_its_rows_by_an_index(tmp_path: Path, statements: list[str]) -> None:
    use_every_verb(open_sqlite(f"sqlite:///{tmp_path}/store.db", ManualClock()))
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


def test_a_page_of_runs_that_block_reads_these_alone(tmp_path: Path, statements: list[str]) -> None:
    """However many runs of the workflow have failed."""
    use_every_verb(open_sqlite(f"sqlite:///{tmp_path}/store.db", ManualClock()))
    checked = sqlite3.connect(tmp_path / "store.db")
    steps = [
        step
        for query in statements
        if query.startswith("WITH") and "blocking = 1" in query
        for *_, step in checked.execute(f"EXPLAIN QUERY PLAN {query}")
        if " runs " in step
    ]
    checked.close()
    assert len(steps) == 4
    assert all("SEARCH runs USING INDEX runs_blocking" in step for step in steps)


def test_a_page_of_one_instance_reads_that_instance_alone(tmp_path: Path, statements: list[str]) -> None:
    """Of the indexes that fit, the one by status would lead over every run of the workflow."""
    use_every_verb(open_sqlite(f"sqlite:///{tmp_path}/store.db", ManualClock()))
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


def test_a_page_of_what_a_step_started_reads_that_alone(tmp_path: Path, statements: list[str]) -> None:
    """However many children it has, and however many runs their workflow."""
    use_every_verb(open_sqlite(f"sqlite:///{tmp_path}/store.db", ManualClock()))
    checked = sqlite3.connect(tmp_path / "store.db")
    of_step = [query for query in statements if "parent = 'w/1/1/call'" in query]
    steps = {
        is_instance: {
            step
            for query in of_step
            if ("runs.instance_id = 4" in query) == is_instance
            for *_, step in checked.execute(f"EXPLAIN QUERY PLAN {query}")
            if " runs " in step
        }
        for is_instance in (False, True)
    }
    checked.close()
    assert len(of_step) == 8
    assert {step.partition(" (")[0] for step in steps[False]} == {"SEARCH runs USING INDEX runs_by_parent"}
    assert all("parent=? AND status=?" in step for step in steps[False])
    assert steps[True] == {"SEARCH runs USING INDEX runs_of_parent (parent=? AND instance_id=?)"}


def test_a_page_of_all_runs_leaves_out_what_steps_started_without_reading_it(
    tmp_path: Path, statements: list[str]
) -> None:
    use_every_verb(open_sqlite(f"sqlite:///{tmp_path}/store.db", ManualClock()))
    checked = sqlite3.connect(tmp_path / "store.db")
    steps = {
        step
        for query in statements
        if "runs.parent = ''" in query
        for *_, step in checked.execute(f"EXPLAIN QUERY PLAN {query}")
        if " runs " in step
    }
    checked.close()
    assert len(steps) == 2, "the first page, and those behind it"
    assert all("runs_by_parent (parent=? AND status=?" in step for step in steps)
