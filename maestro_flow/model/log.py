"""The log as readers get it: committed revisions, and all those of one flow."""

from __future__ import annotations

from attrs import frozen

from maestro_flow.model.runs import RunEntry

__all__ = ["FlowLog", "LogRecord"]


@frozen
class LogRecord:
    """One committed revision, with the fence that it was written under, for ``verify``."""

    flow_id: str
    revision: int
    group_id: int
    generation: int
    owner_id: str
    position: int
    commit_id: str
    at: float
    schema_version: int
    events: bytes


@frozen
class FlowLog:
    """All records of one flow in order of revision, and its entry in the index."""

    entry: RunEntry
    records: tuple[LogRecord, ...]
