"""Reads flows from the store: folds a log onto the graph that it follows, and onto the run that it restarts."""

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
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.storage.protocol import Storage

__all__ = ["FlowReader"]

_MENTIONS_PREVIOUS = b'"previous"'
"""In the first record of every restart, and of hardly any other run; only records with it are decoded twice."""


class FlowReader:
    """See the module. Thread-safe; every method reads the store, so actors must not call it.

    Every method raises the errors of the store and of ``GraphCache`` and, for a log that cannot be folded, those of
    ``fold``.
    """

    def __init__(self, storage: Storage, graphs: GraphCache) -> None:
        self._storage, self._graphs = storage, graphs

    def initial(self, run: RunEntry | PendingRun, records: Sequence[LogRecord]) -> FlowState:
        """The state of a run before its first record; ``records`` are all that it has."""
        return self._empty(run, _previous(records))

    def state(self, run: RunEntry | PendingRun, records: Sequence[LogRecord]) -> FlowState:
        """The state of a run after ``records``, which are all that it has; a pending start has none."""
        return fold(self.initial(run, records), records)

    def take_up(self, pending: PendingRun) -> tuple[FlowState, Start]:
        """The empty state of a pending start, and the first input of its flow.

        Raises:
            MaestroFlowError: this version cannot read the request of the start.
        """
        try:
            request = decode_request(pending.body)
        except msgspec.MsgspecError as error:
            raise MaestroFlowError(f"the start of run {pending.flow_id} cannot be read: {error}") from error
        start = Start(pending.instance_id, pending.run_id, pending.created_at, request)
        return self._empty(pending, request.previous), start

    def _empty(self, run: RunEntry | PendingRun, previous: str) -> FlowState:
        graph = self._graphs.of_run(run.flow_id, run.version)
        return FlowState.new(
            run.flow_id,
            graph,
            instance_id=run.instance_id,
            run_id=run.run_id,
            created_at=run.created_at,
            previous=self._previous(previous) if previous else None,
        )

    def _previous(self, flow_id: str) -> FlowState:
        """The run that a restart follows. That may be a restart, too, so the oldest one is folded first."""
        chain: list[tuple[RunEntry, list[LogRecord]]] = []
        while flow_id:
            entry, records = self._storage.run(flow_id), self._storage.read_flow(flow_id)
            if entry is None or not records:
                raise NotFound(f"run {flow_id} is no longer in the store, and a restart continues it")
            chain.append((entry, records))
            flow_id = _previous(records)
        state: FlowState | None = None
        for entry, records in reversed(chain):
            graph = self._graphs.of_run(entry.flow_id, entry.version)
            state = fold(FlowState.new(entry.flow_id, graph, previous=state), records)
        assert state is not None  # noqa: S101 - the loop above has run at least once
        return state


def _previous(records: Sequence[LogRecord]) -> str:
    """Flow id of the run that this one follows; empty for most runs."""
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
