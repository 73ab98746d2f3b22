"""The actor of any system flow: see ``core.system_flow``.

messages ──> decide ──> commit under way: events, messages sent, messages settled ──> ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pykka import ActorRef

from maestro_flow.actors.messages import Committed, Disband, StartNothing
from maestro_flow.actors.recording import RecordingActor
from maestro_flow.actors.services import Held, Services
from maestro_flow.core.inputs import HandOver, Tick
from maestro_flow.core.system_flow import SystemDecision, SystemRuns, SystemState
from maestro_flow.model.flow_id import FlowId

__all__ = ["SystemActor"]


class SystemActor(RecordingActor):
    """See the module. Child of a group."""

    def __init__(self, services: Services, held: Held, group: ActorRef[Any], runs: SystemRuns) -> None:
        super().__init__(services, held, group, runs.flow.name)
        self.flow, self.state = runs.flow, runs.state
        self.earlier = list(runs.earlier)
        self.inputs: list[Any] = []
        self.has_more = True  # decide at once, even without inputs: a takeover may find unfinished work
        self.then: Callable[[Committed], None] | None = None
        """What to do when the commit in flight is durable."""
        self.is_leaving = False

    def handle(self, message: Any) -> None:
        if isinstance(message, Disband) or self.held.lost:
            self.disband()
            return
        match message:
            case Committed():
                self.committed(message)
            case HandOver() | StartNothing():
                self.is_leaving = True  # only a commit can be in flight
            case Tick():
                pass
            case _:
                self.inputs.append(message)
        if self.then is None and not self.actor_stopped.is_set():
            self.write_next()

    def write_next(self) -> None:
        """Write the next commit; only one is in flight at a time."""
        if self.is_leaving:
            self.hand_over()  # what is not decided yet stays in the inbox
        elif self.earlier:
            self.end(self.earlier[-1])
        elif not self.begin_next_run() and (self.inputs or self.has_more):
            self.decide()

    def decide(self) -> None:
        inputs, self.inputs = self.inputs, []
        decision = self.flow.decide(self.state, inputs, self.services.now(), self.services.settings.commit_events_max)
        self.inputs.extend(decision.rest)
        self.has_more = decision.is_full
        if decision.events:
            self.then = lambda committed: self.pass_on(committed, decision.settles)
            self.record(self.state, decision.events, decision.at, decision)
        elif decision.settles:
            self.then = lambda committed: self.pass_on(committed, decision.settles)
            self.submit_settlements(decision.settles)

    def begin_next_run(self) -> bool:
        """Begin the next run if this one's log is long; this one is ended when that is durable."""
        before, at = self.state, max(self.services.now(), self.state.at)
        first = self.flow.carried_over(before, at)
        if first is None:
            return False
        self.state = self.flow.new(self.flow.run_id(FlowId.parse(before.flow_id).run_id + 1))
        self.flow.evolve(self.state, first, at)
        self.then = lambda _: self.earlier.append(before)
        self.record(self.state, (first,), at)
        return True

    def end(self, state: SystemState) -> None:
        """End a run that was carried on by another."""
        at, last = max(self.services.now(), state.at), self.flow.carried_on(self.state.flow_id)
        self.flow.evolve(state, last, at)
        self.then = lambda _: self.earlier.remove(state)
        self.record(state, (last,), at)

    def record(
        self, state: SystemState, events: tuple[Any, ...], at: float, decision: SystemDecision[Any, Any] | None = None
    ) -> None:
        state.recorded(len(events), at)
        self.submit_events(
            state.flow_id,
            state.revision,
            at,
            self.flow.codec.encode(events),
            entry=state.entry(self.held.lease.group_id) if state.revision == 1 or state.is_over else None,
            settles=decision.settles if decision else (),
            sends=decision.sends if decision else (),
        )

    def committed(self, message: Committed) -> None:
        then, self.then = self.then, None
        if not message.outcome.is_durable:
            self.lose(f"a commit of {self.address}: {message.outcome}")
        elif then is not None:
            then(message)
