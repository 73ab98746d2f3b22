"""What every actor of a flow does alike: it submits commits, passes on what they have sent, and gives its flow up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pykka import ActorRef

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.messages import Committed, FlowHandedOver, FlowLost, Settled
from maestro_flow.actors.services import Held, Services, Write
from maestro_flow.core.inputs import OutgoingMessage
from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.runs import RunEntry
from maestro_flow.steps.failures import describe

__all__ = ["RecordingActor"]


class RecordingActor(BaseActor):
    """The actor of the flow that the group knows as ``address``. Child of a group."""

    def __init__(self, services: Services, held: Held, group: ActorRef[Any], address: str) -> None:
        super().__init__()
        self.services, self.held, self.group, self.address = services, held, group, address

    def disband(self) -> None:
        """Release everything below, and be deaf from now on."""
        self.actor_stopped.set()

    def on_defect(self, defect: BaseException) -> None:
        self.lose(repr(defect), describe(defect).traceback)

    def lose(self, reason: str, traceback: str = "") -> None:
        """The flow has to be loaded again (PROTOCOL 4)."""
        post(self.group, FlowLost(self.address, reason, traceback))
        self.disband()

    def hand_over(self) -> None:
        """The flow is at rest, for the next owner of the group."""
        post(self.group, FlowHandedOver(self.address))
        self.disband()

    def submit_events(
        self,
        flow_id: str,
        revision: int,
        at: float,
        events: bytes,
        *,
        entry: RunEntry | None = None,
        settles: tuple[Settlement, ...] = (),
        sends: Iterable[OutgoingMessage] = (),
    ) -> None:
        """The next record of a flow; ``Committed`` follows."""
        write = Write(
            self.held,
            self.actor_ref,
            flow_id=flow_id,
            revision=revision,
            commit_id=self.services.new_id(),
            at=at,
            events=events,
            entry=entry,
            settles=settles,
            sends=tuple(map(self._stored, sends)),
        )
        self.services.journal.submit(write)

    def submit_settlements(self, settles: tuple[Settlement, ...]) -> None:
        """Messages that change nothing are settled; ``Committed`` follows."""
        self.services.journal.submit(Write(self.held, self.actor_ref, settles=settles))

    def pass_on(self, committed: Committed, settles: tuple[Settlement, ...]) -> None:
        """The commit is durable: what it has settled is done with, what it has sent is on its way."""
        if settles:
            post(self.group, Settled(tuple(settled.message_id for settled in settles)))
        for message in committed.sends:
            self.services.bring(message)

    def _stored(self, message: OutgoingMessage) -> Message:
        """In the inbox of this group, whose actor sends it on if it is for another one (PROTOCOL 2, 20)."""
        group_id, destination = self.held.lease.group_id, self.services.system_flows.destination_of(message)
        return Message(group_id, message.message_id, message.flow_id, message.kind, message.body, destination)
