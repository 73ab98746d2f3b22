"""The actor of one run: it collects inputs, decides, commits, and only then acts (laws 2 and 3)::

inputs ──> decide ──> commit under way ──> Committed ──> effects ──> ... ──> FlowGone
  ^                        │ not done: FlowLost, and the flow is loaded again
  └── inputs that arrive meanwhile wait, and are decided together (PROTOCOL 1)
"""

from __future__ import annotations

from typing import Any

from pykka import ActorRef

from maestro_flow.actors.base import post
from maestro_flow.actors.executions import Execution
from maestro_flow.actors.flow_slots import FlowSlots, slot_kind
from maestro_flow.actors.messages import (
    Begin,
    Committed,
    Continue,
    Disband,
    FlowEnding,
    FlowGone,
    StartNothing,
    Terminate,
)
from maestro_flow.actors.recording import RecordingActor
from maestro_flow.actors.runtime import Timer
from maestro_flow.actors.services import Held, Services
from maestro_flow.actors.slots import HeldSlot, SlotLease
from maestro_flow.actors.step import StepActor
from maestro_flow.core.advance import next_due
from maestro_flow.core.decide import Decision, decide
from maestro_flow.core.inputs import (
    Capacity,
    ContinueStep,
    Effect,
    FinishRun,
    HandOver,
    Input,
    Load,
    Report,
    RunStep,
    TerminateStep,
    Tick,
)
from maestro_flow.core.state import FlowState
from maestro_flow.model.definition import DEFAULT_EXECUTOR
from maestro_flow.model.events import encode_events
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import Verdict
from maestro_flow.steps.calls import StepReturn
from maestro_flow.steps.contract import Phase
from maestro_flow.steps.registry import code_of

__all__ = ["FlowActor"]


