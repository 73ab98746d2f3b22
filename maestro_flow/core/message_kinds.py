"""Kinds of messages: how to decode each body, and which input it is for its receiver. One table for each receiver.

``RUN_KINDS`` is the table of runs; each system flow has its own (``core.system_flow``). A new kind needs an entry in
one of them, and a case in the receiver's ``decide``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import msgspec
from attrs import field, frozen

from maestro_flow.core.inputs import Act, Granted, Input
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.inbox import Message
from maestro_flow.model.permits import GRANTED, PermitGrant

__all__ = ["RUN_KINDS", "MessageKind", "decode_message"]

BodyT = TypeVar("BodyT")
InputT_co = TypeVar("InputT_co", covariant=True)


@frozen
class MessageKind(Generic[BodyT, InputT_co]):
    """How a body of type ``body``, with the id of its message, becomes an input of the receiver's ``decide``."""

    body: type[BodyT]
    to_input: Callable[[str, BodyT], InputT_co]
    _decoder: msgspec.json.Decoder[BodyT] = field(init=False, repr=False, eq=False)

    @_decoder.default
    def _make_decoder(self) -> msgspec.json.Decoder[BodyT]:
        return msgspec.json.Decoder(self.body)

    def decode(self, message: Message) -> InputT_co:
        """The input.

        Raises:
            msgspec.MsgspecError: the body cannot be read.
        """
        return self.to_input(message.message_id, self._decoder.decode(message.body))


def _action(action: Action) -> MessageKind[ActionOrder, Act]:
    return MessageKind(ActionOrder, lambda message_id, order: Act(message_id, action, order))


RUN_KINDS: Mapping[str, MessageKind[Any, Input]] = {
    **{action.lower(): _action(action) for action in Action},
    GRANTED: MessageKind(PermitGrant, lambda message_id, body: Granted(message_id, body.step, body.attempt)),
}
"""Messages to runs."""


def decode_message(message: Message, kinds: Mapping[str, MessageKind[Any, InputT_co]]) -> InputT_co | str:
    """The input of a message, for a receiver with these kinds; or text for its sender that says what is wrong."""
    kind = kinds.get(message.kind)
    if kind is None:
        return f"in this version, {message.flow_id} does not accept messages of kind {message.kind!r}"
    try:
        return kind.decode(message)
    except msgspec.MsgspecError as error:
        return f"the body of the {message.kind} cannot be read: {error}"
