"""Whether there is progress, as far as a store shows it at one moment (L1 to L4).

A step that waits for a slot, for its code or for a user is not a violation; only what is due regardless of these is.
All times are seconds by the store's clock; ``grace_s`` is how late something may be.
"""

from __future__ import annotations

from collections.abc import Iterable

from maestro_flow.model.leases import Holder
from maestro_flow.model.runs import PendingRun
from maestro_flow.model.status import RunStatus
from maestro_flow.verify.history import Found, Violation
from maestro_flow.verify.runs import RunReplay

__all__ = ["check_live", "check_pending_starts"]


def check_live(
    group_id: int, holder: Holder | None, runs: Iterable[RunReplay], found: Found, *, now: float, grace_s: float
) -> None:
    """The live runs of a group whose log was read, and the holder of the group."""
    runs = list(runs)
    if not runs:
        return
    since = max(run.at for run in runs) if holder is None else holder.expires_at
    if now > since + grace_s:
        whose = "no node holds the group" if holder is None else f"the lease of {holder.owner_id} has expired"
        first = runs[0].flow_id
        some = f"live run {first} has" if len(runs) == 1 else f"{len(runs)} live runs, {first} among them, have"
        problem = f"{some} made no progress for {now - since:.0f} s: {whose}"
        found(Violation("L3", problem, group_id=group_id))
        return
    for run in runs:
        _check_run(run, group_id, now, grace_s, found)


def _check_run(run: RunReplay, group_id: int, now: float, grace_s: float, found: Found) -> None:
    steps = run.steps
    if run.status is not RunStatus.IN_PROGRESS or now <= run.at + grace_s:
        return
    if run.deadline is not None and steps.ending is None and now > run.deadline + grace_s:
        late = f"its timeout passed {now - run.deadline:.0f} s ago, and it was not told to end"
        found(Violation("L2", late, run.flow_id, group_id=group_id))
    waits = any(not step.status.is_terminal or step.retry_at is not None for step in steps.known.values())
    if not waits and (steps.ending is not None or not any(steps.needs.left(steps.known))):
        problem = f"no step of it has been under way or due for {now - run.at:.0f} s, and it has not ended"
        found(Violation("L1", problem, run.flow_id, group_id=group_id))


def check_pending_starts(given: Iterable[PendingRun], found: Found, *, now: float, grace_s: float) -> None:
    """Runs of a group that were started and have no record."""
    for run in given:
        if now > run.created_at + grace_s:
            problem = f"it was started {now - run.created_at:.0f} s ago, and no owner has taken it up"
            found(Violation("L4", problem, run.flow_id, group_id=run.group_id))
