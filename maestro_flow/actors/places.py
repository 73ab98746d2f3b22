"""The places that one flow's actor takes for a decision, and what it does with those that the decision did not use.

``decide`` is pure, so what it may use is taken before it is called; an attempt that is started keeps its place until
its first call has returned.
"""

from __future__ import annotations

from collections.abc import Callable

from maestro_flow.actors.room import Place, Share
from maestro_flow.actors.services import Limits, StepSupport
from maestro_flow.core.decide import Decision
from maestro_flow.core.holds import Interrupted, Ready, Retry
from maestro_flow.core.inputs import Capacity, RunStep
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState

__all__ = ["Places", "place_of"]


def place_of(effect: RunStep, state: FlowState, inline: frozenset[str]) -> Place | None:
    """The kind of place that an attempt is started in; none for a step that the engine runs itself."""
    if effect.step in inline:
        return None
    return Place.START if effect.execution == 1 else _place_of_interrupted(state.steps[effect.step])


def _place_of_interrupted(step: StepState) -> Place:
    if step.crashes:
        return Place.CRASHED
    return Place.START if step.handed_over else Place.SUSPECT


class Places:
    """See the module. ``wake`` is called, from any thread, when a place that was missing may be free."""

    def __init__(self, share: Share, limits: Limits, group_id: int, wake: Callable[[], None]) -> None:
        self._share, self._limits, self._group_id, self._wake = share, limits, group_id, wake
        self._waits_for: set[Place] = set()

    def offer(self, state: FlowState, support: StepSupport, *, is_loading: bool) -> Capacity:
        """What a decision may use now."""
        starts = suspects = crashed = 0
        limits = self._limits
        if support.needs_room:
            starts = self._share.take(Place.START, min(len(state.graph.steps), limits.events_max))
            if state.steps.queue(Interrupted) or is_loading:
                suspects = self._share.take(Place.SUSPECT, limits.suspects)
                crashed = self._share.take(Place.CRASHED, 1)
        return Capacity(
            starts,
            suspects,
            crashed,
            support.inline,
            support.lacking,
            group_id=self._group_id,
            expression_visits_max=limits.expression_visits_max,
            crashes_max=limits.crashes_max,
            events_max=limits.events_max,
            bytes_max=limits.bytes_max,
        )

    def settle(self, offered: Capacity, decision: Decision) -> None:
        """Give back what the decision did not use; wait for what it was short of."""
        if offered.is_leaving or len(offered.inline) == len(decision.state.graph.steps):
            return  # nothing is started any more, or the engine runs all steps itself
        used = dict.fromkeys(Place, 0)
        for effect in decision.effects:
            if isinstance(effect, RunStep) and (place := place_of(effect, decision.state, offered.inline)):
                used[place] += 1
        counts = {Place.START: offered.starts, Place.SUSPECT: offered.suspects, Place.CRASHED: offered.crashed}
        for place, count in counts.items():
            if count > used[place]:
                self._share.give_back(place, count - used[place])
            elif place not in self._waits_for and _is_short_of(place, offered, decision):
                self._waits_for.add(place)
                self._share.wait(place, lambda place=place: self._free(place))  # type: ignore[misc]

    def _free(self, place: Place) -> None:
        self._waits_for.discard(place)
        self._wake()


def _is_short_of(place: Place, offered: Capacity, decision: Decision) -> bool:
    """Something that may start had to be left for want of such a place."""
    state = decision.state
    if state.ending is not None or decision.rest:
        return False
    if any(_place_of_interrupted(state.steps[step_id]) is place for step_id in state.steps.queue(Interrupted)):
        return True
    if place is not Place.START:
        return False
    due = any(state.steps.retry_at(step_id) <= decision.at for step_id in state.steps.queue(Retry)[:1])
    return due or any(step_id not in offered.unsupported for step_id in state.steps.queue(Ready))
