"""The result of a storm: is anything lost, doubled or undone, and how soon did the work continue?"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from attrs import field, frozen

from maestro_flow import RunStatus
from maestro_flow.model.events import RunEnded, StepEnded, decode_events
from maestro_flow.model.log import LogRecord
from maestro_flow.model.status import StepStatus
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.checker import check
from maestro_flow.verify.history import Answer, Execution, History, Violation
from maestro_flow.verify.store import read_history
from tests.chaos.diary import read
from tests.chaos.load import Load

__all__ = ["Fall", "Verdict", "completions", "executions", "judge", "percentile"]


@frozen
class Fall:
    """A node that was killed, or told to stop; ``at`` in seconds since the epoch."""

    pid: int
    at: float
    is_kill: bool


@frozen
class Verdict:
    """The figures. Times are in seconds."""

    flows: int
    lost: int
    """Starts that were acknowledged, and whose run has not succeeded."""
    doubled: int
    """Steps that were completed more than once."""
    regressions: int
    """Violations of I1 to I5."""
    violations: list[Violation]
    executions: int
    repeated: int
    """Executions that were called for a step again, after a takeover."""
    stale_rejected: int
    """Commits that reached the store and were refused, because another node had taken over."""
    drain_s: float
    recoveries: list[float] = field(repr=False)
    """From a kill to the first record of a new owner, for each group in which something was under way."""
    handovers: list[float] = field(repr=False)
    """From SIGTERM, likewise."""

    @property
    def is_good(self) -> bool:
        """Nothing lost, doubled or undone. The caller judges whether recovery was fast enough."""
        return not (self.lost or self.doubled or self.violations)


def judge(load: Load, diary: Path, falls: Sequence[Fall], *, drain_s: float) -> Verdict:
    """The verdict, once all processes have ended."""
    client = load.client
    called = executions(diary)
    history = read_history(
        client.storage,
        GraphCache(client.storage),
        SYSTEM_FLOWS,
        operations=load.operations,
        executions=called,
        is_quiet=True,
    )
    violations = check(history)
    started = {each.flow_id for each in load.operations if each.answer is Answer.ACCEPTED}
    succeeded = {entry.flow_id for entry in history.entries if entry.status is RunStatus.SUCCEEDED}
    recoveries = _gaps(history, diary, [fall for fall in falls if fall.is_kill])
    handovers = _gaps(history, diary, [fall for fall in falls if not fall.is_kill])
    return Verdict(
        flows=len(started),
        lost=len(started - succeeded),
        doubled=sum(times > 1 for times in completions(history).values()),
        regressions=sum(each.invariant in ("I1", "I2", "I3", "I4", "I5") for each in violations),
        violations=violations,
        executions=len(called),
        repeated=sum(each.execution > 1 for each in called),
        stale_rejected=sum(line["refused"] for line in read(diary, "stale")),
        drain_s=drain_s,
        recoveries=recoveries,
        handovers=handovers,
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed; NaN if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def executions(diary: Path) -> list[Execution]:
    """The executions that the code of the steps recorded."""
    return [
        Execution(line["flow"], line["step"], line["attempt"], line["execution"], line["generation"])
        for line in read(diary, "begin")
    ]


def completions(history: History) -> Counter[tuple[str, str]]:
    """How often each step has succeeded, by the log alone: counted independently of the checker."""
    return Counter(
        (record.flow_id, event.step)
        for record in history.records
        for event in decode_events(record.events, record.schema_version)
        if isinstance(event, StepEnded) and event.status is StepStatus.SUCCEEDED
    )


def _gaps(history: History, diary: Path, falls: Sequence[Fall]) -> list[float]:
    """For each fall, and each group that the node held then: how long no node wrote, if a run of the group was
    active."""
    claims: dict[int, dict[int, int]] = defaultdict(dict)
    for line in read(diary, "claim"):
        for group_id, generation in line["generations"].items():
            claims[line["pid"]][int(group_id)] = generation
    groups: dict[int, list[LogRecord]] = defaultdict(list)
    for record in sorted(history.records, key=lambda each: each.position):
        groups[record.group_id].append(record)
    gaps = []
    for fall in falls:
        for group_id, generation in claims[fall.pid].items():
            gap = _gap(groups[group_id], generation, fall.at)
            if gap is not None:
                gaps.append(gap)
    return gaps


def _gap(records: Sequence[LogRecord], generation: int, fell_at: float) -> float | None:
    """None if no run was active there, or another node had taken over the group already."""
    under_way: set[str] = set()
    for record in records:
        if record.generation > generation:
            is_later = record.at >= fell_at
            return record.at - fell_at if under_way and is_later else None
        if record.at > fell_at:
            continue  # the last records of a node that was told to stop
        under_way.add(record.flow_id)
        if any(isinstance(event, RunEnded) for event in decode_events(record.events, record.schema_version)):
            under_way.discard(record.flow_id)
    return None
