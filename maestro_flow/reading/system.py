"""Reads system flows from the store."""

from __future__ import annotations

from typing import Any, TypeVar

from maestro_flow.core.system_flow import AnySystemFlow, SystemFlow, SystemRuns, SystemState
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["read_runs", "read_state"]

StateT = TypeVar("StateT", bound=SystemState)


def read_runs(storage: Storage, flow: AnySystemFlow) -> SystemRuns:
    """The live runs of the flow; if there are none, the state with which the first one begins.

    Raises:
        StorageUnavailable, StorageFailed: the store cannot be read.
        UnknownEvent, IllegalEvent: the log cannot be folded.
    """
    *earlier, state = _states(storage, flow)
    return SystemRuns(flow, state, tuple(earlier))


def read_state(storage: Storage, flow: SystemFlow[StateT, Any, Any]) -> StateT:
    """The latest state of the flow; empty if it was never needed. Raises what ``read_runs`` does."""
    return _states(storage, flow)[-1]


def _states(storage: Storage, flow: SystemFlow[StateT, Any, Any]) -> list[StateT]:
    live = RunQuery(workflow_id=flow.name, statuses=frozenset({RunStatus.IN_PROGRESS}))
    runs = sorted(storage.list_runs(live), key=lambda entry: entry.run_id)
    states = [flow.fold(entry.flow_id, storage.read_flow(entry.flow_id)) for entry in runs]
    return states or [flow.new(flow.run_id(1))]
