"""The journal: the node's only writer of flows. It assigns positions to commits and writes them in batches.

One batch is in flight at a time, so positions of a group are written in order (PROTOCOL 7). While the store writes it,
the actors continue, and what they decide meanwhile is the next batch: group commit without a timer. A batch whose
outcome is unknown is resent, identical, until every outcome is definite; nothing else is written before (PROTOCOL 6).

A batch that the store refuses as a whole is halved until the offending commit stands alone. That one is a conflict to
its flow; the others are written. Those that were written before are recognised by their commit id.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from maestro_flow.actors.base import post
from maestro_flow.actors.messages import Committed
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held, Write
from maestro_flow.errors import StorageFailed, StorageUnavailable
from maestro_flow.model.commit import Commit, FlowWrite, Outcome
from maestro_flow.node.health import StoreHealth
from maestro_flow.storage.protocol import Storage

__all__ = ["GroupCommitJournal"]

logger = logging.getLogger("maestro_flow.engine")

_ANSWERED_HERE_MAX = 2
"""A batch this small means that the node is mostly idle: its actors run on the journal's own thread."""

_RESEND_FIRST_S, _RESEND_MAX_S = 0.05, 0.5

_Batch = list[tuple[Write, Commit]]


class GroupCommitJournal:
    """See the module. ``submit`` may be called from any thread; the rest runs on the journal's service."""

    def __init__(self, runtime: Runtime, storage: Storage, health: StoreHealth, *, batch_max: int) -> None:
        self._runtime, self._storage, self._health, self._batch_max = runtime, storage, health, batch_max
        self._waiting: deque[Write] = deque()
        self._unresolved: deque[_Batch] = deque()  # the batch in flight, or its parts if it was refused
        self._resends = 0
        self._positions: dict[int, int] = {}
        self._service = runtime.service("journal", self._run)

    def open_group(self, held: Held, last_position: int) -> None:
        """Continue this group's positions from the last one; called before its first write.

        When a load is retried, some of its flows are already writing: a position is never assigned twice.
        """
        group_id = held.lease.group_id
        self._positions[group_id] = max(last_position, self._positions.get(group_id, 0))

    def submit(self, write: Write) -> None:
        self._waiting.append(write)
        self._service.wake()

    def close(self) -> None:
        """Stop writing. Commits that still wait are lost; the next owner decides again."""
        self._service.close()

    def _run(self) -> None:
        while self._health.failure is None and (self._unresolved or self._waiting):
            if not self._unresolved and (batch := self._next_batch()):
                self._unresolved.append(batch)
            while self._unresolved:
                outcomes = self._write(self._unresolved[0])
                if outcomes is None:
                    return
                if outcomes:
                    self._answer(self._unresolved.popleft(), outcomes)

    def _write(self, batch: _Batch) -> Sequence[Outcome] | None:
        """The outcomes; empty if the batch was split instead; None if there is nothing more to do for now."""
        try:
            outcomes = self._storage.commit([commit for _, commit in batch])
        except StorageUnavailable as error:
            self._resend_later(error)
            return None
        except StorageFailed as error:
            self._health.fail(error)
            return None
        except Exception as error:
            if len(batch) == 1:
                write, _ = batch[0]  # never the events: they hold the user's data
                logger.exception("the store refused revision %d of %s", write.revision, write.flow_id or "no flow")
                return [Outcome.CONFLICT]
            logger.warning("the store refused a batch of %d commits, which is now split: %s", len(batch), error)
            middle = len(batch) // 2
            self._unresolved[0] = batch[:middle]
            self._unresolved.insert(1, batch[middle:])
            return []
        self._resends = 0
        return outcomes

    def _next_batch(self) -> _Batch:
        batch: _Batch = []
        now = self._runtime.clock.monotonic()
        while self._waiting and len(batch) < self._batch_max:
            write = self._waiting.popleft()
            if write.held.lost or now >= write.held.deadline:
                # The node fences itself: the store would refuse it, too, but another owner may already be active.
                post(write.reply_to, Committed(Outcome.OWNERSHIP_LOST, write.sends))
                continue
            batch.append((write, self._commit(write)))
        return batch

    def _commit(self, write: Write) -> Commit:
        if not write.flow_id:
            return Commit(write.held.lease, settles=write.settles, sends=write.sends)
        group_id = write.held.lease.group_id
        self._positions[group_id] = position = self._positions[group_id] + 1
        flow = FlowWrite(
            write.flow_id, write.revision, write.commit_id, position, write.at, write.events, entry=write.entry
        )
        return Commit(write.held.lease, flow, write.settles, write.sends)

    def _answer(self, batch: _Batch, outcomes: Sequence[Outcome]) -> None:
        if len(batch) <= _ANSWERED_HERE_MAX:
            with self._runtime.caller_runs():
                for (write, _), outcome in zip(batch, outcomes, strict=True):
                    post(write.reply_to, Committed(outcome, write.sends))
        else:
            for (write, _), outcome in zip(batch, outcomes, strict=True):
                post(write.reply_to, Committed(outcome, write.sends))

    def _resend_later(self, error: StorageUnavailable) -> None:
        wait_s = min(_RESEND_FIRST_S * 2**self._resends, _RESEND_MAX_S)
        self._resends = min(self._resends + 1, 10)
        self._health.away(error)
        self._runtime.call_later(wait_s, self._service.wake)
