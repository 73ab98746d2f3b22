"""``verify``: the checker over a whole store, while nodes may run on it; it only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import frozen

from maestro_flow.core.graph import Graph
from maestro_flow.core.system_flow import AnySystemFlow
from maestro_flow.errors import NotFound
from maestro_flow.model.flow_id import FlowId, system_name
from maestro_flow.model.inbox import Message
from maestro_flow.model.leases import Owner
from maestro_flow.model.log import LogRecord
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.reading.pages import all_log_records, all_pending_starts, all_runs
from maestro_flow.storage.protocol import RunQuery, Storage
from maestro_flow.verify.checker import Checker
from maestro_flow.verify.history import Claimed, Execution, History, Operation, Violation
from maestro_flow.verify.liveness import check_live, check_pending_starts

__all__ = ["VIOLATIONS_MAX", "Verification", "Violation", "read_history", "verify"]

VIOLATIONS_MAX = 1000
"""How many are kept; all are counted."""

_PAGE = 1000
_NOBODY = Owner("verify")
"""Renews nothing: it only reads the store's clock."""


@frozen
class Verification:
    """What was checked, and what is wrong with it: nothing if ``violations`` is empty."""

    groups: int
    """Groups with any content."""
    runs: int
    attempts: int
    records: int
    events: int
    violations: tuple[Violation, ...] = ()
    """The first ``VIOLATIONS_MAX`` of them."""
    violation_count: int = 0


class _StoreSource:
    """A store as the checker's source."""

    has_index = True
    has_unique_revisions = True

    def __init__(self, storage: Storage, graphs: GraphCache, system_flows: Mapping[str, AnySystemFlow]) -> None:
        self._storage, self._graphs, self._system_flows = storage, graphs, system_flows

    def graph(self, flow_id: str, version: int) -> Graph | None:
        try:
            return self._graphs.of_run(flow_id, version)
        except NotFound:
            return None

    def system_flow(self, name: str) -> AnySystemFlow | None:
        return self._system_flows.get(name)

    def records(self, flow_id: str) -> Sequence[LogRecord]:
        return self._storage.read_flow(flow_id)

    def entry(self, flow_id: str) -> RunEntry | None:
        return self._storage.run(flow_id)


def verify(
    storage: Storage,
    graphs: GraphCache,
    system_flows: Mapping[str, AnySystemFlow],
    *,
    live: bool = True,
    grace_s: float = 30.0,
) -> Verification:
    """Check every invariant that a store can show, group by group; it needs memory for the live runs of one group.

    Pruned flows are not missed; a flow may be pruned, as a whole, while this reads.

    ``live`` also checks progress: whether groups with work have an owner, and whether what was due ``grace_s`` seconds
    ago has been done.

    Raises:
        StorageUnavailable, StorageFailed: the store cannot be read.
        DefinitionError: a definition in the store cannot be read by this version.
    """
    violations: list[Violation] = []
    count = 0

    def found(violation: Violation) -> None:
        nonlocal count
        if _is_pruned(storage, violation.flow_id):
            return
        count += 1
        if len(violations) < VIOLATIONS_MAX:
            violations.append(violation)

    checker = Checker(_StoreSource(storage, graphs, system_flows), found)
    expected = _active_runs(storage)
    for group_id in range(storage.group_count):
        missing = expected.pop(group_id, set())
        for record in all_log_records(storage, group_id, accept_gaps=True):
            missing.discard(record.flow_id)
            checker.take(record)
        for flow_id in missing:
            problem = "the index shows the run IN_PROGRESS, and the log does not have it"
            found(Violation("I20", problem, flow_id, group_id=group_id))
        if live:
            _check_live(storage, group_id, checker, grace_s, found)
        checker.end_group()
    counts = checker.counts
    return Verification(
        counts.groups, counts.runs, counts.attempts, counts.records, counts.events, tuple(violations), count
    )


def read_history(
    storage: Storage,
    graphs: GraphCache,
    system_flows: Mapping[str, AnySystemFlow],
    *,
    operations: Sequence[Operation] = (),
    executions: Sequence[Execution] = (),
    messages: Sequence[Message] = (),
    claims: Sequence[Claimed] = (),
    is_quiet: bool = False,
) -> History:
    """All of a store in memory, for ``check``, with observations. For tests: a large store does not fit."""
    records = [
        record
        for group_id in range(storage.group_count)
        for record in all_log_records(storage, group_id, accept_gaps=True)
    ]
    flow_ids = dict.fromkeys(record.flow_id for record in records)
    entries = [entry for entry in map(storage.run, flow_ids) if entry is not None]
    versions = {
        (FlowId.parse(entry.flow_id).root.workflow_id, entry.version)
        for entry in entries
        if not system_name(entry.flow_id)
    }
    return History(
        records,
        {key: graphs.of_version(*key) for key in versions},
        entries=entries,
        operations=operations,
        executions=executions,
        messages=messages,
        claims=claims,
        is_quiet=is_quiet,
        system_flows=system_flows,
    )


def _is_pruned(storage: Storage, flow_id: str) -> bool:
    """Whether a flow was removed while its records were read: a flow that was pruned earlier has none."""
    if not flow_id or storage.run(flow_id) is not None or storage.read_flow(flow_id):
        return False
    return any(storage.pruned_through(group_id) for group_id in range(storage.group_count))


def _active_runs(storage: Storage) -> dict[int, set[str]]:
    """Active runs by group, by the index: their records are written, so what is read later must have them.

    Those that a step has started are not listed: the log of their parent shows that they exist.
    """
    active: dict[int, set[str]] = {}
    for entry in all_runs(storage, RunQuery(statuses=frozenset({RunStatus.IN_PROGRESS}), limit=_PAGE)):
        active.setdefault(entry.group_id, set()).add(entry.flow_id)
    return active


def _check_live(
    storage: Storage, group_id: int, checker: Checker, grace_s: float, found: Callable[[Violation], None]
) -> None:
    """Reads the holder of the group first, then its runs: a run that has ended meanwhile needs no owner."""
    given = [
        pending for pending in all_pending_starts(storage, group_id) if not storage.read_flow(pending.flow_id)
    ]  # those that have a record are acknowledged a little later
    if not given and not checker.live():
        return
    holder = storage.holder(group_id)
    now = storage.renew(_NOBODY, [], lease_s=1.0).now if holder is None else holder.now
    check_pending_starts(given, found, now=now, grace_s=grace_s)
    checker.compare()
    check_live(group_id, holder, checker.live(), found, now=now, grace_s=grace_s)
