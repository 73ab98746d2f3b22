"""What a step waits for: its *hold*. A step has at most one, which only ``Steps.set`` changes.

A step without a hold has no complete predecessor yet, runs, or has ended. The others pass through these holds; in any
of them, an action or the end of its run may end a step::

    ──> Predecessors ── the last one is complete ──> Ready, or Unsatisfied ──> ended
    Ready ──┬── breakpoint, pause ──> Paused ── resumed ──> Ready
            ├── limits of tags ─────> Permits ── granted ──> Ready
            └── starts ─────────────> runs ──┬── failed, to be tried again ──> Retry ── starts when it is due ──> runs
                                             └── its process is gone ────────> Interrupted ── runs again ──> runs
    Ready, Retry, Interrupted ── the owner has no code ──> Unsupported ── an owner has it ──> back to the hold before

The hold is a field of the step. In addition, each kind of hold has a *queue* of its steps, because decisions need the
next step without a search, and a map has no cheap order. Steps that wait for predecessors, possibly thousands, have no
queue, because they are never listed: they are counted along the edges (``readiness``).

To add a kind, add a class here, to ``Hold`` and to ``ENDED_WITH_RUN``. Events move steps into it and out of it
(``evolve``), ``verify.steps`` expects it, and ``views.explain_step`` tells users about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from msgspec import Struct

__all__ = [
    "ENDED_WITH_RUN",
    "INTERRUPTED",
    "NO_QUEUE",
    "NO_QUEUES",
    "PAUSED",
    "PERMITS",
    "READY",
    "RETRY",
    "UNSATISFIED",
    "WITHOUT_QUEUE",
    "Hold",
    "Interrupted",
    "Paused",
    "Permits",
    "Predecessors",
    "Queue",
    "Queues",
    "Ready",
    "Retry",
    "Unsatisfied",
    "Unsupported",
    "joined",
    "kind_of",
    "requeued",
]


class Predecessors(Struct, frozen=True):
    """Some predecessors are complete, and some are not."""

    missing: int
    satisfied: bool
    """At least one edge to the step is already true."""


class Unsatisfied(Struct, frozen=True):
    """All predecessors are complete and no edge is true: to be ended as UNSATISFIED."""


class Ready(Struct, frozen=True):
    """Its turn has come: it waits for a slot, or for the limit of concurrent steps of its run."""


class Paused(Struct, frozen=True):
    """Until a user resumes it."""


class Permits(Struct, frozen=True):
    """It has asked for ``StepState.permits``."""


class Retry(Struct, frozen=True):
    """The next attempt is due at ``StepState.retry_at``."""


class Interrupted(Struct, frozen=True):
    """No process runs its current attempt: to be run again, a few at a time (PROTOCOL 24)."""


class Unsupported(Struct, frozen=True):
    """The owner has no code for the step, as recorded (PROTOCOL 22). It keeps its position in a queue."""

    behind: Ready | Retry | Interrupted
    """The hold before, which counts again for an owner with the code."""


Hold: TypeAlias = Predecessors | Unsatisfied | Ready | Paused | Permits | Retry | Interrupted | Unsupported

UNSATISFIED, READY, PAUSED, PERMITS = Unsatisfied(), Ready(), Paused(), Permits()
RETRY, INTERRUPTED = Retry(), Interrupted()

ENDED_WITH_RUN: Final[tuple[type, ...]] = (Interrupted, Retry, Paused, Permits, Ready)
"""Kinds whose steps end when their run is ended, in this order. (Unsatisfied steps end as UNSATISFIED anyway.)"""


class Queue(Struct, frozen=True):
    """Ids of steps, first come first. Removing the first one copies nothing."""

    steps: tuple[str, ...] = ()
    start: int = 0
    """Index of the first step that is still in the queue."""

    def __len__(self) -> int:
        return len(self.steps) - self.start

    def __iter__(self) -> Iterator[str]:
        if not self.start:
            return iter(self.steps)
        return (self.steps[place] for place in range(self.start, len(self.steps)))  # the caller may stop early

    def __contains__(self, step_id: object) -> bool:
        return step_id in self.steps[self.start :]

    @property
    def first(self) -> str:
        """The first step of a queue that is not empty."""
        return self.steps[self.start]

    def without(self, step_id: str) -> Queue | None:
        """The queue after the step has left it; None if that was the last one."""
        steps, start = self.steps, self.start
        if steps[start] != step_id:
            place = steps.index(step_id, start)
            return Queue(steps[start:place] + steps[place + 1 :])
        start += 1
        if 2 * start <= len(steps):
            return Queue(steps, start)
        return Queue(steps[start:]) if start < len(steps) else None


Queues: TypeAlias = Mapping[type, Queue]
"""By kind of hold; kinds without a step are left out."""

NO_QUEUE: Final = Queue()
NO_QUEUES: Final[Queues] = {}
WITHOUT_QUEUE: Final[frozenset[type]] = frozenset({type(None), Predecessors})


def kind_of(hold: Hold | None) -> type:
    """The key of the queue of steps with this hold; some holds have no queue."""
    kind = type(hold)
    return type(hold.behind) if kind is Unsupported else kind  # type: ignore[union-attr]


def requeued(queues: Queues, step_id: str, before: Hold | None, after: Hold | None) -> Queues:
    """The queues after a step has changed its hold: in a new queue, it is behind all others."""
    leaves, joins = kind_of(before), kind_of(after)
    if leaves is joins:
        return queues
    if leaves not in WITHOUT_QUEUE:
        rest = queues[leaves].without(step_id)
        if rest is not None:
            queues = {**queues, leaves: rest}
        elif len(queues) == 1:
            queues = NO_QUEUES
        else:
            queues = {kind: queue for kind, queue in queues.items() if kind is not leaves}
    return queues if joins in WITHOUT_QUEUE else joined(queues, joins, (step_id,))


def joined(queues: Queues, kind: type, step_ids: tuple[str, ...]) -> Queues:
    """The queues after these steps have joined one, behind all others."""
    queue = queues.get(kind)
    return {**queues, kind: Queue(step_ids if queue is None else queue.steps[queue.start :] + step_ids)}
