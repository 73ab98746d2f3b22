"""The actor of one group that this node holds: the parent of the actors of its flows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from attrs import define
from msgspec.structs import replace
from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.delivery import Delivery
from maestro_flow.actors.flow import FlowActor
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
    NothingToLoad,
    Received,
    Settled,
    StartNothing,
    TakeUp,
)
from maestro_flow.actors.services import Held, Services
from maestro_flow.actors.slots import SlotLease
from maestro_flow.actors.system import SystemActor
from maestro_flow.core.group_queues import GroupQueues
from maestro_flow.core.inputs import HandOver, Input, Launch, Load, Start, Tick
from maestro_flow.core.state import FlowState
from maestro_flow.core.system_flow import SystemRuns
from maestro_flow.core.workflow_queue import Entrant, Order
from maestro_flow.model.status import RunStatus

__all__ = ["GroupActor"]

logger = logging.getLogger("maestro_flow.engine")


_STEADY_S = 60.0
"""A reloaded flow that has run for this long counts as healthy. What it has written does not count, because loading
already writes: a flow that fails after each load would be loaded forever."""


@define
class _Child:
    ref: ActorRef[Any]
    lease: SlotLease
    is_loaded: bool
    """It was read from the store with its commits, not taken up as a pending run."""


class GroupActor(BaseActor):
    """See the module."""

    def __init__(self, services: Services, held: Held) -> None:
        super().__init__()
        self.services, self.held = services, held
        self.flows: dict[str, _Child] = {}
        self.reloads: dict[str, tuple[int, float]] = {}  # how often a flow was reloaded, and when last
        self.absent: set[str] = set()  # flows of this group that have no actor now: being reloaded, or parked
        self.delivery = Delivery(
            services,
            held,
            self.actor_ref,
            to_flow=self.deliver,
            acquit=self.acquit,
        )
        self.inbox = self.delivery.inbox
        self.handing_over: Callable[[], None] | None = None
        self.queues = GroupQueues(lambda question: services.answer(held, question))

    def handle(self, message: Any) -> None:  # noqa: PLR0912 - one branch a message
        match message:
            case Disband():
                self.disband()
            case _ if self.held.lost:
                pass
            case FlowsLoaded():
                for state in message.runs:
                    self.adopt(state, Load(same_owner=state.flow_id in message.own))
                for runs in message.system:
                    self.adopt_system(runs)
            case Received() | Settled() | Forwarded() | Committed():
                self.delivery.handle(message)
            case NothingToLoad():
                self.nothing_to_load(message)
            case TakeUp():
                self.adopt(message.state, message.start)
            case GroupLoaded():
                self.tell(self.queues.loaded())
            case Answered():
                self.tell(self.queues.answered(message.workflow_id, message.blocking))
            case FlowEnding():
                self.tell(self.queues.is_being_ended(message.flow_id))
            case FlowGone():
                self.flow_ended(message)
            case FlowLost():
                self.flow_lost(message)
            case FlowHandedOver():
                self.drop(message.flow_id)
                self.inbox.drop(message.flow_id)
            case LookAgain():
                for child in self.flows.values():
                    post(child.ref, Tick())
            case Drain():
                self.drain(message)
            case HandOverAll():
                self.hand_over(message.done)

    # -- flows --------------------------------------------------------------------------------------------------

    def adopt(self, state: FlowState, first: Input) -> None:
        """Create the actor of a flow unless it exists: both a scan and the fast path may bring the flow.

        A run that has ended has an actor only while there are messages for it.
        """
        child = self.flows.get(state.flow_id)
        if child is not None and child.is_loaded and isinstance(first, Start):
            self.services.acknowledged.add(state.flow_id)  # its first owner died before acknowledging the start
        if child is not None or self.handing_over is not None:
            return
        if isinstance(first, Start) and (state.flow_id in self.absent or state.flow_id in self.services.acknowledged):
            return  # it has its first commit, or is being read, which will tell
        if state.flow_id in self.absent and state.revision:
            self.services.acknowledged.add(state.flow_id)
        self.absent.discard(state.flow_id)
        if state.status.is_terminal:
            self.tell(self.queues.leave(state.flow_id, is_blocking=state.is_blocking))
            if not self.inbox.has_any(state.flow_id):
                return
        lease = SlotLease(self.services.executors.pools)
        ref = self.services.runtime.spawn(FlowActor, self.services, self.held, self.actor_ref, state, lease)
        self.flows[state.flow_id] = _Child(ref, lease, is_loaded=state.revision > 0)
        if not state.status.is_terminal:
            self.enter(state, first, ref)
        self.delivery.carry_out(self.inbox.flow_is_here(state.flow_id))

    def enter(self, state: FlowState, first: Input, ref: ActorRef[FlowActor]) -> None:
        """Enter the queue of its workflow. A new run whose turn it is begins with its first commit, unqueued."""
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
        """Pass on the orders of run strategies; an absent flow gets its order when it comes back."""
        if self.handing_over is not None:
            return  # the next owner decides this itself
        for flow_id, order in orders:
            child = self.flows.get(flow_id)
            if child is not None:
                post(child.ref, order)

    def nothing_to_load(self, message: NothingToLoad) -> None:
        """A pending start will be taken up; messages to a flow that does not exist are answered."""
        self.absent.discard(message.flow_id)
        if not message.exists:
            self.delivery.carry_out(self.inbox.flow_is_unknown(message.flow_id))

    def adopt_system(self, runs: SystemRuns) -> None:
        """Create the actor of a system flow. It is known here by its address, because its runs change."""
        address = runs.flow.name
        if address in self.flows or self.handing_over is not None:
            return
        self.absent.discard(address)
        ref = self.services.runtime.spawn(SystemActor, self.services, self.held, self.actor_ref, runs)
        self.flows[address] = _Child(ref, SlotLease(self.services.executors.pools), is_loaded=True)
        post(ref, Tick())
        self.delivery.carry_out(self.inbox.flow_is_here(address))

    def deliver(self, flow_id: str, given: Any) -> None:
        """Hand it to the flow's actor; without one, load the flow: only its state knows the answer."""
        child = self.flows.get(flow_id)
        if child is not None:
            post(child.ref, given)
        elif flow_id not in self.absent:
            self.absent.add(flow_id)
            self.services.load_again(self.held, flow_id)

    def acquit(self, flow_id: str) -> None:
        """A message, not the flow, caused its failures."""
        self.reloads.pop(flow_id, None)

    def drop(self, flow_id: str) -> None:
        self.remove_actor(flow_id)
        self.reloads.pop(flow_id, None)
        self.absent.discard(flow_id)

    def remove_actor(self, flow_id: str) -> None:
        """The flow's actor has ended."""
        child = self.flows.pop(flow_id, None)
        if child is not None:
            child.lease.close()
        if self.handing_over is not None and not self.flows:
            self.handing_over()

    def flow_ended(self, message: FlowGone) -> None:
        self.drop(message.flow_id)
        self.tell(self.queues.leave(message.flow_id, is_blocking=message.is_blocking))
        self.delivery.carry_out(self.inbox.flow_is_over(message.flow_id))

    def flow_lost(self, message: FlowLost) -> None:
        """Reload the flow, with growing delays; one that fails every time is parked and does not delay others."""
        flow_id, now = message.flow_id, self.services.runtime.clock.monotonic()
        if message.traceback:
            self.inbox.flow_has_a_defect(flow_id, message.traceback)
        tries, tried_at = self.reloads.get(flow_id, (0, now))
        tries = 0 if now > tried_at + _STEADY_S else tries
        self.reloads[flow_id] = (tries + 1, now)
        self.absent.add(flow_id)
        self.remove_actor(flow_id)
        if message.is_active:
            self.queues.occupy(flow_id)
        if tries >= self.services.settings.reloads_max:
            logger.error(
                "flow %s is parked until another owner takes it, after %d tries: %s", flow_id, tries, message.reason
            )
            if flow_id not in self.services.system_flows:
                self.tell(self.queues.pass_over(flow_id))
            return
        logger.warning("flow %s is loaded again: %s", flow_id, message.reason)
        services, held = self.services, self.held
        services.runtime.call_later(tries * 0.5, lambda: services.load_again(held, flow_id))

    # -- the end ------------------------------------------------------------------------------------------------

    def drain(self, drain: Drain) -> None:
        """What runs continues, nothing new starts (PROTOCOL 14); new messages are left to the next owner."""
        self.handing_over = drain.done
        self.inbox.stop()
        for child in self.flows.values():
            post(child.ref, StartNothing())
        if not self.flows:
            drain.done()
            return
        ref = self.actor_ref
        self.services.runtime.call_later(drain.patience_s, lambda: post(ref, HandOverAll(drain.done)))

    def hand_over(self, done: Callable[[], None]) -> None:
        self.handing_over = done
        self.inbox.stop()
        for child in self.flows.values():
            post(child.ref, HandOver())
        if not self.flows:
            done()

    def disband(self) -> None:
        for child in self.flows.values():
            child.lease.close()
            post(child.ref, Disband())
        self.flows.clear()
        self.actor_stopped.set()
