"""The journal: the node's only writer of flows. It gives commits their positions and writes what waits in one batch.

One batch is under way at a time, so positions of a group are written in order (PROTOCOL 7). While the store writes it,
the actors go on, and what they decide meanwhile is the next batch: group commit without a timer. A batch whose outcome
is unknown is sent again, identical, until every outcome is definite; nothing else is written before (PROTOCOL 6).
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence

from maestro_flow.actors.base import post
from maestro_flow.actors.messages import Committed
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.services import Held, Write
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, FlowWrite, Outcome
from maestro_flow.storage.protocol import Storage

__all__ = ["GroupCommitJournal"]

logger = logging.getLogger("maestro_flow.engine")

_ANSWERED_HERE_MAX = 2
"""A batch this small means that nothing else is going on: its actors are run on the journal's own thread."""

_RESEND_FIRST_S, _RESEND_MAX_S = 0.05, 1.0


class GroupCommitJournal:
    """See the module. ``submit`` may be called from any thread; the rest runs on the journal's service."""

    def __init__(self, runtime: Runtime, storage: Storage, *, batch_max: int) -> None:
        self._runtime, self._storage, self._batch_max = runtime, storage, batch_max
        self._waiting: deque[Write] = deque()
        self._unresolved: tuple[list[Write], list[Commit]] | None = None
        self._resends = 0
        self._positions: dict[int, int] = {}
        self._service = runtime.service("journal", self._run)

    def open_group(self, held: Held, last_position: int) -> None:
        """Positions of this group go on after the last one; called before its first write.

        When a load is tried again, some of its flows write already: what was given out is never given out again.
        """
        group_id = held.lease.group_id
        self._positions[group_id] = max(last_position, self._positions.get(group_id, 0))

    def submit(self, write: Write) -> None:
        self._waiting.append(write)
        self._service.wake()

    def _run(self) -> None:
        while self._unresolved or self._waiting:
            if self._unresolved is None:
                self._unresolved = self._next_batch()
            writes, commits = self._unresolved
            if commits:
                try:
                    outcomes = self._storage.commit(commits)
                except StorageUnavailable as error:
                    self._resend_later(error)
                    return
                except Exception:
                    logger.exception("the store broke its contract: its commits are taken as conflicts")
                    outcomes = [Outcome.CONFLICT] * len(commits)
                self._answer(writes, outcomes)
            self._unresolved, self._resends = None, 0

    def _next_batch(self) -> tuple[list[Write], list[Commit]]:
        writes: list[Write] = []
        commits: list[Commit] = []
        now = self._runtime.clock.monotonic()
        while self._waiting and len(writes) < self._batch_max:
            write = self._waiting.popleft()
            if write.held.lost or now >= write.held.deadline:
                # Fencing oneself: the store would refuse it as well, but another owner may be at work already.
                post(write.reply_to, Committed(Outcome.OWNERSHIP_LOST))
                continue
            writes.append(write)
            commits.append(self._commit(write))
        return writes, commits

    def _commit(self, write: Write) -> Commit:
        if not write.flow_id:
            return Commit(write.held.lease, settles=write.settles)
        group_id = write.held.lease.group_id
        self._positions[group_id] = position = self._positions[group_id] + 1
        flow = FlowWrite(
            write.flow_id, write.revision, write.commit_id, position, write.at, write.events, entry=write.entry
        )
        return Commit(write.held.lease, flow, write.settles)

    def _answer(self, writes: Sequence[Write], outcomes: Sequence[Outcome]) -> None:
        if len(writes) <= _ANSWERED_HERE_MAX:
            with self._runtime.caller_runs():
                for write, outcome in zip(writes, outcomes, strict=True):
                    post(write.reply_to, Committed(outcome))
        else:
            for write, outcome in zip(writes, outcomes, strict=True):
                post(write.reply_to, Committed(outcome))

    def _resend_later(self, error: StorageUnavailable) -> None:
        wait_s = min(_RESEND_FIRST_S * 2**self._resends, _RESEND_MAX_S)
        self._resends = min(self._resends + 1, 10)
        logger.warning("the store does not answer, the batch is sent again in %.2f s: %s", wait_s, error)
        self._runtime.call_later(wait_s, self._service.wake)
