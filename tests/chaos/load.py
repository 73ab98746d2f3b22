"""The client of a storm: starts runs at an even pace, repeats unanswered requests, and records the answers."""

from __future__ import annotations

import threading
import time

from maestro_flow import Client, RunStatus
from maestro_flow.errors import StorageUnavailable
from maestro_flow.storage.protocol import RunQuery
from maestro_flow.verify.history import Answer, Operation

__all__ = ["Load"]

_BATCH = 10
_GOING = RunQuery(statuses=frozenset({RunStatus.CREATED, RunStatus.IN_PROGRESS}), limit=1)


class Load:
    """``operations`` are the requests and answers so far."""

    def __init__(self, url: str, flows: int, seconds: float) -> None:
        self._client = Client(url)
        self._flows, self._seconds = flows, seconds
        self.operations: list[Operation] = []
        self._thread = threading.Thread(target=self._start_all, daemon=True)

    @property
    def client(self) -> Client:
        return self._client

    def begin(self) -> None:
        """As soon as a node has pushed the workflow."""
        self._thread.start()

    def finish(self, patience_s: float) -> None:
        """Until every start is answered."""
        self._thread.join(patience_s)
        assert not self._thread.is_alive(), "a start was never answered"

    def until_ended(self, patience_s: float) -> float:
        """Seconds until no run is active; infinity if some still are when the patience is exhausted."""
        began = time.monotonic()
        while time.monotonic() < began + patience_s:
            try:
                if not self._client.storage.list_runs(_GOING):
                    return time.monotonic() - began
            except StorageUnavailable:
                continue
            finally:
                time.sleep(0.02)
        return float("inf")

    def _start_all(self) -> None:
        began = time.monotonic()
        for first in range(0, self._flows, _BATCH):
            time.sleep(max(0.0, began + self._seconds * first / self._flows - time.monotonic()))
            self._start([f"r{number}" for number in range(first, min(first + _BATCH, self._flows))])

    def _start(self, keys: list[str]) -> None:
        while True:
            try:
                runs = self._client.start_many("stormy", [{}] * len(keys), request_ids=keys)
            except StorageUnavailable:
                self._note(Answer.UNKNOWN, keys, [""] * len(keys))
                time.sleep(0.05)
            else:
                self._note(Answer.ACCEPTED, keys, [run.flow_id for run in runs])
                return

    def _note(self, answer: Answer, keys: list[str], flow_ids: list[str]) -> None:
        for key, flow_id in zip(keys, flow_ids, strict=True):
            self.operations.append(Operation("start", answer, key, flow_id, workflow_id="stormy"))
