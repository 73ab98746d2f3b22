"""A letter of the inbox as the input that it is to its flow."""

from __future__ import annotations

import msgspec

from maestro_flow.core.inputs import Act, Granted, Input
from maestro_flow.core.permits.decide import PermitMail
from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.inbox import Message
from maestro_flow.model.permits import GRANTED, PERMIT_KINDS, PERMITS, PermitGrant, decode_body

__all__ = ["opened"]

_ACTIONS = {action.lower(): action for action in Action}
_orders = msgspec.json.Decoder(ActionOrder)


def opened(letter: Message) -> Input | PermitMail | str:
    """The input; or what is wrong with the letter, for its sender."""
    if (letter.flow_id == PERMITS) is not (letter.kind in PERMIT_KINDS - {GRANTED}):
        return f"a letter of kind {letter.kind!r} is not for {letter.flow_id}"
    if letter.kind in PERMIT_KINDS:
        return _about_permits(letter)
    action = _ACTIONS.get(letter.kind)
    if action is None:
        return f"this version knows no action {letter.kind!r}"
    try:
        return Act(letter.message_id, action, _orders.decode(letter.body))
    except msgspec.MsgspecError as error:
        return f"the body of the {letter.kind} cannot be read: {error}"


def _about_permits(letter: Message) -> Granted | PermitMail | str:
    try:
        body = decode_body(letter)
    except MaestroFlowError as problem:
        return str(problem)
    if isinstance(body, PermitGrant):
        return Granted(letter.message_id, body.step, body.attempt)
    return PermitMail(letter.message_id, body)
