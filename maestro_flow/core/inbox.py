"""The inbox of a group that is held here: messages that were received and are not settled yet, by flow and in order.

A pure class: each method returns what to do next, as values that the group's actor carries out. The cost of a message
does not depend on how many are in hand.

A message is in hand from its receipt until it is settled or its flow no longer needs an actor. Which of several
messages broke their flow cannot be told. So a flow with a defect is suspicious until everything it had in hand is done,
and gets one message at a time: further defects count against that message alone (PROTOCOL 17).
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

from attrs import frozen

from maestro_flow.core.actions import CONFLICT
from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message
from maestro_flow.model.text import escaped

__all__ = ["Deliver", "Forward", "GroupInbox", "Next", "Settle"]

_SETTLED_MAX = 10_000
"""A scan reads a few hundred messages at once, and they are handled long before this many others have been."""

InputT = TypeVar("InputT")


@frozen
class Deliver(Generic[InputT]):
    """Hand this to the flow's actor; if it has none, load the flow, and tell the inbox when it is here."""

    flow_id: str
    given: InputT


@frozen
class Forward:
    """Send the message on to its destination, and tell the inbox what came of it."""

    message: Message


@frozen
class Settle:
    """Write this settlement. If the message becomes a dead letter, its flow was not to blame for the failures."""

    flow_id: str
    settlement: Settlement


Next: TypeAlias = Deliver[InputT] | Forward | Settle


