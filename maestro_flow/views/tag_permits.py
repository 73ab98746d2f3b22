"""The permits of tags as users see them."""

from __future__ import annotations

from collections import Counter

from attrs import frozen

from maestro_flow.reading.system import read_state
from maestro_flow.storage.protocol import Storage
from maestro_flow.system.permits import PERMIT_FLOW

__all__ = ["TagPermit", "read_tag_permits"]


@frozen
class TagPermit:
    """A tag with a limit, or with steps that hold or wait for its permits.

    ``limit`` is set by a user, None if the definitions' limits apply; ``held`` and ``waiting`` count attempts.
    """

    tag: str
    limit: int | None
    held: int
    waiting: int


def read_tag_permits(storage: Storage) -> dict[str, TagPermit]:
    """All tags with a limit set by a user, a holder or a waiting attempt, by name."""
    state = read_state(storage, PERMIT_FLOW)
    waiting = Counter(tag for each in state.requesters.values() if not each.is_granted for tag in each.permits)
    tags = sorted({*state.limits, *state.held, *waiting})
    return {tag: TagPermit(tag, state.limits.get(tag), state.held.get(tag, 0), waiting[tag]) for tag in tags}
