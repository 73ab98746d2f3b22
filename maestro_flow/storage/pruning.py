"""Which flows may be pruned, for backends that decide it in Python (PROTOCOL 28)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import frozen

from maestro_flow.errors import LogPruned

__all__ = ["IndexedRun", "check_not_pruned", "prunable"]


@frozen
class IndexedRun:
    """A run to be pruned, or another run of its instance that was created by a start."""

    flow_id: str
    workflow_id: str
    instance_id: int
    run_id: int
    is_finished: bool
    """Its entry is terminal, and does not block."""
    is_ended: bool
    """Its entry is terminal."""
    is_pending: bool
    """Its start is not acknowledged."""
    is_start: bool
    """It was created by a start; other runs do not depend on earlier ones."""


def prunable(asked: Collection[str], runs: Sequence[IndexedRun]) -> list[str]:
    """Those of ``asked`` that may be removed; ``runs`` are the existing ones of them and of their instances."""
    starts: dict[tuple[str, int], dict[int, IndexedRun]] = {}
    for run in runs:
        if run.is_start:
            starts.setdefault((run.workflow_id, run.instance_id), {})[run.run_id] = run
    found = []
    for run in sorted(runs, key=lambda run: run.run_id):
        if run.flow_id not in asked or run.is_pending or not run.is_finished:
            continue
        if run.is_start:
            instance = starts[run.workflow_id, run.instance_id]
            if run.run_id > min(instance) or not instance[max(instance)].is_ended:
                continue
            del instance[run.run_id]
        found.append(run.flow_id)
    return found


def check_not_pruned(group_id: int, after: int, pruned_through: int) -> None:
    """Raises LogPruned: a reader at position ``after`` would miss pruned records."""
    if max(after, 0) < pruned_through:
        raise LogPruned(group_id, after, pruned_through)
