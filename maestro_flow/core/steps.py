"""The steps of a run: an immutable table of their states, with a queue of waiting steps for each kind of hold.

A state is shared between threads and never changes, so each event creates a new table. With a dict, each event of a run
of 5,000 steps would copy 5,000 entries. Here the steps are numbered in the order of the definition, and 64 neighbours
share a list: setting one copies its list, and the list of these lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Raw, Struct

from maestro_flow.core.holds import (
    NO_QUEUE,
    NO_QUEUES,
    RETRY,
    WITHOUT_QUEUE,
    Hold,
    Queue,
    Queues,
    Retry,
    Unsupported,
    joined,
    kind_of,
    requeued,
)
from maestro_flow.model.events import NO_RESULT, StepError
from maestro_flow.model.params import Param
from maestro_flow.model.status import StepStatus

__all__ = ["UNTOUCHED", "StepState", "Steps"]

_BITS = 6
_WIDTH, _MASK = 1 << _BITS, (1 << _BITS) - 1


class StepState(Struct, frozen=True):
    """The latest attempt of a step, and the budgets that all its attempts share.

    Attempt 0 belongs to a step that waits for something but has no record yet.
    """

    status: StepStatus
    attempt: int = 1
    execution: int = 1
    starting_at: float | None = None
    began_at: float | None = None
    ended_at: float | None = None
    retry_at: float | None = None
    crashes: int = 0
    handed_over: bool = False
    """The previous execution was handed over in an orderly way: not a suspect (PROTOCOL 14, 24)."""
    error_retries: int = 0
    platform_retries: int = 0
    timeout_retries: int = 0
    artifacts: dict[str, Any] = {}
    timeline: tuple[str, ...] = ()
    params: dict[str, Param] = {}
    """Evaluated; literals are only in the definition (``core.params.params_of``)."""
    branches: dict[str, bool] = {}
    """Values of the conditions to its successors that are expressions."""
    timeout_s: float | None = None
    """The attempt's timeout; None if it has none, or if the definition has it as a number."""
    ending: StepStatus | None = None
    """The attempt is being terminated by a user, and will end in this status."""
    permits: dict[str, int] = {}
    """The permits that the attempt has requested and must release: tags with their limits."""
    result: Raw = NO_RESULT
    outputs: dict[str, Param] = {}
    error: StepError | None = None
    hold: Hold | None = None
    """What the step waits for."""

    @property
    def is_active(self) -> bool:
        """See ``StepStatus.is_active``."""
        return self.status.is_active

    @property
    def is_pending(self) -> bool:
        """See ``StepStatus.is_pending``."""
        return self.status.is_pending

    @property
    def next_attempt(self) -> int:
        """Number of the current attempt, or of the next one to begin."""
        status = self.status
        return self.attempt if status.is_active or status.is_pending else self.attempt + 1


UNTOUCHED = StepState(StepStatus.NOT_CREATED, attempt=0)
"""The state of a step that is not in the table."""


