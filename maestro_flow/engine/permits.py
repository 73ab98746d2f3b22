"""Limits on tags as users see and set them. The permit flow is the engine's own: nobody is shown it as a run."""

from __future__ import annotations

from collections import Counter

import msgspec
from attrs import frozen

from maestro_flow.core.permits.state import PermitState, fold
from maestro_flow.engine.placement import place
from maestro_flow.errors import SettingsError
from maestro_flow.model.commit import Message
from maestro_flow.model.permits import LIMIT, PERMITS, PermitLimit
from maestro_flow.model.status import RunStatus
from maestro_flow.model.text import is_storable
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["TagPermit", "limit_message", "read_tag_permits"]


@frozen
class TagPermit:
    """A tag that limits, or is limited.

    ``limit`` is what a user has set, None where the definitions say it; ``held`` and ``waiting`` count attempts.
    """

    tag: str
    limit: int | None
    held: int
    waiting: int


def limit_message(tag: str, limit: int | None, group_count: int, message_id: str) -> Message:
    """The message that sets a limit.

    Raises:
        SettingsError: the tag is no text that can be stored, or the limit is below 0.
    """
    if not tag or not is_storable(tag):
        raise SettingsError(f"{tag!r} cannot be a tag: a tag is text, with neither NUL nor a lone surrogate")
    if limit is not None and limit < 0:
        raise SettingsError(f"the limit of tag {tag!r} is {limit}: it is 0 or more, or None for no limit of its own")
    group_id = place(PERMITS, range(group_count))
    return Message(group_id, message_id, PERMITS, LIMIT, msgspec.json.encode(PermitLimit(tag, limit)))


def read_tag_permits(storage: Storage) -> dict[str, TagPermit]:
    """All tags with a limit of a user, a holder or somebody who waits, by name."""
    state = _state(storage)
    if state is None:
        return {}
    waiting = Counter(tag for claim in state.claims.values() if not claim.is_granted for tag in claim.permits)
    tags = sorted({*state.limits, *state.held, *waiting})
    return {tag: TagPermit(tag, state.limits.get(tag), state.held.get(tag, 0), waiting[tag]) for tag in tags}


def _state(storage: Storage) -> PermitState | None:
    """The latest run of the permit flow; None if nobody has ever needed it."""
    runs = storage.list_runs(RunQuery(workflow_id=PERMITS, statuses=frozenset({RunStatus.IN_PROGRESS})))
    if not runs:
        return None
    latest = max(runs, key=lambda entry: entry.run_id)
    return fold(latest.flow_id, storage.read_flow(latest.flow_id))
