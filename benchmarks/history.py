"""Ended runs: what a store holds after some time, written without an engine but in the same form."""

from __future__ import annotations

from maestro_flow.clock import Environment
from maestro_flow.model.commit import Commit, FlowWrite, Outcome
from maestro_flow.model.events import StepEnded, StepStarting, encode_events
from maestro_flow.model.leases import Lease, Owner
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.storage.protocol import Storage

__all__ = ["REVISIONS", "write_history"]

REVISIONS = 5
"""Commits per run: rows of history."""

_AT_ONCE = 500
_LEASE_S = 600.0
_WORKFLOW = "benchmark-history"
_EVENTS = encode_events([StepEnded("s41", 1, StepStatus.SUCCEEDED, began_at=0.5), StepStarting("s42")])


def write_history(storage: Storage, runs: int) -> None:
    """Start, commit ``REVISIONS`` times and end this many runs, in all groups, which are free before and after."""
    environment = Environment()
    owner = Owner(environment.new_id())
    leases = {lease.group_id: lease for lease in storage.claim(owner, lease_s=_LEASE_S, limit=storage.group_count)}
    positions = dict.fromkeys(leases, 0)

    def commit(run: PendingRun, revision: int, entry: RunEntry | None) -> Commit:
        positions[run.group_id] += 1
        position, now = positions[run.group_id], environment.clock.time()
        write = FlowWrite(run.flow_id, revision, environment.new_id(), position, now, _EVENTS, entry=entry)
        return Commit(leases[run.group_id], write)

    storage.push(_WORKFLOW, b"{}")
    for first in range(0, runs, _AT_ONCE):
        groups = (number % len(leases) for number in range(first, first + _AT_ONCE))
        started = storage.start([StartRequest(_WORKFLOW, environment.new_id(), group_id) for group_id in groups])
        for revision in range(1, REVISIONS + 1):
            batch = [commit(run, revision, entry_at(run, revision)) for run in started]
            assert set(storage.commit(batch)) == {Outcome.DONE}
        storage.acknowledge_starts([run.flow_id for run in started])
    storage.release(list[Lease](leases.values()))


def entry_at(run: PendingRun, revision: int) -> RunEntry | None:
    """The change to the run's entry with a revision: only the first and the last revision have one."""
    status = {1: RunStatus.IN_PROGRESS, REVISIONS: RunStatus.SUCCEEDED}.get(revision)
    if status is None:
        return None
    ids = (run.flow_id, run.workflow_id, run.version, run.instance_id, run.run_id, run.group_id)
    ended_at = run.created_at if status.is_terminal else None
    return RunEntry(*ids, status, run.created_at, run.created_at, ended_at)