class FlowActor(RecordingActor):
    """See the module. Child of a group, parent of the actors of its running steps."""

    def __init__(
        self, services: Services, held: Held, group: ActorRef[Any], state: FlowState, lease: SlotLease
    ) -> None:
        super().__init__(services, held, group, state.flow_id)
        self.state, self.lease = state, lease
        self.inputs: list[Input] = []
        self.in_flight: Decision | None = None
        self.steps: dict[str, ActorRef[StepActor]] = {}
        ref = self.actor_ref
        self.slots = FlowSlots(lease, services.settings, held.lease.group_id, lambda: post(ref, Tick()))
        self.timer: Timer | None = None
        self.timer_due: float | None = None
        self.is_draining = self.is_leaving = False
        self.support = services.step_support(state.graph)
        """As of the latest decision, whose steps are run by it."""
        held.needs.update(self.support.needs)

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
            case StartNothing():
                self.is_draining = True
            case HandOver():
                self.is_leaving = True
                self.inputs.append(message)
            case _:
                self.inputs.append(message)
        while self.inputs and self.in_flight is None and not self.actor_stopped.is_set():
            self.decide()
        if self.is_draining and not self.is_leaving and self.in_flight is None and not self.runs_code():
            post(self.actor_ref, HandOver())

    def runs_code(self) -> bool:
        """Whether user code runs that a handover would interrupt; the engine's own steps do not count."""
        return not self.support.inline.issuperset(self.steps)

    # -- decide, commit -----------------------------------------------------------------------------------------

    def decide(self) -> None:
        inputs, self.inputs = self.inputs, []
        offered = self.offer(is_loading=any(isinstance(given, Load) for given in inputs))
        decision = decide(self.state, inputs, self.services.now(), offered)
        self.slots.settle(offered, decision)
        self.inputs.extend(decision.rest)
        if decision.events or decision.settles:
            self.in_flight = decision
            self.submit(decision)
        else:
            self.act(decision)

    def offer(self, *, is_loading: bool) -> Capacity:
        """What this decision may start; nothing on a node that is giving up the flow."""
        self.support = self.services.step_support(self.state.graph)
        if self.is_leaving or self.is_draining:
            return self.slots.offer_nothing(self.support)
        return self.slots.offer(self.state, self.support, is_loading=is_loading)

    def submit(self, decision: Decision) -> None:
        if not decision.events:
            self.submit_settlements(decision.settles)
            return
        before, after = self.state, decision.state
        self.submit_events(
            after.flow_id,
            after.revision,
            decision.at,
            encode_events(decision.events),
            entry=None if _is_alike(before, after) else self.entry(after),
            settles=decision.settles,
            sends=decision.sends,
        )

    def entry(self, state: FlowState) -> RunEntry:
        return RunEntry(
            flow_id=state.flow_id,
            workflow_id=state.workflow_id,
            version=state.graph.version,
            instance_id=state.instance_id,
            run_id=state.run_id,
            group_id=self.held.lease.group_id,
            status=state.status,
            created_at=state.created_at,
            started_at=state.started_at,
            ended_at=state.ended_at,
            blocking=state.is_blocking,
            parent=state.request.parent,
        )

    def committed(self, message: Committed) -> None:
        decision, self.in_flight = self.in_flight, None
        if decision is None:
            return
        if not message.outcome.is_durable:
            self.lose(f"its commit of revision {decision.state.revision}: {message.outcome}")
            return
        if not self.state.revision:
            self.services.acknowledged.add(self.state.flow_id)
        if decision.state.ending is not None and self.state.ending is None:
            post(self.group, FlowEnding(self.state.flow_id))
        self.state = decision.state
        self.pass_on(message, decision.settles)
        self.act(decision)
        self.services.announce(self.state.flow_id, self.state.status.is_terminal)

    # -- act ----------------------------------------------------------------------------------------------------

    def act(self, decision: Decision) -> None:
        graph = self.state.graph
        if self.support.unsupported:
            waiting = self.state.steps.unsupported()
            self.held.unsupported |= {code_of(graph.definition.id, graph.steps[step_id]) for step_id in waiting}
        if not self.is_leaving:
            for effect in decision.effects:
                self.carry_out(effect)
            self.set_timer(decision.at)
        elif self.state.status.is_terminal:
            self.carry_out(FinishRun(self.state.status))
        elif not self.inputs:
            self.hand_over()

    def set_timer(self, decided_at: float) -> None:
        """Wake up for whatever was not due yet at the decision; timers are part of the state (PROTOCOL 15).

        If it became due during the commit, the timer fires at once.
        """
        due = next_due(self.state, decided_at)
        if due is not None and due != self.timer_due:
            if self.timer is not None:
                self.timer.cancel()
            ref = self.actor_ref
            self.timer = self.services.runtime.call_later(due - self.services.now(), lambda: post(ref, Tick()))
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
                post(self.group, FlowGone(self.state.flow_id, self.state.is_blocking))
                self.disband()

    def run_step(self, effect: RunStep) -> None:
        services, state = self.services, self.state
        definition = state.graph.steps[effect.step]
        step_type = services.step_types.find(state.graph.definition.id, definition)
        if step_type is None:
            raise LookupError(f"step {effect.step} was started, but its type {definition.type} is not available here")
        execution = Execution(
            state,
            definition,
            state.steps[effect.step],
            self.held.lease.generation,
            step_type,
            services.settings.result_bytes_max,
        )
        support = self.support
        begin: Begin | StepReturn = Begin()
        slot = None
        if effect.step in support.inline:
            begin = services.step_types.perform(execution.call_begun(Phase.START, services.now()))
            if begin.verdict is not Verdict.CONTINUE:
                self.inputs.append(execution.report(begin))  # already done: a step that never waits needs no actor
                return
        else:
            executor = support.executors.get(effect.step, DEFAULT_EXECUTOR)
            slot = HeldSlot(self.lease, executor, slot_kind(effect, state))
        ref = services.runtime.spawn(StepActor, services, self.held, self.actor_ref, execution, slot)
        self.steps[effect.step] = ref
        post(ref, begin)

    def tell_step(self, step_id: str, message: Any) -> None:
        ref = self.steps.get(step_id)
        if ref is not None:
            post(ref, message)

    # -- the end ------------------------------------------------------------------------------------------------

    def disband(self) -> None:
        for ref in self.steps.values():
            post(ref, Disband())
        if self.timer is not None:
            self.timer.cancel()
        self.lease.close()
        super().disband()


def _is_alike(before: FlowState, after: FlowState) -> bool:
    """Whether both have the same index entry; before the first commit there is none."""
    return bool(before.revision) and before.status is after.status and before.is_blocking is after.is_blocking
