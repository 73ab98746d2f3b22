"""The actor of the permit flow: one in the namespace, in the group that its name is placed in (PROTOCOL 21).

mail ──> decide ──> commit under way: events, grants sent, mail settled ──> ...

It never ends, but its log must not grow for ever. So from time to time a new run begins with all that the one before
knows, and that one is ended. A crash in between leaves both: the later one counts, and the earlier is ended then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.messages import Committed, Disband, FlowHandedOver, FlowLost, Settled
from maestro_flow.actors.services import Held, Services, Write
from maestro_flow.core.inputs import HandOver
from maestro_flow.core.permits.decide import PermitDecision, PermitMail, carried_over, decide
from maestro_flow.core.permits.state import PermitState, evolve
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.inbox import Message
from maestro_flow.model.permit_events import PermitEvent, PermitsCarriedOn, encode_permit_events
from maestro_flow.model.permits import GRANTED, PERMITS, PermitGrant, parts_of
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.steps.failures import describe

__all__ = ["PermitActor"]

_EVENTS_MAX = 5000
"""Events of one run of the permit flow: a takeover reads them within some 50 ms. A run goes on for longer while many
claims are carried over, so that carrying them stays the smaller part of what is written."""


class PermitActor(BaseActor):
    """See the module. Child of a group. ``earlier`` are runs before that of ``state`` which were not ended."""

    def __init__(
        self,
        services: Services,
        held: Held,
        group: ActorRef[Any],
        state: PermitState,
        earlier: tuple[PermitState, ...] = (),
    ) -> None:
        super().__init__()
        self.services, self.held, self.group, self.state = services, held, group, state
        self.earlier = list(earlier)
        self.mail: list[PermitMail] = []
        self.has_more = True  # to grant, whatever the mail: a takeover may find what was not granted yet
        self.then: Callable[[], None] | None = None
        """What follows when the commit under way is durable."""
        self.is_leaving = False

    def handle(self, message: Any) -> None:
        match message:
            case _ if isinstance(message, Disband) or self.held.lost:
                self.actor_stopped.set()
                return
            case Committed():
                self.committed(message)
            case HandOver():
                self.is_leaving = True
            case PermitMail():
                self.mail.append(message)
        if self.then is None and not self.actor_stopped.is_set():
            self.go_on()

    def on_defect(self, defect: BaseException) -> None:
        self.give_up(repr(defect), describe(defect).traceback)

    def go_on(self) -> None:
        """The next thing to write, one after the other."""
        if self.is_leaving:
            post(self.group, FlowHandedOver(PERMITS))  # mail that is not decided yet is still in the inbox
            self.actor_stopped.set()
        elif self.earlier:
            self.end(self.earlier[-1])
        elif self.state.size > max(_EVENTS_MAX, 2 * len(self.state.claims)):
            self.carry_over()
        elif self.mail or self.has_more:
            self.decide()

    def decide(self) -> None:
        mail, self.mail = self.mail, []
        decision = decide(self.state, mail, self.services.now(), self.services.limits.events_max)
        self.mail.extend(decision.rest)
        self.has_more = decision.is_full
        if not decision.events and not decision.settles:
            return
        sends = tuple(self.grant(claim) for claim in decision.granted if claim in self.state.claims)
        self.then = lambda: self.decided(decision)
        if decision.events:
            self.services.journal.submit(self.write(self.state, decision.events, decision=decision, sends=sends))
        else:
            self.services.journal.submit(Write(self.held, self.actor_ref, settles=decision.settles))

    def decided(self, decision: PermitDecision) -> None:
        if decision.settles:
            post(self.group, Settled(tuple(settled.message_id for settled in decision.settles)))

    def grant(self, claim: str) -> Message:
        flow_id, step, attempt = parts_of(claim)
        body = msgspec.json.encode(PermitGrant(step, attempt, self.state.claims[claim].group))
        return Message(self.held.lease.group_id, f"{claim}/granted", flow_id, GRANTED, body)

    def carry_over(self) -> None:
        """Begin the next run; this one is ended when that is durable."""
        before, at = self.state, max(self.services.now(), self.state.at)
        number = FlowId.parse(before.flow_id).run_id + 1
        self.state = PermitState(str(FlowId(PERMITS, 1, number)))
        event = carried_over(before, at)
        evolve(self.state, event, at)
        self.state.revision, self.state.at, self.state.began_at = 1, at, at
        self.then = lambda: self.earlier.append(before)
        self.services.journal.submit(self.write(self.state, (event,)))

    def end(self, state: PermitState) -> None:
        event = PermitsCarriedOn(self.state.flow_id)
        state.at = max(self.services.now(), state.at)
        evolve(state, event, state.at)
        state.revision += 1
        self.then = lambda: self.earlier.remove(state)
        self.services.journal.submit(self.write(state, (event,)))

    def write(
        self,
        state: PermitState,
        events: tuple[PermitEvent, ...],
        *,
        decision: PermitDecision | None = None,
        sends: tuple[Message, ...] = (),
    ) -> Write:
        return Write(
            self.held,
            self.actor_ref,
            flow_id=state.flow_id,
            revision=state.revision,
            commit_id=self.services.new_id(),
            at=state.at,
            events=encode_permit_events(events),
            entry=self.entry(state) if state.revision == 1 or state.is_over else None,
            settles=() if decision is None else decision.settles,
            sends=sends,
        )

    def entry(self, state: PermitState) -> RunEntry:
        """As of any run, so that a takeover finds it; people are not shown it."""
        return RunEntry(
            flow_id=state.flow_id,
            workflow_id=PERMITS,
            version=1,
            instance_id=1,
            run_id=FlowId.parse(state.flow_id).run_id,
            group_id=self.held.lease.group_id,
            status=RunStatus.SUCCEEDED if state.is_over else RunStatus.IN_PROGRESS,
            created_at=state.began_at,
            started_at=state.began_at,
            ended_at=state.at if state.is_over else None,
        )

    def committed(self, message: Committed) -> None:
        then, self.then = self.then, None
        if not message.outcome.is_durable:
            self.give_up(f"a commit of the permit flow: {message.outcome}")
        elif then is not None:
            then()
            for letter in message.sends:
                self.services.bring(letter)

    def give_up(self, reason: str, traceback: str = "") -> None:
        post(self.group, FlowLost(PERMITS, reason, traceback))
        self.actor_stopped.set()
