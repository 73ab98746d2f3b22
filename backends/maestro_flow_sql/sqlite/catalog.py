"""Definitions and starts on SQLite: step (a) of a start is one transaction (PROTOCOL 18)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow_sql.rows import INSERT_START, START_COLUMNS, start_values
from maestro_flow_sql.sqlite.values import as_json
from maestro_flow_sql.starts import answer_starts

__all__ = ["acknowledge_starts", "push", "start"]

_LATEST = """
    SELECT version, body FROM definitions WHERE workflow_id = ? ORDER BY version DESC LIMIT 1
"""

_INSERT_DEFINITION = """
    INSERT INTO definitions (workflow_id, version, body, created_at) VALUES (?, ?, ?, ?)
"""

_COUNT_VERSION = """
    INSERT INTO workflows (workflow_id, latest_version, latest_instance) VALUES (?, ?, 0)
    ON CONFLICT (workflow_id) DO UPDATE SET latest_version = excluded.latest_version
"""

_WORKFLOWS = """
    SELECT workflow_id, latest_version, latest_instance FROM workflows
    WHERE workflow_id IN (SELECT value FROM json_each(?))
"""

_STARTED = f"""
    SELECT {START_COLUMNS}
    FROM json_each(?) AS asked
    JOIN runs ON runs.workflow_id = asked.value ->> 0 AND runs.request_id = asked.value ->> 1
"""  # noqa: S608 - the columns are ours

_LATEST_RUN = f"""
    SELECT {START_COLUMNS} FROM runs
    WHERE runs.instance_id = ? AND runs.workflow_id = ? AND runs.request_id IS NOT NULL
    ORDER BY runs.run_id DESC LIMIT 1
"""  # noqa: S608 - the columns are ours

_INSERT_RUN = INSERT_START.format(placeholders=", ".join("?" * 10))

_COUNT_INSTANCES = "UPDATE workflows SET latest_instance = ? WHERE workflow_id = ?"

_ACKNOWLEDGE = """
    UPDATE runs SET is_given = 0 WHERE flow_id IN (SELECT value FROM json_each(?)) AND is_given = 1
"""


def push(db: sqlite3.Connection, workflow_id: str, body: bytes, now: float) -> int:
    latest, latest_body = db.execute(_LATEST, (workflow_id,)).fetchone() or (0, None)
    if latest_body == body:
        return int(latest)
    version = int(latest) + 1
    db.execute(_INSERT_DEFINITION, (workflow_id, version, body, now))
    db.execute(_COUNT_VERSION, (workflow_id, version))
    return version


def start(db: sqlite3.Connection, requests: Sequence[StartRequest], now: float) -> list[PendingRun]:
    """Raises NotFound, Conflict, as the protocol says; then the caller rolls back, so it is all or nothing."""
    asked = as_json({request.workflow_id for request in requests})
    counters = {name: (version, instance) for name, version, instance in db.execute(_WORKFLOWS, (asked,))}
    answers = answer_starts(requests, _started(db, requests), _followed(db, requests), counters, now)
    _insert(db, [run for run in answers if run.fresh])
    return answers


def acknowledge_starts(db: sqlite3.Connection, flow_ids: Sequence[str]) -> None:
    db.execute(_ACKNOWLEDGE, (as_json(flow_ids),))


def _started(db: sqlite3.Connection, requests: Sequence[StartRequest]) -> list[PendingRun]:
    asked = as_json((request.workflow_id, request.request_id) for request in requests)
    return [PendingRun(*row) for row in db.execute(_STARTED, (asked,))]


def _followed(db: sqlite3.Connection, requests: Sequence[StartRequest]) -> list[PendingRun]:
    """The latest runs of the instances that restarts are about."""
    instances = {(request.after[0], request.workflow_id) for request in requests if request.after is not None}
    return [PendingRun(*row) for instance in instances for row in db.execute(_LATEST_RUN, instance)]


def _insert(db: sqlite3.Connection, fresh: Sequence[PendingRun]) -> None:
    db.executemany(_INSERT_RUN, [start_values(run) for run in fresh])
    highest = {run.workflow_id: run.instance_id for run in fresh if run.run_id == 1}
    db.executemany(_COUNT_INSTANCES, [(instance_id, workflow_id) for workflow_id, instance_id in highest.items()])
