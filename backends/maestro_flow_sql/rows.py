"""Rows as records of the model, for the statements that each dialect has of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from maestro_flow.model.inbox import Message, MessageState

__all__ = ["MESSAGE_COLUMNS", "message_of", "message_values"]

_FIELDS = tuple(field.name for field in attrs.fields(Message))
_COLUMNS = {name: f"messages.{name}" for name in _FIELDS} | {
    "destination": "coalesce(messages.destination, messages.group_id)"
}

MESSAGE_COLUMNS = ", ".join(_COLUMNS[name] for name in _FIELDS)
"""What to select from ``messages``, for ``message_of``."""


def message_of(row: Iterable[Any]) -> Message:
    """The message in a row of ``MESSAGE_COLUMNS``."""
    values = dict(zip(_FIELDS, row, strict=True))
    return Message(**{**values, "state": MessageState(values["state"])})


def message_values(message: Message) -> dict[str, Any]:
    """The columns of a message that its sender decides; a destination is written where the message is in transit."""
    return {
        "group_id": message.group_id,
        "message_id": message.message_id,
        "flow_id": message.flow_id,
        "kind": message.kind,
        "body": message.body,
        "destination": message.destination if message.is_in_transit else None,
    }
