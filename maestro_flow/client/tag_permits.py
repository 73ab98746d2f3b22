"""Setting the limit of a tag: a message to the permit flow."""

from __future__ import annotations

import msgspec

from maestro_flow.errors import SettingsError
from maestro_flow.model.inbox import Message
from maestro_flow.model.permits import LIMIT, PermitLimit
from maestro_flow.model.text import is_storable
from maestro_flow.system.permits import PERMIT_FLOW

__all__ = ["limit_message"]


def limit_message(tag: str, limit: int | None, group_count: int, message_id: str) -> Message:
    """The message that sets a limit.

    Raises:
        SettingsError: the tag is not text that can be stored, or the limit is below 0.
    """
    if not tag or not is_storable(tag):
        raise SettingsError(f"{tag!r} cannot be a tag: a tag is text, with neither NUL nor a lone surrogate")
    if limit is not None and limit < 0:
        raise SettingsError(f"the limit of tag {tag!r} is {limit}: it must be 0 or more, or None")
    group_id = PERMIT_FLOW.group_id(group_count)
    return Message(group_id, message_id, PERMIT_FLOW.name, LIMIT, msgspec.json.encode(PermitLimit(tag, limit)))
