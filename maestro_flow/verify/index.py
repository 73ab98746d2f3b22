"""The index against the log: lists and takeovers find a run as its log has it (I20, I21)."""

from __future__ import annotations

from maestro_flow.model.runs import RunEntry
from maestro_flow.verify.history import Found, Violation
from maestro_flow.verify.runs import RunReplay

__all__ = ["check_entry", "is_behind"]


def check_entry(run: RunReplay, entry: RunEntry | None, group_id: int, found: Found) -> None:
    """The entry of a run, read after its last record."""
    if entry is None:
        problem = f"the log has the run, {run.status}, and the index does not: no list shows it, no owner finds it"
        found(Violation("I20", problem, run.flow_id, group_id=group_id))
        return
    says = {
        "status": (entry.status, run.status),
        "version": (entry.version, run.graph.version),
        "group": (entry.group_id, group_id),
        "started_at": (entry.started_at, run.started_at),
        "ended_at": (entry.ended_at, run.ended_at),
        "blocking": (entry.blocking, run.is_blocking),
        "parent": (entry.parent, run.parent),
    }
    wrong = [f"{name} {shown}, not {true}" for name, (shown, true) in says.items() if shown != true]
    if wrong:
        found(Violation("I21", f"the index shows {'; '.join(wrong)}", run.flow_id, group_id=group_id))


def is_behind(run: RunReplay, entry: RunEntry | None) -> bool:
    """The entry shows more than the records that were read: by now there are, or should be, more records."""
    return entry is not None and (entry.status, entry.blocking) != (run.status, run.is_blocking)
