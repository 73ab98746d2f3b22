"""Which flows may be pruned, as every backend decides it that judges in Python (PROTOCOL 28)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from attrs import frozen

from maestro_flow.errors import LogPruned

__all__ = ["IndexedRun", "check_not_pruned", "prunable"]


@frozen
class IndexedRun:
    """A run that is to be pruned, or that a start has made of the same instance as one of those."""

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
    """A start has made it; runs that follow each other in another way do not need each other."""


def prunable(asked: Collection[str], runs: Sequence[IndexedRun]) -> list[str]:
    """Those of ``asked`` that may be removed; ``runs`` are all that exist of them and of their instances."""
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
    """Raises LogPruned: a reader that has come to ``after`` would miss what was pruned."""
    if after < pruned_through:
        raise LogPruned(group_id, after, pruned_through)