class Steps(Struct, frozen=True, eq=False):
    """See the module. The table only has steps to which something has happened."""

    numbers: Mapping[str, int]
    """Index of each step in the definition; shared by all tables of a graph."""
    chunks: list[list[StepState | None]]
    """Never changed in place. Lists, because copying one takes half the time of a tuple with one item changed."""
    queues: Queues = NO_QUEUES
    """Steps by what they wait for; those of ``Retry`` are ordered by due time. Read with ``queue``."""

    @classmethod
    def of(cls, step_ids: Iterable[str]) -> Steps:
        """The table of a run in which nothing has happened yet."""
        numbers = {step_id: number for number, step_id in enumerate(step_ids)}
        whole, rest = divmod(len(numbers), _WIDTH)
        chunks: list[list[StepState | None]] = [[None] * _WIDTH] * whole
        return cls(numbers, [*chunks, [None] * rest] if rest else chunks)

    # -- a mapping ----------------------------------------------------------------------------------------------

    def get(self, step_id: str) -> StepState | None:
        """The step; None if nothing has happened to it, or if the graph does not have it."""
        number = self.numbers.get(step_id)
        return None if number is None else self.chunks[number >> _BITS][number & _MASK]

    def __getitem__(self, step_id: str) -> StepState:
        number = self.numbers[step_id]
        step = self.chunks[number >> _BITS][number & _MASK]
        if step is None:
            raise KeyError(step_id)
        return step

    def __contains__(self, step_id: str) -> bool:
        return self.get(step_id) is not None

    def __iter__(self) -> Iterator[str]:
        return (step_id for step_id, _ in self.items())

    def items(self) -> Iterator[tuple[str, StepState]]:
        """In the order of the definition."""
        return ((step_id, step) for step_id in self.numbers if (step := self.get(step_id)) is not None)

    def values(self) -> Iterator[StepState]:
        """In the order of the definition."""
        return (step for chunk in self.chunks for step in chunk if step is not None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Steps):
            return NotImplemented
        return self.chunks == other.chunks and self.queues == other.queues and self.numbers == other.numbers

    __hash__ = None  # type: ignore[assignment]

    # -- what waits ---------------------------------------------------------------------------------------------

    def hold(self, step_id: str) -> Hold | None:
        """What the step waits for."""
        step = self.get(step_id)
        return None if step is None else step.hold

    def queue(self, kind: type) -> Queue:
        """Steps with this kind of hold, oldest first. ``Unsupported`` ones are in the queue of the hold behind."""
        return self.queues.get(kind, NO_QUEUE)

    def is_in(self, kind: type, step_id: str) -> bool:
        """Whether the step is in this queue."""
        return kind_of(self.hold(step_id)) is kind

    def unsupported(self) -> list[str]:
        """Steps recorded as unsupported by the owner."""
        waiting = (step_id for queue in self.queues.values() for step_id in queue)
        return [step_id for step_id in waiting if isinstance(self.hold(step_id), Unsupported)]

    def retry_at(self, step_id: str) -> float:
        """When the next attempt of a step in the queue of ``Retry`` is due."""
        return self[step_id].retry_at or 0.0

    # -- changes ------------------------------------------------------------------------------------------------

    def set(self, step_id: str, step: StepState) -> Steps:
        """Set the state of a step, and put it into the queue of its hold, behind all others if it is new there."""
        number, chunks, queues, hold = self.numbers[step_id], self.chunks.copy(), self.queues, step.hold
        place, within = number >> _BITS, number & _MASK
        chunk = chunks[place] = chunks[place].copy()
        before = chunk[within]
        chunk[within] = step
        hold_before = None if before is None else before.hold
        if hold is hold_before:
            return Steps(self.numbers, chunks, queues)
        steps = Steps(self.numbers, chunks, requeued(queues, step_id, hold_before, hold))
        return steps._retries_in_order() if hold is RETRY else steps

    def set_all(self, changes: Sequence[tuple[str, StepState]]) -> Steps:
        """The same for many steps, possibly thousands, that are not in a queue."""
        numbers, chunks, queues = self.numbers, self.chunks.copy(), self.queues
        copied: dict[int, list[StepState | None]] = {}
        joining: dict[type, list[str]] = {}
        for step_id, step in changes:
            number = numbers[step_id]
            place = number >> _BITS
            if place not in copied:
                copied[place] = chunks[place] = chunks[place].copy()
            copied[place][number & _MASK] = step
            kind = kind_of(step.hold)
            if kind not in WITHOUT_QUEUE:
                joining.setdefault(kind, []).append(step_id)
        for kind, step_ids in joining.items():
            queues = joined(queues, kind, tuple(step_ids))
        return Steps(numbers, chunks, queues)

    def _retries_in_order(self) -> Steps:
        ordered = sorted(self.queues[Retry], key=lambda step_id: (self.retry_at(step_id), step_id))
        return Steps(self.numbers, self.chunks, {**self.queues, Retry: Queue(tuple(ordered))})
