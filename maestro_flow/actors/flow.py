"""The actor of one run: it collects inputs, decides, commits, and only then acts (laws 2 and 3).

inputs ──> decide ──> commit under way ──> Committed ──> effects ──> ... ──> FlowGone
  ^                        │ not done: FlowLost, and the flow is loaded again
  └── what comes in meanwhile waits, and is decided together (PROTOCOL 1)
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.calls import Attempt
from maestro_flow.actors.messages import (
    Begin,
    Committed,
    Continue,
    Disband,
    FlowGone,
    FlowHandedOver,
    FlowLost,
    Settled,
    Terminate,
)
from maestro_flow.actors.room import Place, Share
from maestro_flow.actors.runtime import Timer
from maestro_flow.actors.services import Held, Services, Write
from maestro_flow.actors.step import StepActor
from maestro_flow.core.decide import Decision, decide
from maestro_flow.core.inputs import (
    Capacity,
    ContinueStep,
    Effect,
    FinishRun,
    HandOver,
    Input,
    Report,
    RunStep,
    TerminateStep,
    Tick,
)
from maestro_flow.core.state import FlowState
from maestro_flow.model.commit import RunEntry
from maestro_flow.model.events import encode_events
from maestro_flow.model.status import Verdict

__all__ = ["FlowActor"]


class FlowActor(BaseActor):
    """See the module. Child of a group, parent of the actors of its running steps."""

    def __init__(self, services: Services, held: Held, group: ActorRef[Any], state: FlowState, share: Share) -> None:
        super().__init__()
        self.services, self.held, self.group, self.state, self.share = services, held, group, state, share
        self.inputs: list[Input] = []
        self.in_flight: Decision | None = None
        self.steps: dict[str, ActorRef[StepActor]] = {}
        self.waits_for: set[Place] = set()
        self.timer: Timer | None = None
        self.timer_due: float | None = None
        self.is_leaving = False

    def handle(self, message: Any) -> None:
        if isinstance(message, Disband) or self.held.lost:
            self.disband()
            return
        match message:
            case Committed():
                self.committed(message)
            case Report() if message.verdict is not Verdict.CONTINUE:
                self.steps.pop(message.step, None)
                self.inputs.append(message)
            case Tick():
                self.timer_due = None
                self.inputs.append(message)
            case HandOver():
                self.is_leaving = True
                self.inputs.append(message)
            case _:
                self.inputs.append(message)
        while self.inputs and self.in_flight is None and not self.actor_stopped.is_set():
            self.decide()

    def on_defect(self, defect: BaseException) -> None:
        self.give_up(repr(defect))

    # -- decide, commit -----------------------------------------------------------------------------------------

    def decide(self) -> None:
        inputs, self.inputs = self.inputs, []
        capacity = self.capacity()
        decision = decide(self.state, inputs, self.services.now(), capacity)
        self.return_unused(capacity, decision)
        self.inputs.extend(decision.rest)
        if decision.events or decision.settles:
            self.in_flight = decision
            self.services.journal.submit(self.write(decision))
        else:
            self.act(decision)

    def capacity(self) -> Capacity:
        """Places are taken before the decision, because it is pure, and what it does not use is given back after it."""
        services, state = self.services, self.state
        limits, abilities = services.limits, services.abilities(state.graph)
        if self.is_leaving:
            return Capacity(0, 0, 0, abilities.inline, frozenset(state.graph.steps), limits.crashes_max)
        starts = suspects = crashed = 0
        if abilities.needs_room:
            starts = self.share.take(Place.START, min(len(state.graph.steps), limits.events_max))
            if state.interrupted or state.active > len(self.steps):
                suspects = self.share.take(Place.SUSPECT, limits.suspects)
                crashed = self.share.take(Place.CRASHED, 1)
        return Capacity(
            starts, suspects, crashed, abilities.inline, abilities.lacking, limits.crashes_max, limits.events_max
        )

    def return_unused(self, capacity: Capacity, decision: Decision) -> None:
        if self.is_leaving or not self.services.abilities(self.state.graph).needs_room:
            return
        used = dict.fromkeys(Place, 0)
        for effect in decision.effects:
            if isinstance(effect, RunStep) and (place := self.place_of(effect, decision.state, capacity.inline)):
                used[place] += 1
        offered = {Place.START: capacity.starts, Place.SUSPECT: capacity.suspects, Place.CRASHED: capacity.crashed}
        for place, count in offered.items():
            if count > used[place]:
                self.share.give_back(place, count - used[place])
            elif place not in self.waits_for and self.could_use(place, decision, capacity):
                self.waits_for.add(place)
                self.share.wait(place, partial(self.place_is_free, place))

    @staticmethod
    def could_use(place: Place, decision: Decision, capacity: Capacity) -> bool:
        """Something that may start had to be left for want of such a place."""
        state = decision.state
        if state.stopping or decision.rest:
            return False
        if place is Place.START:
            due = any(at <= decision.at for at in state.retrying.values())
            return due or any(step_id not in capacity.lacking for step_id in state.ready)
        crashed = (bool(state.steps[step_id].crashes) for step_id in state.interrupted)
        return (place is Place.CRASHED) in crashed

    def place_is_free(self, place: Place) -> None:
        """Called by whoever gave the place back, on its thread."""
        self.waits_for.discard(place)
        post(self.actor_ref, Tick())

    @staticmethod
    def place_of(effect: RunStep, state: FlowState, inline: frozenset[str]) -> Place | None:
        if effect.step in inline:
            return None
        if effect.execution == 1:
            return Place.START
        return Place.CRASHED if state.steps[effect.step].crashes else Place.SUSPECT

    def write(self, decision: Decision) -> Write:
        if not decision.events:
            return Write(self.held, self.actor_ref, settles=decision.settles)
        before, after = self.state, decision.state
        return Write(
            self.held,
            self.actor_ref,
            flow_id=after.flow_id,
            revision=after.revision,
            commit_id=self.services.new_id(),
            at=decision.at,
            events=encode_events(decision.events),
            entry=None if before.status is after.status else self.entry(after),
            settles=decision.settles,
        )

    def entry(self, state: FlowState) -> RunEntry:
        return RunEntry(
            flow_id=state.flow_id,
            workflow_id=state.graph.definition.id,
            version=state.graph.version,
            instance_id=state.instance_id,
            run_id=state.run_id,
            group_id=self.held.lease.group_id,
            status=state.status,
            created_at=state.created_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
        )

    def committed(self, message: Committed) -> None:
        decision, self.in_flight = self.in_flight, None
        if decision is None:
            return
        if not message.outcome.is_durable:
            self.give_up(f"its commit of revision {decision.state.revision}: {message.outcome}")
            return
        if not self.state.revision:
            self.services.took_up(self.state.flow_id)
        self.state = decision.state
        if decision.settles:
            post(self.group, Settled(tuple(settled.message_id for settled in decision.settles)))
        self.act(decision)
        self.services.announce(self.state.flow_id, self.state.status.is_terminal)

    # -- act ----------------------------------------------------------------------------------------------------

    def act(self, decision: Decision) -> None:
        if not self.is_leaving:
            for effect in decision.effects:
                self.carry_out(effect)
            self.set_timer()
        elif self.state.status.is_terminal:
            self.carry_out(FinishRun(self.state.status))
        elif not self.inputs:
            post(self.group, FlowHandedOver(self.state.flow_id))
            self.disband()

    def set_timer(self) -> None:
        """Timers are part of the state: the next retry that is not due yet (PROTOCOL 15)."""
        if not self.state.retrying:
            return
        now = self.services.now()
        due = min((at for at in self.state.retrying.values() if at > now), default=None)
        if due is not None and due != self.timer_due:
            if self.timer is not None:
                self.timer.cancel()
            ref = self.actor_ref
            self.timer = self.services.runtime.call_later(due - now, lambda: post(ref, Tick()))
            self.timer_due = due

    def carry_out(self, effect: Effect) -> None:
        match effect:
            case RunStep():
                self.run_step(effect)
            case ContinueStep():
                self.tell_step(effect.step, Continue())
            case TerminateStep():
                self.tell_step(effect.step, Terminate(Verdict.STOPPED))
            case FinishRun():
                post(self.group, FlowGone(self.state.flow_id))
                self.disband()

    def run_step(self, effect: RunStep) -> None:
        services, state = self.services, self.state
        definition = state.graph.steps[effect.step]
        step_type = services.step_types.find(state.graph.definition.id, definition)
        if step_type is None:
            raise LookupError(f"step {effect.step} was started, but its type {definition.type} is not here")
        attempt = Attempt(
            state,
            definition,
            state.steps[effect.step],
            step_type,
            self.held.lease.generation,
            services.limits.result_bytes_max,
        )
        inline = services.abilities(state.graph).inline
        place = self.place_of(effect, state, inline)
        ref = services.runtime.spawn(StepActor, services, self.actor_ref, attempt, self.share, place)
        self.steps[effect.step] = ref
        post(ref, Begin())

    def tell_step(self, step_id: str, message: Any) -> None:
        ref = self.steps.get(step_id)
        if ref is not None:
            post(ref, message)

    # -- the end ------------------------------------------------------------------------------------------------

    def give_up(self, reason: str) -> None:
        post(self.group, FlowLost(self.state.flow_id, reason))
        self.disband()

    def disband(self) -> None:
        for ref in self.steps.values():
            post(ref, Disband())
        if self.timer is not None:
            self.timer.cancel()
        self.share.close()
        self.actor_stopped.set()
