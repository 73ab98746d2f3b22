"""Explains a run or a step, with what its state does not show: its owner, the runs before it, the time of changes."""

from __future__ import annotations

from collections.abc import Iterable

from maestro_flow.core.holds import Permits
from maestro_flow.core.state import FlowState
from maestro_flow.model.definition import RunRule
from maestro_flow.model.events import StepEvent, decode_events
from maestro_flow.model.log import LogRecord
from maestro_flow.model.status import LIVE_RUN_STATUSES, RunStatus
from maestro_flow.storage.protocol import RunQuery, Storage
from maestro_flow.views.explain_run import explain_run
from maestro_flow.views.explain_step import explain_step
from maestro_flow.views.explanation import Explanation, Surroundings
from maestro_flow.views.tag_permits import read_tag_permits

__all__ = ["explain"]

_RUNS_MAX = 500
"""How many runs of a queue are read: the newest live ones."""


def explain(storage: Storage, state: FlowState, group_id: int, step_id: str = "") -> Explanation:
    """Why the run, or one of its steps, is in its status.

    Raises:
        NotFound: there is no such step.
        StorageUnavailable: the store does not answer.
    """
    if step_id:
        state.graph.known([step_id])
    ahead, blocking = _before(storage, state) if state.status is RunStatus.CREATED else ((), ())
    changed_at = None if state.status.is_terminal else _changed_at(storage.read_flow(state.flow_id), step_id)
    tags = {}
    if step_id and state.steps.is_in(Permits, step_id):
        tags = {name: (tag.limit, tag.held) for name, tag in read_tag_permits(storage).items()}
    around = Surroundings(group_id, storage.holder(group_id), ahead, blocking, changed_at, tags)
    return explain_step(state, step_id, around) if step_id else explain_run(state, around)


def _before(storage: Storage, state: FlowState) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Flow ids of the live runs before a queued one, nearest first, and of those that block it."""
    definition = state.graph.definition
    if not definition.run_strategy.is_limited:
        return (), ()
    entries = storage.list_runs(RunQuery(workflow_id=definition.id, statuses=LIVE_RUN_STATUSES, limit=_RUNS_MAX))
    own = (state.instance_id, state.run_id)
    # All active runs are before it, even newer ones: they may have begun while this one was restarted.
    ahead = tuple(
        entry.flow_id
        for entry in entries
        if (entry.instance_id, entry.run_id) < own
        or (entry.status is RunStatus.IN_PROGRESS and entry.flow_id != state.flow_id)
    )
    blocking: tuple[str, ...] = ()
    if definition.run_strategy.rule is RunRule.STRICT_SEQUENTIAL:
        found = storage.list_runs(RunQuery(workflow_id=definition.id, blocking=True, limit=_RUNS_MAX))
        blocking = tuple(entry.flow_id for entry in found)
    return ahead, blocking


def _changed_at(records: Iterable[LogRecord], step_id: str) -> float | None:
    """Time of the last record that changed the status of the step; of the last one of all, if none is named."""
    changed_at = None
    name = step_id.encode()
    for record in records:
        if not step_id:
            changed_at = record.at
        elif name in record.events:
            for event in decode_events(record.events, record.schema_version):
                if isinstance(event, StepEvent) and event.step == step_id and event.is_change:
                    changed_at = record.at
    return changed_at
