"""Flows as the store has them: a log is folded onto the definition it runs, and onto the run that it follows."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from maestro_flow.core.evolve import fold
from maestro_flow.core.inputs import Start
from maestro_flow.core.state import FlowState
from maestro_flow.errors import MaestroFlowError, NotFound
from maestro_flow.model.events import RunQueued, RunStarted, decode_events
from maestro_flow.model.log import LogRecord
from maestro_flow.model.requests import RunRequest, decode_request
from maestro_flow.model.runs import PendingRun, RunEntry
from maestro_flow.reading.graphs import Library
from maestro_flow.storage.protocol import Storage

__all__ = ["FlowReader"]

_MENTIONS_PREVIOUS = b'"previous"'
"""In the first record of a restart, and of hardly any other run: only such a record is decoded twice."""


class FlowReader:
    """See the module. Thread-safe; everything it does reads the store, so no actor may call it.

    All of it raises the errors of the store and of ``Library.graph``, and, for a log that cannot be folded, what
    ``fold`` raises.
    """

    def __init__(self, storage: Storage, library: Library) -> None:
        self._storage, self._library = storage, library

    def state(self, run: RunEntry | PendingRun, records: Sequence[LogRecord]) -> FlowState:
        """The state of a run with these records, all that it has; a run that is only given has none."""
        return fold(self._empty(run, _previous(records)), records)

    def take_up(self, given: PendingRun) -> tuple[FlowState, Start]:
        """The empty state of a given run, and the first input of its flow.

        Raises:
            MaestroFlowError: what the start asked for cannot be read by this version.
        """
        try:
            request = decode_request(given.body)
        except msgspec.MsgspecError as error:
            raise MaestroFlowError(f"the start of run {given.flow_id} cannot be read: {error}") from error
        start = Start(given.instance_id, given.run_id, given.created_at, request)
        return self._empty(given, request.previous), start

    def _empty(self, run: RunEntry | PendingRun, previous: str) -> FlowState:
        graph = self._library.graph(run.workflow_id, run.version)
        return FlowState.new(
            run.flow_id,
            graph,
            instance_id=run.instance_id,
            run_id=run.run_id,
            created_at=run.created_at,
            previous=self._previous(previous) if previous else None,
        )

    def _previous(self, flow_id: str) -> FlowState:
        """The run that a restart follows, which may be a restart itself: the oldest one is folded first."""
        chain: list[tuple[RunEntry, list[LogRecord]]] = []
        while flow_id:
            entry, records = self._storage.run(flow_id), self._storage.read_flow(flow_id)
            if entry is None or not records:
                raise NotFound(f"run {flow_id} is not in the store any more, and a restart goes on from it")
            chain.append((entry, records))
            flow_id = _previous(records)
        state: FlowState | None = None
        for entry, records in reversed(chain):
            graph = self._library.graph(entry.workflow_id, entry.version)
            state = fold(FlowState.new(entry.flow_id, graph, previous=state), records)
        assert state is not None  # noqa: S101 - the loop above has run at least once
        return state


def _previous(records: Sequence[LogRecord]) -> str:
    """Flow id of the run that this one follows; empty for most."""
    if not records or _MENTIONS_PREVIOUS not in records[0].events:
        return ""
    match decode_events(records[0].events, records[0].schema_version):
        case (RunQueued(request=RunRequest(previous=previous)), *_) | (
            RunStarted(request=RunRequest(previous=previous)),
            *_,
        ):
            return previous
        case _:
            return ""
