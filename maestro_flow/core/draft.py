"""A decision in progress: each event is folded at once, so that the next one is decided on the resulting state."""

from __future__ import annotations

from msgspec import Struct

from maestro_flow.core.evolve import evolve
from maestro_flow.core.inputs import Capacity, Effect, Input, OutgoingMessage, TerminateStep
from maestro_flow.core.params.evaluation import Evaluation
from maestro_flow.core.slots import SlotKind
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.commit import Settlement
from maestro_flow.model.definition import DEFAULT_EXECUTOR
from maestro_flow.model.events import Event, RunStopping
from maestro_flow.model.status import StepStatus

__all__ = ["Decision", "Draft"]


class Decision(Struct, frozen=True):
    """Events to write, effects to carry out once they are durable, and the state that the events lead to.

    ``state.revision`` is one higher than before exactly when there are events.
    """

    state: FlowState
    at: float
    events: tuple[Event, ...] = ()
    effects: tuple[Effect, ...] = ()
    settles: tuple[Settlement, ...] = ()
    sends: tuple[OutgoingMessage, ...] = ()
    rest: tuple[Input, ...] = ()


class Draft:
    """See the module. The other modules of ``decide`` write into it."""

    def __init__(self, state: FlowState, at: float, capacity: Capacity) -> None:
        self.state, self.at, self.capacity = state, at, capacity
        self._slots: dict[str, list[int]] = {}
        self.starts = 0
        """Free slots of that kind, of all executors."""
        for executor, free in capacity.slots.items():
            self._slots[executor] = [free.starts, free.suspects, free.crashed]
            self.starts += free.starts
        self._evaluation: Evaluation | None = None
        self.events: list[Event] = []
        self.effects: list[Effect] = []
        self.settles: list[Settlement] = []
        self.sends: list[OutgoingMessage] = []
        self.bytes = 0
        self.ended = 0
        """Attempts that the decision has ended."""

    @property
    def is_full(self) -> bool:
        """The commit is large enough, or has cost enough: the rest belongs in the next one (PROTOCOL 9)."""
        limits = self.capacity.limits
        return (
            len(self.events) >= limits.events_max
            or self.bytes >= limits.bytes_max
            or (self._evaluation is not None and self._evaluation.is_spent)
        )

    @property
    def evaluation(self) -> Evaluation:
        """Created on demand: most decisions evaluate nothing."""
        if self._evaluation is None:
            self._evaluation = Evaluation(self.at, self.capacity.limits.expression_visits_max)
        return self._evaluation

    def emit(self, event: Event) -> None:
        self.state = evolve(self.state, event, self.at)
        self.events.append(event)

    def take_slot(self, step_id: str, kind: SlotKind) -> bool:
        """Use up a slot of the executor that runs the step; False if none is free."""
        free = self._slots.get(self.capacity.executors.get(step_id, DEFAULT_EXECUTOR))
        if free is None or free[kind] <= 0:
            return False
        free[kind] -= 1
        if kind is SlotKind.START:
            self.starts -= 1
        return True

    def settle(self, message_id: str, outcome: str) -> None:
        self.settles.append(Settlement(message_id, outcome))

    def terminate(self, step_id: str, step: StepState) -> None:
        """Have a running attempt terminated; its report follows."""
        self.effects.append(TerminateStep(step_id, step.attempt))

    def running(self, *, inline: bool | None = None) -> list[tuple[str, StepState]]:
        """Active steps with a process that runs them, or ran them for the last owner, in the order of the definition.

        With ``inline``, only those that the engine itself runs (True), or only the others (False).
        """
        return [
            (step_id, step)
            for step_id, step in self.state.steps.items()
            if step.is_active and step.hold is None and inline in (None, step_id in self.capacity.inline)
        ]

    def end_early(self, status: StepStatus, reason: str, message_id: str = "") -> None:
        """Start nothing new, and end everything unfinished in this status: running attempts are terminated here,
        waiting steps are ended by ``advance``."""
        if self.state.ending is None:  # otherwise they were already told
            for step_id, step in self.running():
                self.terminate(step_id, step)
        self.emit(RunStopping(message_id, status, reason))
