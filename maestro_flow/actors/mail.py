"""A letter of the inbox as the input that it is to its flow."""

from __future__ import annotations

import msgspec

from maestro_flow.core.inputs import Act, Input
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.commit import Message

__all__ = ["opened"]

_ACTIONS = {action.lower(): action for action in Action}
_orders = msgspec.json.Decoder(ActionOrder)


def opened(letter: Message) -> Input | str:
    """The input; or what is wrong with the letter, for its sender."""
    action = _ACTIONS.get(letter.kind)
    if action is None:
        return f"this version knows no action {letter.kind!r}"
    try:
        return Act(letter.message_id, action, _orders.decode(letter.body))
    except msgspec.MsgspecError as error:
        return f"the body of the {letter.kind} cannot be read: {error}"
