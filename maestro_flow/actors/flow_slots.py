"""The slots that a flow's actor takes for a decision, and the return of those that the decision did not use.

``decide`` is pure, so its slots are taken before it is called. An attempt that is started keeps its slot until its
first call has returned.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile

from maestro_flow.actors.slots import SlotLease
from maestro_flow.actors.step_support import StepSupport
from maestro_flow.config.settings import Settings
from maestro_flow.core.decide import Decision
from maestro_flow.core.holds import Interrupted, Ready, Retry
from maestro_flow.core.inputs import Capacity, DecisionLimits, RunStep
from maestro_flow.core.slots import SLOT_KINDS, SlotKind, Slots, kind_of_interrupted
from maestro_flow.core.state import FlowState
from maestro_flow.model.definition import DEFAULT_EXECUTOR

__all__ = ["FlowSlots", "slot_kind"]


def slot_kind(effect: RunStep, state: FlowState) -> SlotKind:
    """The kind of slot that an attempt starts in."""
    return SlotKind.START if effect.execution == 1 else kind_of_interrupted(state.steps[effect.step])


class FlowSlots:
    """See the module. ``wake`` is called on any thread when a slot that was missing may be free."""

    def __init__(self, lease: SlotLease, settings: Settings, group_id: int, wake: Callable[[], None]) -> None:
        self._lease, self._suspects_max, self._group_id, self._wake = lease, settings.suspects_max, group_id, wake
        self._limits = DecisionLimits(
            settings.expression_visits_max,
            settings.crashes_max,
            settings.commit_events_max,
            settings.commit_bytes_max,
        )
        self._waits_for: set[tuple[str, SlotKind]] = set()

    def offer(self, state: FlowState, support: StepSupport, *, is_loading: bool) -> Capacity:
        """Take the slots that a decision may use now."""
        has_interrupted = bool(state.steps.queue(Interrupted)) or is_loading
        take = self._lease.take
        slots = {
            executor: Slots(
                take(executor, SlotKind.START, min(steps, self._limits.events_max)),
                take(executor, SlotKind.SUSPECT, self._suspects_max) if has_interrupted else 0,
                take(executor, SlotKind.CRASHED, 1) if has_interrupted else 0,
            )
            for executor, steps in support.counts.items()
        }
        return Capacity(
            self._limits,
            slots,
            support.executors,
            support.inline,
            support.unsupported,
            group_id=self._group_id,
        )

    def offer_nothing(self, support: StepSupport) -> Capacity:
        """The capacity of a decision on a node that is giving up the flow."""
        return Capacity(self._limits, {}, inline=support.inline, is_leaving=True, group_id=self._group_id)

    def settle(self, offered: Capacity, decision: Decision) -> None:
        """Return the slots that the decision did not use; wait for those that were missing."""
        if not offered.slots:
            return  # nothing new is started, or the engine runs all steps itself
        left = {name: [slots.starts, slots.suspects, slots.crashed] for name, slots in offered.slots.items()}
        for effect in decision.effects:
            if isinstance(effect, RunStep) and effect.step not in offered.inline:
                executor = offered.executors.get(effect.step, DEFAULT_EXECUTOR)
                left[executor][slot_kind(effect, decision.state)] -= 1
        for executor, counts in left.items():
            for kind, count in zip(SLOT_KINDS, counts, strict=True):
                if count > 0:
                    self._lease.give_back(executor, kind, count)
                elif _is_short_of(executor, kind, offered, decision):
                    self._wait(executor, kind)

    def _wait(self, executor: str, kind: SlotKind) -> None:
        slot = (executor, kind)
        if slot not in self._waits_for:
            self._waits_for.add(slot)
            self._lease.wait(executor, kind, lambda: self._free(slot))

    def _free(self, slot: tuple[str, SlotKind]) -> None:
        self._waits_for.discard(slot)
        self._wake()


def _is_short_of(executor: str, kind: SlotKind, offered: Capacity, decision: Decision) -> bool:
    """Whether something that could start had no slot of this kind."""
    state, steps = decision.state, decision.state.steps
    interrupted = steps.queue(Interrupted)
    if state.ending is not None or decision.rest or not (interrupted or kind is SlotKind.START):
        return False

    def runs(step_id: str) -> bool:
        is_run = step_id not in offered.inline and step_id not in offered.unsupported
        return is_run and offered.executors.get(step_id, DEFAULT_EXECUTOR) == executor

    if any(kind_of_interrupted(steps[step_id]) is kind and runs(step_id) for step_id in interrupted):
        return True
    if kind is not SlotKind.START:
        return False
    due = takewhile(lambda step_id: steps.retry_at(step_id) <= decision.at, steps.queue(Retry))  # the earliest first
    return any(map(runs, due)) or any(runs(step_id) for step_id in steps.queue(Ready))
