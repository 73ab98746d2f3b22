"""The actor of one group that this node holds: it makes the actors of its flows, and settles mail that has no flow."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any

from attrs import define
from msgspec.structs import replace
from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.flow import FlowActor
from maestro_flow.actors.mail import opened
from maestro_flow.actors.messages import (
    Answered,
    Committed,
    Disband,
    Drain,
    FlowEnding,
    FlowGone,
    FlowHandedOver,
    FlowLost,
    FlowsLoaded,
    Forwarded,
    GroupLoaded,
    HandOverAll,
    LookAgain,
    Mail,
    NothingToLoad,
    PermitsLoaded,
    Settled,
    StartNothing,
    TakeUp,
)
from maestro_flow.actors.permits import PermitActor
from maestro_flow.actors.room import Share
from maestro_flow.actors.services import Held, Services, Write
from maestro_flow.core.actions import CONFLICT
from maestro_flow.core.inputs import HandOver, Input, Launch, Load, Start, Tick
from maestro_flow.core.queue import Entrant, Order
from maestro_flow.core.queues import Queues
from maestro_flow.core.state import FlowState
from maestro_flow.model.commit import Outcome, Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.permits import PERMITS, addressed, receiver_group
from maestro_flow.model.status import RunStatus
from maestro_flow.model.text import escaped

__all__ = ["GroupActor"]

logger = logging.getLogger("maestro_flow.engine")


_STEADY_S = 60.0
"""A flow that goes on for so long after it was loaded again has no defect. It is told by the time and not by what the
flow has written since, because loading a flow writes already: one that fails at each load would go on failing."""


_SETTLED_MAX = 10_000
"""A scan reads some hundred letters at once: what it has read is handled long before so many others are."""


@define
class _Child:
    ref: ActorRef[Any]
    share: Share
    is_loaded: bool
    """It came from the store with commits of its own, not as a given run."""


class GroupActor(BaseActor):
    """See the module."""

    def __init__(self, services: Services, held: Held) -> None:
        super().__init__()
        self.services, self.held = services, held
        self.flows: dict[str, _Child] = {}
        self.reloads: dict[str, tuple[int, float]] = {}  # how often a flow was loaded again, and when for the last time
        self.absent: set[str] = set()  # flows that are ours but have no actor now: being loaded again, or parked
        self.in_hand: dict[str, Message] = {}
        self.settled: dict[str, int] = {}  # messages that were settled last, and through which sequence that counts
        self.defects: dict[str, list[str]] = {}  # by message: tracebacks of its flow's actors that had it in hand
        self.suspicious: set[str] = (
            set()
        )  # flows with a defect that their mail may cause: they get one letter at a time
        self.handing_over: Callable[[], None] | None = None
        self.queues = Queues(lambda question: services.answer(held, question))

    def handle(self, message: Any) -> None:  # noqa: PLR0912 - one branch a message
        match message:
            case Disband():
                self.disband()
            case _ if self.held.lost:
                pass
            case FlowsLoaded():
                for state in message.states:
                    self.adopt(state, Load(same_owner=state.flow_id in message.own))
            case PermitsLoaded():
                self.adopt_permits(message)
            case Forwarded():
                self.forwarded(message.message_id, message.outcome)
            case NothingToLoad():
                self.nothing_to_load(message)
            case TakeUp():
                self.adopt(message.state, message.start)
            case GroupLoaded():
                self.tell(self.queues.loaded())
            case Answered():
                self.tell(self.queues.answered(message.workflow_id, message.blocking))
            case Mail():
                for letter in message.messages:
                    done_through = self.settled.get(letter.message_id, -1)
                    if letter.message_id not in self.in_hand and letter.sequence > done_through:
                        self.deliver(letter)
            case Settled():
                self.flow_settled(message.message_ids)
            case FlowEnding():
                self.tell(self.queues.is_being_ended(message.flow_id))
            case FlowGone():
                self.flow_ended(message)
            case FlowLost():
                self.flow_lost(message)
            case FlowHandedOver():
                self.drop(message.flow_id)
            case LookAgain():
                for child in self.flows.values():
                    post(child.ref, Tick())
            case Drain():
                self.drain(message)
            case HandOverAll():
                self.hand_over(message.done)
            case Committed(sends=(letter, *_)):
                self.sent_on(letter, message.outcome)
            case Committed() if not message.outcome.is_durable:
                self.settled.clear()
                self.services.receive_again(self.held)  # a settlement without a flow was not written

    # -- flows --------------------------------------------------------------------------------------------------

    def adopt(self, state: FlowState, first: Input) -> None:
        """Make the actor of a flow, unless it is there already: scans and hand-offs may both bring it.

        A run that has ended has one only for as long as there is mail for it.
        """
        child = self.flows.get(state.flow_id)
        if child is not None and child.is_loaded and isinstance(first, Start):
            self.services.taken.note(state.flow_id)  # who took it up has died before the catalog was told
        if child is not None or self.handing_over is not None:
            return
        if isinstance(first, Start) and (state.flow_id in self.absent or state.flow_id in self.services.taken):
            return  # it has a first commit, or is being read: then that is about to be known
        if state.flow_id in self.absent and state.revision:
            self.services.taken.note(state.flow_id)
        self.absent.discard(state.flow_id)
        letters = self.in_hand_for(state.flow_id)
        if state.status.is_terminal:
            self.tell(self.queues.leave(state.flow_id, is_blocking=state.is_blocking))
            if not letters:
                return
        share = Share(self.services.room)
        ref = self.services.runtime.spawn(FlowActor, self.services, self.held, self.actor_ref, state, share)
        self.flows[state.flow_id] = _Child(ref, share, is_loaded=state.revision > 0)
        if not state.status.is_terminal:
            self.enter(state, first, ref)
        for letter in letters[:1] if state.flow_id in self.suspicious else letters:
            self.deliver(letter)

    def enter(self, state: FlowState, first: Input, ref: ActorRef[FlowActor]) -> None:
        """Into the queue of its workflow: a new run whose turn it is begins with its first commit, as one without."""
        strategy, is_fresh = state.graph.definition.run_strategy, isinstance(first, Start)
        is_queued = strategy.is_limited if is_fresh else state.status is RunStatus.CREATED
        entrant = Entrant(
            state.flow_id,
            state.graph.version,
            strategy,
            is_queued,
            is_ending=state.ending is not None,
            is_fresh=is_fresh,
        )
        orders = self.queues.enter(entrant)
        if isinstance(first, Start) and is_queued:
            at_once = (state.flow_id, Launch())
            first = replace(first, queued=at_once not in orders)
            orders = [order for order in orders if order != at_once]
        post(ref, first)
        self.tell(orders)
        if state.previous is not None and state.previous.is_blocking:
            self.services.unblock(self.held, state.flow_id, state.previous.flow_id)

    def tell(self, orders: list[Order]) -> None:
        """What run strategies ask for; a flow that is absent is asked again when it comes back."""
        if self.handing_over is not None:
            return  # the next owner finds out for itself
        for flow_id, order in orders:
            child = self.flows.get(flow_id)
            if child is not None:
                post(child.ref, order)

    def nothing_to_load(self, message: NothingToLoad) -> None:
        """A flow without a commit is taken up from among the given runs; mail for one that never was is answered."""
        self.absent.discard(message.flow_id)
        if not message.exists:
            for letter in self.in_hand_for(message.flow_id):
                del self.in_hand[letter.message_id]
                self.settle(Settlement(letter.message_id, escaped(f"{CONFLICT}there is no run {message.flow_id}")))

    def adopt_permits(self, message: PermitsLoaded) -> None:
        """The permit flow is known here by its address: the id of its run changes."""
        if PERMITS in self.flows or self.handing_over is not None:
            return
        self.absent.discard(PERMITS)
        share = Share(self.services.room)
        arguments = (self.services, self.held, self.actor_ref, message.state, message.earlier)
        self.flows[PERMITS] = _Child(self.services.runtime.spawn(PermitActor, *arguments), share, is_loaded=True)
        post(self.flows[PERMITS].ref, Tick())
        letters = self.in_hand_for(PERMITS)
        for letter in letters[:1] if PERMITS in self.suspicious else letters:
            self.deliver(letter)

    def drop(self, flow_id: str) -> None:
        self.let_go(flow_id)
        self.reloads.pop(flow_id, None)
        self.absent.discard(flow_id)
        self.suspicious.discard(flow_id)
        for letter in self.in_hand_for(flow_id):
            del self.in_hand[letter.message_id]
            self.defects.pop(letter.message_id, None)

    def let_go(self, flow_id: str) -> None:
        """The flow has no actor any more."""
        child = self.flows.pop(flow_id, None)
        if child is not None:
            child.share.close()
        if self.handing_over is not None and not self.flows:
            self.handing_over()

    def flow_ended(self, message: FlowGone) -> None:
        """Mail that came too late for the last commit is answered here: its sender waits for an outcome."""
        late = self.in_hand_for(message.flow_id)
        self.drop(message.flow_id)
        self.tell(self.queues.leave(message.flow_id, is_blocking=message.is_blocking))
        for letter in late:
            self.deliver(letter)

    def flow_lost(self, message: FlowLost) -> None:
        """Load it again, more and more patiently; a flow that fails for ever is parked, and delays nobody else."""
        flow_id, now = message.flow_id, self.services.runtime.clock.monotonic()
        if message.traceback:
            letters = self.in_hand_for(flow_id)
            for letter in letters[:1] if flow_id in self.suspicious else letters:
                self.suspicious.add(flow_id)
                self.defects.setdefault(letter.message_id, []).append(message.traceback)
        tries, tried_at = self.reloads.get(flow_id, (0, now))
        tries = 0 if now > tried_at + _STEADY_S else tries
        self.reloads[flow_id] = (tries + 1, now)
        self.absent.add(flow_id)
        self.let_go(flow_id)
        if message.is_going:
            self.queues.occupy(flow_id)
        if tries >= self.services.limits.reloads_max:
            logger.error(
                "flow %s is parked until another owner takes it, after %d tries: %s", flow_id, tries, message.reason
            )
            if flow_id != PERMITS:
                self.tell(self.queues.pass_over(flow_id))
            return
        logger.warning("flow %s is loaded again: %s", flow_id, message.reason)
        services, held = self.services, self.held
        services.runtime.call_later(tries * 0.5, lambda: services.load_again(held, flow_id))

    # -- mail ---------------------------------------------------------------------------------------------------

    def deliver(self, letter: Message) -> None:
        """To the flow; or settle here what no flow will (PROTOCOL 2). Mail comes after the load is complete (10)."""
        if self.handing_over is not None:
            return  # the next owner receives it: what its flow is by then, nobody knows yet
        child, defects = self.flows.get(letter.flow_id), self.defects.get(letter.message_id, [])
        failures = max(letter.deliveries - 1, 0) + len(defects)
        if failures >= self.services.limits.deliveries_max:
            self.in_hand.pop(letter.message_id, None)
            problem = f"given up: {failures} owners failed while they had it in hand"
            self.settle(Settlement(letter.message_id, escaped("\n".join([problem, *defects[-1:]])), dead=True))
            self.defects.pop(letter.message_id, None)
            self.reloads.pop(letter.flow_id, None)  # it was the letter's defect, not the flow's
            self.settled[letter.message_id] = letter.sequence  # it may be redriven, and comes again as a later one
            self.deliver_next(letter.flow_id)
        elif isinstance(given := opened(letter), str):
            self.in_hand.pop(letter.message_id, None)
            self.settle(Settlement(letter.message_id, escaped(CONFLICT + given)))
        elif (group_id := receiver_group(letter, self.services.permit_group)) != self.held.lease.group_id:
            self.in_hand[letter.message_id] = letter
            self.send_on(letter, group_id)
        else:
            self.in_hand[letter.message_id] = letter
            if child is not None:
                if letter.flow_id not in self.suspicious or letter == self.in_hand_for(letter.flow_id)[0]:
                    post(child.ref, given)
            elif letter.flow_id not in self.absent:  # the run has ended: only its flow knows how to answer
                self.absent.add(letter.flow_id)
                self.services.load_again(self.held, letter.flow_id)

    def send_on(self, letter: Message, group_id: int) -> None:
        """To a group that is held here by a commit of that group: the journal writes many at once (PROTOCOL 20)."""
        there = self.services.held(group_id)
        if there is None:
            self.services.forward(self.held, self.actor_ref, letter, group_id)
        else:
            self.services.journal.submit(Write(there, self.actor_ref, sends=(addressed(letter, group_id),)))

    def sent_on(self, letter: Message, outcome: Outcome) -> None:
        if outcome.is_durable:
            self.forwarded(letter.message_id, "forwarded")
            self.services.bring(letter)
        else:  # the group is not held here any more
            self.services.forward(self.held, self.actor_ref, letter, letter.group_id)

    def forwarded(self, message_id: str, outcome: str) -> None:
        self.in_hand.pop(message_id, None)
        self.settle(Settlement(message_id, escaped(outcome)))

    def flow_settled(self, message_ids: tuple[str, ...]) -> None:
        for message_id in message_ids:
            letter = self.in_hand.pop(message_id, None)
            self.defects.pop(message_id, None)
            self.is_done_with(message_id)
            if letter is not None:
                self.deliver_next(letter.flow_id)

    def deliver_next(self, flow_id: str) -> None:
        """A flow with a defect has answered a letter: the next one, which has waited, or none any more."""
        if flow_id in self.suspicious and flow_id in self.flows:
            letters = self.in_hand_for(flow_id)
            if letters:
                self.deliver(letters[0])
            else:
                self.suspicious.discard(flow_id)

    def in_hand_for(self, flow_id: str) -> list[Message]:
        return [letter for letter in self.in_hand.values() if letter.flow_id == flow_id]

    def is_done_with(self, message_id: str) -> None:
        """A letter comes at once from who has sent it, and may come again from a scan that read it before its end."""
        self.settled[message_id] = sys.maxsize
        if len(self.settled) > _SETTLED_MAX:
            del self.settled[next(iter(self.settled))]

    def settle(self, settlement: Settlement) -> None:
        self.is_done_with(settlement.message_id)
        self.services.journal.submit(Write(self.held, self.actor_ref, settles=(settlement,)))

    # -- the end ------------------------------------------------------------------------------------------------

    def drain(self, drain: Drain) -> None:
        """What runs goes on, nothing is begun (PROTOCOL 14); what comes in meanwhile is left to the next owner."""
        self.handing_over = drain.done
        for flow_id, child in self.flows.items():
            post(child.ref, HandOver() if flow_id == PERMITS else StartNothing())
        if not self.flows:
            drain.done()
            return
        ref = self.actor_ref
        self.services.runtime.call_later(drain.patience_s, lambda: post(ref, HandOverAll(drain.done)))

    def hand_over(self, done: Callable[[], None]) -> None:
        self.handing_over = done
        for child in self.flows.values():
            post(child.ref, HandOver())
        if not self.flows:
            done()

    def disband(self) -> None:
        for child in self.flows.values():
            child.share.close()
            post(child.ref, Disband())
        self.flows.clear()
        self.actor_stopped.set()
