"""Base of the actors of flows: submits commits, passes on the messages they send, and gives up the flow."""

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
    """The actor of the flow that its group knows as ``address``. Child of a group."""

    def __init__(self, services: Services, held: Held, group: ActorRef[Any], address: str) -> None:
        super().__init__()
        self.services, self.held, self.group, self.address = services, held, group, address

    def disband(self) -> None:
        """Release everything below, and ignore all further messages."""
        self.actor_stopped.set()

    def on_defect(self, defect: BaseException) -> None:
        self.lose(repr(defect), describe(defect).traceback)

    def lose(self, reason: str, traceback: str = "") -> None:
        """The flow has to be reloaded (PROTOCOL 4)."""
        post(self.group, FlowLost(self.address, reason, traceback))
        self.disband()

    def hand_over(self) -> None:
        """Nothing of the flow runs: leave it to the group's next owner."""
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
        """Settle messages that change nothing; ``Committed`` follows."""
        self.services.journal.submit(Write(self.held, self.actor_ref, settles=settles))

    def pass_on(self, committed: Committed, settles: tuple[Settlement, ...]) -> None:
        """The commit is durable: report the settled messages, and forward the sent ones."""
        if settles:
            post(self.group, Settled(tuple(settled.message_id for settled in settles)))
        for message in committed.sends:
            self.services.bring(message)

    def _stored(self, message: OutgoingMessage) -> Message:
        """The message in this group's own inbox, from where it is forwarded if it is for another (PROTOCOL 2, 20)."""
        group_id, destination = self.held.lease.group_id, self.services.system_flows.destination_of(message)
        return Message(group_id, message.message_id, message.flow_id, message.kind, message.body, destination)
