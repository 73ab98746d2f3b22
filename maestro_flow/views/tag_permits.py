"""The permits of tags as users see them: the permit flow is the engine's own, and is not shown as a run."""

from __future__ import annotations

from collections import Counter

from attrs import frozen

from maestro_flow.core.permits.state import PermitState, fold
from maestro_flow.model.permits import PERMITS
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["TagPermit", "read_tag_permits"]


@frozen
class TagPermit:
    """A tag that limits, or is limited.

    ``limit`` is what a user has set, None where the definitions say it; ``held`` and ``waiting`` count attempts.
    """

    tag: str
    limit: int | None
    held: int
    waiting: int


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