class GroupInbox(Generic[InputT]):
    """See the module.

    ``decode`` returns the input of a message for its flow, or text that says what is wrong with the message.
    """

    def __init__(
        self,
        deliveries_max: int,
        decode: Callable[[Message], InputT | str],
    ) -> None:
        self._deliveries_max, self._decode = deliveries_max, decode
        self._by_flow: dict[str, OrderedDict[str, Message]] = {}
        self._flow_of: dict[str, str] = {}
        """Of each message in hand, by id."""
        self._in_transit: dict[str, Message] = {}
        self._settled: OrderedDict[str, int] = OrderedDict()
        """Recently settled messages, and up to which sequence that counts, because a dead letter may be redriven."""
        self._defects: dict[str, list[str]] = {}
        """By message: tracebacks of the defects of its flow's actors while it was in hand."""
        self._suspicious: set[str] = set()
        self._is_stopped = False

    def stop(self) -> None:
        """The group is being handed over: what is not settled by then is left to the next owner."""
        self._is_stopped = True

    def has_any(self, flow_id: str) -> bool:
        """Whether messages are in hand for the flow."""
        return flow_id in self._by_flow

    def receive(self, messages: Iterable[Message]) -> list[Next[InputT]]:
        """Take messages of the group's inbox; some may have been received before."""
        todo: list[Next[InputT]] = []
        for message in messages:
            message_id = message.message_id
            is_known = message_id in self._flow_of or message_id in self._in_transit
            if not is_known and message.sequence > self._settled.get(message_id, -1):
                todo += self._take(message)
        return todo

    def flow_is_here(self, flow_id: str) -> list[Next[InputT]]:
        """The flow has an actor: it gets the messages that waited for it."""
        if flow_id in self._suspicious:
            return self._next_of(flow_id)
        return [each for message in self._messages_of(flow_id) for each in self._take(message)]

    def flow_is_over(self, flow_id: str) -> list[Next[InputT]]:
        """The flow has ended: its state answers messages that came after its last commit, because senders wait."""
        late = self._messages_of(flow_id)
        self.drop(flow_id)
        return self.receive(late)

    def flow_is_unknown(self, flow_id: str) -> list[Next[InputT]]:
        """There is no such flow."""
        found = list(self._by_flow.get(flow_id, ()))
        self._suspicious.discard(flow_id)
        return [self._settle(message_id, flow_id, f"{CONFLICT}there is no run {flow_id}") for message_id in found]

    def flow_has_a_defect(self, flow_id: str, traceback: str) -> None:
        """The flow's actor failed to handle something, possibly a message in hand."""
        in_hand = list(self._by_flow.get(flow_id, ()))
        for message_id in in_hand[:1] if flow_id in self._suspicious else in_hand:
            self._suspicious.add(flow_id)
            self._defects.setdefault(message_id, []).append(traceback)

    def drop(self, flow_id: str) -> None:
        """The flow is given up here: its messages in hand are still in the store."""
        self._suspicious.discard(flow_id)
        for message_id in self._by_flow.pop(flow_id, ()):
            del self._flow_of[message_id]
            self._defects.pop(message_id, None)

    def settled(self, message_ids: Iterable[str]) -> list[Next[InputT]]:
        """The flow has settled these, durably."""
        todo: list[Next[InputT]] = []
        for message_id in message_ids:
            flow_id = self._flow_of.get(message_id)
            self._is_done_with(message_id)
            if flow_id is not None:
                todo += self._next_of(flow_id)
        return todo

    def forwarded(self, message_id: str, outcome: str) -> list[Next[InputT]]:
        """The message has arrived at its destination, or was refused there."""
        message = self._in_transit.pop(message_id, None)
        return [self._settle(message_id, message.flow_id if message else "", outcome)]

    def settlements_are_lost(self) -> None:
        """A settlement was not written: messages that come again are handled again."""
        self._settled.clear()

    # -- parts --------------------------------------------------------------------------------------------------

    def _messages_of(self, flow_id: str) -> list[Message]:
        return list(self._by_flow.get(flow_id, {}).values())

    def _take(self, message: Message) -> list[Next[InputT]]:
        """What to do with a message that is new or has waited for its flow."""
        todo = self._judge(message)
        return [*todo, *self._next_of(message.flow_id)] if todo and isinstance(todo[0], Settle) else todo

    def _judge(self, message: Message) -> list[Next[InputT]]:
        """At most one item: none if the message has to wait for those before it."""
        if self._is_stopped:
            return []
        message_id, flow_id = message.message_id, message.flow_id
        defects = self._defects.get(message_id, [])
        failures = max(message.deliveries - 1, 0) + len(defects)
        if failures >= self._deliveries_max:
            problem = f"given up: {failures} owners failed while they had it in hand"
            buried = self._settle(message_id, flow_id, "\n".join([problem, *defects[-1:]]), dead=True)
            self._settled[message_id] = message.sequence  # if redriven, it comes again with a later sequence
            return [buried]
        if message.is_in_transit:
            self._in_transit[message_id] = message
            return [Forward(message)]
        given = self._decode(message)
        if isinstance(given, str):
            return [self._settle(message_id, flow_id, CONFLICT + given)]
        messages = self._by_flow.setdefault(flow_id, OrderedDict())
        messages[message_id] = message
        self._flow_of[message_id] = flow_id
        is_behind = flow_id in self._suspicious and next(iter(messages)) != message_id
        return [] if is_behind else [Deliver(flow_id, given)]

    def _next_of(self, flow_id: str) -> list[Next[InputT]]:
        """A suspicious flow is done with a message: its next one in hand, if there is one."""
        todo: list[Next[InputT]] = []
        while flow_id in self._suspicious and not (todo and isinstance(todo[-1], Deliver)):
            messages = self._by_flow.get(flow_id)
            if messages is None:
                self._suspicious.discard(flow_id)
                break
            judged = self._judge(next(iter(messages.values())))
            if not judged:
                break
            todo += judged
        return todo

    def _settle(self, message_id: str, flow_id: str, outcome: str, *, dead: bool = False) -> Settle:
        self._is_done_with(message_id)
        return Settle(flow_id, Settlement(message_id, escaped(outcome), dead=dead))

    def _is_done_with(self, message_id: str) -> None:
        """Remember it: it may come again from a scan that read it before it was settled."""
        flow_id = self._flow_of.pop(message_id, None)
        if flow_id is not None:
            messages = self._by_flow[flow_id]
            del messages[message_id]
            if not messages:
                del self._by_flow[flow_id]
        self._defects.pop(message_id, None)
        self._settled[message_id] = sys.maxsize
        if len(self._settled) > _SETTLED_MAX:
            self._settled.popitem(last=False)
