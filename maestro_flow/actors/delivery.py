"""Delivery of the messages in a group's inbox: carries out what ``core.inbox`` decides (PROTOCOL 16, 17, 20)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

from pykka import ActorRef

from maestro_flow.actors.messages import Committed, Forwarded, Received, Settled
from maestro_flow.actors.services import Held, Services, Write
from maestro_flow.core.inbox import Deliver, Forward, GroupInbox, Next, Settle
from maestro_flow.core.message_kinds import decode_message
from maestro_flow.model.commit import Outcome
from maestro_flow.model.inbox import Message

__all__ = ["AboutMessages", "Delivery"]

AboutMessages: TypeAlias = Received | Settled | Forwarded | Committed
"""The actor messages to a group that only concern its inbox."""


class Delivery:
    """Part of a group's actor, and only called by it.

    ``to_flow`` hands an input to the flow with this id; ``acquit`` is called when a dead letter turned out to be what
    broke a flow.
    """

    def __init__(
        self,
        services: Services,
        held: Held,
        group: ActorRef[Any],
        *,
        to_flow: Callable[[str, Any], None],
        acquit: Callable[[str], None],
    ) -> None:
        self._services, self._held, self._group = services, held, group
        self._to_flow, self._acquit = to_flow, acquit
        kinds_of = services.system_flows.kinds_of
        self.inbox: GroupInbox[Any] = GroupInbox(
            services.settings.deliveries_max, lambda message: decode_message(message, kinds_of(message.flow_id))
        )

    def handle(self, told: AboutMessages) -> None:
        """Messages arrived, or an earlier request was completed."""
        match told:
            case Received():
                self.carry_out(self.inbox.receive(told.messages))
            case Settled():
                self.carry_out(self.inbox.settled(told.message_ids))
            case Forwarded():
                self.carry_out(self.inbox.forwarded(told.message_id, told.outcome))
            case Committed(sends=(sent, *_)):
                self._forwarded(sent, told.outcome)
            case Committed() if not told.outcome.is_durable:
                self.inbox.settlements_are_lost()
                self._services.receive_again(self._held)

    def carry_out(self, todo: Iterable[Next[Any]]) -> None:
        """Carry out what the inbox decided."""
        for each in todo:
            match each:
                case Deliver():
                    self._to_flow(each.flow_id, each.given)
                case Forward():
                    self._forward(each.message)
                case Settle():
                    if each.settlement.dead:
                        self._acquit(each.flow_id)
                    self._services.journal.submit(Write(self._held, self._group, settles=(each.settlement,)))

    def _forward(self, message: Message) -> None:
        """A group that is held here gets it by a commit of its own: the journal writes many at once (PROTOCOL 20)."""
        there = self._services.held(message.destination)
        if there is None:
            self._services.forward(self._held, self._group, message)
        else:
            self._services.journal.submit(Write(there, self._group, sends=(message.delivered(),)))

    def _forwarded(self, sent: Message, outcome: Outcome) -> None:
        if outcome.is_durable:
            self.carry_out(self.inbox.forwarded(sent.message_id, "forwarded"))
            self._services.bring(sent)
        else:  # the group is no longer held here
            self._services.forward(self._held, self._group, sent)
