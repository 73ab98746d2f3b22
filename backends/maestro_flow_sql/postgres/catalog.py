"""Definitions and starts on Postgres: step (a) of a start is one transaction (PROTOCOL 18).

Nearly all starts, a single request with a new id, are one statement. All others are examined first, under the lock of
the workflow: several requests, a repeated one, one that cannot be met, a restart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import psycopg

from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow_sql.postgres.connections import Direct
from maestro_flow_sql.rows import INSERT_START, START_COLUMNS, start_values
from maestro_flow_sql.starts import answer_starts

__all__ = ["acknowledge_starts", "push", "start"]

# The workflow's row is the lock for counting versions and instances. A separate statement under the lock reads what
# its previous holder has committed.
_LOCK_VERSIONS = """
    INSERT INTO workflows (workflow_id, latest_version, latest_instance) VALUES (%(workflow_id)s, 0, 0)
    ON CONFLICT (workflow_id) DO UPDATE SET latest_version = workflows.latest_version
    RETURNING latest_version
"""

_PUSH = """
    WITH latest AS (
        SELECT 1 FROM definitions
        WHERE workflow_id = %(workflow_id)s AND version = %(latest)s AND body = %(body)s
    ),
    pushed AS (
        INSERT INTO definitions (workflow_id, version, body, created_at)
        SELECT %(workflow_id)s, %(latest)s + 1, %(body)s, store_time() WHERE NOT EXISTS (SELECT FROM latest)
        RETURNING version
    )
    UPDATE workflows SET latest_version = pushed.version
    FROM pushed WHERE workflow_id = %(workflow_id)s
    RETURNING latest_version
"""

# The UPDATE locks the row of the workflow. A copy of the request that was started meanwhile is not in our snapshot, but
# in the unique index: then the statement fails as a whole. The flow id has the format of model/flow_id.py.
_START_ONE = f"""
    WITH counted AS (
        UPDATE workflows SET latest_instance = latest_instance + 1
        WHERE workflow_id = %(workflow_id)s
          AND coalesce(%(version)s::bigint, latest_version) BETWEEN 1 AND latest_version
          AND NOT EXISTS (
              SELECT FROM runs WHERE runs.workflow_id = %(workflow_id)s AND runs.request_id = %(request_id)s)
        RETURNING latest_version, latest_instance
    )
    INSERT INTO runs (flow_id, workflow_id, version, instance_id, run_id, group_id,
                      request_id, body, created_at, parent, status, is_given, is_live)
    SELECT %(workflow_id)s || '/' || latest_instance || '/1', %(workflow_id)s,
           coalesce(%(version)s::bigint, latest_version), latest_instance, 1, %(group_id)s,
           %(request_id)s, %(body)s, store_time(), %(parent)s, 'CREATED', 1, 0
    FROM counted
    RETURNING {START_COLUMNS}, true
"""  # noqa: S608 - the columns are ours

_LOCK_COUNTERS = """
    SELECT workflow_id, latest_version, latest_instance FROM workflows
    WHERE workflow_id = ANY (%s::text[])
    ORDER BY workflow_id
    FOR NO KEY UPDATE
"""

_STARTED = f"""
    SELECT {START_COLUMNS}
    FROM unnest(%s::text[], %s::text[]) AS asked (workflow_id, request_id)
    JOIN runs USING (workflow_id, request_id)
"""  # noqa: S608 - the columns are ours

_LATEST_RUNS = f"""
    SELECT latest.*
    FROM unnest(%s::text[], %s::bigint[]) AS asked (workflow_id, instance_id)
    CROSS JOIN LATERAL (
        SELECT {START_COLUMNS} FROM runs
        WHERE runs.instance_id = asked.instance_id AND runs.workflow_id = asked.workflow_id
          AND runs.request_id IS NOT NULL
        ORDER BY runs.run_id DESC
        LIMIT 1
    ) AS latest
"""  # noqa: S608 - the columns are ours

_NOW = "SELECT store_time()"

_INSERT_RUN = INSERT_START.format(placeholders=", ".join(["%s"] * 10))

_COUNT_INSTANCES = "UPDATE workflows SET latest_instance = %s WHERE workflow_id = %s"

# In the order in which a commit locks runs, or the two would deadlock.
_ACKNOWLEDGE = """
    WITH locked AS MATERIALIZED (
        SELECT number FROM runs WHERE flow_id = ANY (%s::text[]) AND is_given = 1 ORDER BY flow_id FOR NO KEY UPDATE
    )
    UPDATE runs SET is_given = 0 FROM locked WHERE runs.number = locked.number
"""


def push(db: Direct, workflow_id: str, body: bytes) -> int:
    with db.transaction():
        latest = _one(db, _LOCK_VERSIONS, {"workflow_id": workflow_id})
        pushed = db.execute(_PUSH, {"workflow_id": workflow_id, "body": body, "latest": latest}).fetchone()
    return int(latest if pushed is None else pushed[0])


def start(db: Direct, requests: Sequence[StartRequest]) -> list[PendingRun]:
    """Raises NotFound, Conflict, as the protocol says. All or nothing, so numbers have no gaps."""
    if len(requests) == 1 and requests[0].after is None:
        run = _start_one(db, requests[0])
        if run is not None:
            return [run]
    return _start_all(db, requests)


def _start_one(db: Direct, request: StartRequest) -> PendingRun | None:
    """The run of a new request that can be met, or None."""
    try:
        row = db.execute(_START_ONE, attrs.asdict(request), prepare=True).fetchone()
    except psycopg.errors.UniqueViolation:
        return None
    return None if row is None else PendingRun(*row)


def _start_all(db: Direct, requests: Sequence[StartRequest]) -> list[PendingRun]:
    asked = [request.workflow_id for request in requests]
    with db.transaction():
        locked = db.execute(_LOCK_COUNTERS, (sorted(set(asked)),), prepare=True)
        counters = {workflow_id: (version, instance) for workflow_id, version, instance in locked}
        found = db.execute(_STARTED, (asked, [request.request_id for request in requests]), prepare=True)
        started = [PendingRun(*row) for row in found]
        answers = answer_starts(requests, started, _followed(db, requests), counters, _one(db, _NOW))
        _insert(db, [run for run in answers if run.fresh])
    return answers


def _followed(db: Direct, requests: Sequence[StartRequest]) -> list[PendingRun]:
    """The latest runs of the instances that restarts are about."""
    instances = {(request.workflow_id, request.after[0]) for request in requests if request.after is not None}
    if not instances:
        return []
    workflow_ids, instance_ids = map(list, zip(*sorted(instances), strict=True))
    return [PendingRun(*row) for row in db.execute(_LATEST_RUNS, (workflow_ids, instance_ids), prepare=True)]


def acknowledge_starts(db: Direct, flow_ids: Sequence[str]) -> None:
    db.execute(_ACKNOWLEDGE, (list(flow_ids),))


def _insert(db: Direct, fresh: Sequence[PendingRun]) -> None:
    if not fresh:
        return
    highest = {run.workflow_id: run.instance_id for run in fresh if run.run_id == 1}
    with db.cursor() as cursor:
        cursor.executemany(_INSERT_RUN, [start_values(run) for run in fresh])
        cursor.executemany(_COUNT_INSTANCES, [(instance_id, name) for name, instance_id in sorted(highest.items())])


def _one(db: Direct, query: str, values: dict[str, Any] | None = None) -> Any:
    """The value of a statement with one row of one column."""
    (value,) = db.execute(query, values).fetchone() or (None,)
    return value
