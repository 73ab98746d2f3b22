"""The checker: reads the log record by record and reports each violation of an invariant (``table``).

It reads group by group, each in the order of its positions, and forgets runs that have ended: it needs memory for the
live runs of one group. A late record of a forgotten run makes it read that run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from attrs import define

from maestro_flow.core.graph import Graph
from maestro_flow.core.system_flow import AnySystemFlow, SystemReplay
from maestro_flow.errors import NotFound
from maestro_flow.model.event_codec import UnknownEvent
from maestro_flow.model.events import Event, RunQueued, RunStarted, decode_events
from maestro_flow.model.flow_id import FlowId, system_name
from maestro_flow.model.log import LogRecord
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.verify.history import Found, History, Source, Violated, Violation
from maestro_flow.verify.index import check_entry, is_behind
from maestro_flow.verify.limits import Strategies
from maestro_flow.verify.observed import check_observations
from maestro_flow.verify.order import GroupOrder, LastWrite, check_against
from maestro_flow.verify.runs import RunReplay

__all__ = ["Checker", "Counts", "check"]

_REPORTED = ""
"""In place of an invariant: the flow is broken because of a violation that is reported already."""


@define
class Counts:
    """How much was checked."""

    groups: int = 0
    runs: int = 0
    attempts: int = 0
    records: int = 0
    events: int = 0


@define
class _Flow:
    """A flow whose records are being read. ``run`` is None for a system flow, and for one that is broken."""

    last: LastWrite
    commit_ids: set[str]
    run: RunReplay | None = None
    system: SystemReplay | None = None
    is_broken: bool = False


class Checker:
    """Checks the log. ``take`` each record of a group in the order of positions, then ``end_group``."""

    def __init__(self, source: Source, found: Found) -> None:
        self._source, self._found = source, found
        self.counts = Counts()
        self._is_compared = self._is_late = False
        self._begin_group(-1)

    def take(self, record: LogRecord) -> None:
        """The next record of the group, or of a new group after ``end_group``."""
        if self._group_id < 0:
            self._begin_group(record.group_id)
        self.counts.records += 1
        self._order.take(record)
        flow = self._flows.get(record.flow_id)
        if flow is None and (record.revision > 1 or not self._source.has_unique_revisions):
            flow = self._read_again(record)
        if flow is None:
            self._first(record)
        elif self._follows(flow, record):
            self._replay(flow, record)

    def live(self) -> list[RunReplay]:
        """Runs of the group that have not ended and whose logs are consistent."""
        return [flow.run for flow in self._flows.values() if flow.run is not None]

    def compare(self) -> None:
        """Compare the live runs of the group, whose logs were read completely, with the index and the engine's fold.

        Later calls for the group do nothing.
        """
        if self._is_compared:
            return
        self._is_compared = True
        for flow in list(self._flows.values()):
            if flow.run is not None and self._source.has_index:
                self._check_live(flow, flow.run)
        for run in self.live():
            try:
                run.check_fold()
            except Violated as news:
                self._found(Violation(news.invariant, news.message, run.flow_id, news.step_id, self._group_id))

    def end_group(self) -> None:
        """The group was read completely: compare it with the index, and forget it."""
        self.compare()
        self.counts.groups += self._group_id >= 0
        self._begin_group(-1)

    # -- one record ---------------------------------------------------------------------------------------------

    def _begin_group(self, group_id: int) -> None:
        self._group_id = group_id
        self._flows: dict[str, _Flow] = {}
        self._order = GroupOrder(group_id, self._found)
        self._strategies = Strategies(self._source)
        self._system: dict[str, SystemReplay] = {}
        """The latest run of each system flow, by its name."""
        self._is_compared = False

    def _first(self, record: LogRecord) -> None:
        """A record of a flow that was not seen before."""
        flow = self._flows[record.flow_id] = _Flow(LastWrite.of(record), {record.commit_id})
        if record.revision != 1:
            self._break(flow, record, "I5", f"revisions 1 to {record.revision - 1} are missing")
            return
        self.counts.runs += not system_name(record.flow_id)
        self._replay(flow, record)

    def _follows(self, flow: _Flow, record: LogRecord) -> bool:
        """Whether it is the next record of its flow, whose log was consistent so far; if not, that is reported."""
        if flow.is_broken:
            return False
        problem = self._out_of_order(flow, record)
        if problem is not None:
            self._break(flow, record, *problem)
            return False
        check_against(flow.last, record, self._found)
        flow.last = LastWrite.of(record)
        flow.commit_ids.add(record.commit_id)
        return True

    def _out_of_order(self, flow: _Flow, record: LogRecord) -> tuple[str, str] | None:
        last = flow.last
        if record.revision <= last.revision:
            return "I5", f"there is a second record of revision {record.revision}"
        if record.revision > last.revision + 1:
            elsewhere = {each.revision for each in self._source.records(record.flow_id)}
            for revision in range(last.revision + 1, record.revision):
                if revision not in elsewhere:
                    return "I5", f"revision {revision} is missing"
            return "I1", f"its position is before that of revision {last.revision + 1}"
        if record.commit_id in flow.commit_ids:
            return "I13", f"commit {record.commit_id} is written a second time"
        return None

    def _replay(self, flow: _Flow, record: LogRecord) -> None:
        try:
            if system_name(record.flow_id):
                self._replay_system(flow, record)
            else:
                self._replay_run(flow, record)
        except Violated as news:
            self._break(flow, record, news.invariant, news.message, news.step_id)
        except UnknownEvent as problem:
            self._break(flow, record, "I21", str(problem))

    def _replay_run(self, flow: _Flow, record: LogRecord) -> None:
        events = decode_events(record.events, record.schema_version)
        if flow.run is None:
            flow.run = self._begun(record, events)
        run = flow.run
        begun = run.steps.begun
        for event in events:
            self.counts.events += 1
            run.take(event, record.at)
            if not self._is_late:
                self._strategies.take(run, event)
        self.counts.attempts += run.steps.begun - begun
        if run.status.is_terminal:
            run.check_fold()
            self._check_ended(run, record)

    def _begun(self, record: LogRecord, events: Sequence[Event]) -> RunReplay:
        """The replay of a run with this first record."""
        begin = events[0] if events else None
        if not isinstance(begin, RunQueued | RunStarted):
            raise Violated("I5", f"the log of the run begins with {type(begin).__name__}")
        previous = _previous_of(begin)
        return self._new(record, begin, self._previous(previous) if previous else None)

    def _new(self, record: LogRecord, begin: RunQueued | RunStarted, previous: RunReplay | None) -> RunReplay:
        graph = self._source.graph(record.flow_id, begin.version)
        if graph is None:
            problem = f"version {begin.version} of workflow {begin.workflow_id} is not in the store any more"
            raise Violated("I20", problem)
        return RunReplay(record, begin, graph, previous)

    def _previous(self, flow_id: str) -> RunReplay | None:
        """The run that a restart follows, replayed from its own records.

        Raises: Violated: I20, it is missing; I14, runs follow each other in a circle; or _REPORTED, its own log is
            broken.
        """
        chain: dict[str, Sequence[LogRecord]] = {}
        while flow_id:
            records = self._source.records(flow_id)
            if not records:
                raise Violated("I20", f"run {flow_id}, which it continues, is not in the store any more")
            if flow_id in chain:
                raise Violated("I14", f"run {flow_id} is a restart of itself")
            chain[flow_id] = records
            flow_id = _previous_of(_first_event(records))
        run: RunReplay | None = None
        try:
            for records in reversed(chain.values()):
                run = self._replayed(records, run)
        except (Violated, UnknownEvent) as news:
            raise Violated(_REPORTED, str(news)) from news
        return run

    def _replayed(self, records: Sequence[LogRecord], previous: RunReplay | None) -> RunReplay:
        """A run replayed from its records; their order is checked when they are read for themselves."""
        run = self._new(records[0], _first_event(records), previous)
        for record in records:
            for event in decode_events(record.events, record.schema_version):
                run.take(event, record.at)
        return run

    def _replay_system(self, flow: _Flow, record: LogRecord) -> None:
        known = self._system_flow(record)
        events = known.codec.decode(record.events, record.schema_version)
        if flow.system is None:
            flow.system = known.replay(record.flow_id, self._system.get(known.name))
            self._system[known.name] = flow.system
        for event in events:
            self.counts.events += 1
            flow.system.take(event, record.at)
        if flow.system.is_over:
            del self._flows[record.flow_id]

    def _system_flow(self, record: LogRecord) -> AnySystemFlow:
        name = system_name(record.flow_id)
        flow = self._source.system_flow(name)
        if flow is None:
            raise UnknownEvent(f"this version does not know a flow {name} of the engine itself")
        return flow

    def _read_again(self, record: LogRecord) -> _Flow | None:
        """A flow that had ended and was forgotten, as it was before this record."""
        before = [each for each in self._source.records(record.flow_id) if _is_before(each, record)]
        if not before or before[0].revision != 1:
            return None
        flow = _Flow(LastWrite.of(before[-1]), {each.commit_id for each in before})
        try:
            if system_name(record.flow_id):
                flow.system = self._system_flow(record).replay(record.flow_id, None)
                flow.system.is_over = True
            else:
                previous = _previous_of(_first_event(before))
                flow.run = self._replayed(before, self._previous(previous) if previous else None)
        except (Violated, UnknownEvent):
            flow.is_broken = True  # reported when its records were read
        self._flows[record.flow_id] = flow
        return flow

    # -- violations ----------------------------------------------------------------------------------------------

    def _break(self, flow: _Flow, record: LogRecord, invariant: str, problem: str, step_id: str = "") -> None:
        """Report a violation, and stop checking this flow."""
        flow.is_broken = True
        flow.run = None
        where = (record.group_id, record.revision, record.position)
        if invariant != _REPORTED:
            self._found(Violation(invariant, problem, record.flow_id, step_id, *where))

    def _check_ended(self, run: RunReplay, record: LogRecord) -> None:
        del self._flows[record.flow_id]
        if not self._source.has_index:
            return
        entry = self._source.entry(run.flow_id)
        if run.is_blocking and entry is not None and not entry.blocking:
            return  # a later record may unblock it
        check_entry(run, entry, record.group_id, self._found)

    def _check_live(self, flow: _Flow, run: RunReplay) -> None:
        """A live store changes while it is read: if the entry shows more than the log did, read on until both agree.

        These records are read ahead of their position, so they are not compared with other flows of the group.
        """
        entry = self._source.entry(run.flow_id)
        while is_behind(run, entry) and flow.run is run and not run.status.is_terminal:
            more = [each for each in self._source.records(run.flow_id) if each.revision > flow.last.revision]
            if not more:
                break
            self._is_late = True
            for record in more:
                self.counts.records += 1
                if self._follows(flow, record):
                    self._replay(flow, record)
            self._is_late = False
            entry = self._source.entry(run.flow_id)
        if flow.run is run and self._flows.get(run.flow_id) is flow:
            check_entry(run, entry, flow.last.group_id, self._found)


def _is_before(each: LogRecord, record: LogRecord) -> bool:
    """Of two records of a flow: whether the first one comes before the second, by position or else by revision."""
    if each.group_id == record.group_id:
        return each.position < record.position
    return each.revision < record.revision


def _first_event(records: Sequence[LogRecord]) -> RunQueued | RunStarted:
    """The first event of a run whose records were checked already, or will be."""
    try:
        match decode_events(records[0].events, records[0].schema_version):
            case (RunQueued() | RunStarted() as begin, *_):
                return begin
    except UnknownEvent as problem:
        raise Violated(_REPORTED, str(problem)) from problem
    raise Violated(_REPORTED, "the log of the run does not begin with its start")


def _previous_of(begin: RunQueued | RunStarted) -> str:
    """Flow id of the run that a restart follows; empty for other runs."""
    return begin.request.previous if begin.request is not None else ""


class _Known:
    """A history as the checker's source."""

    def __init__(self, history: History) -> None:
        self._graphs: Mapping[tuple[str, int], Graph] = history.graphs
        self._system_flows = history.system_flows
        self._entries = {entry.flow_id: entry for entry in history.entries}
        self._records: dict[str, list[LogRecord]] = {}
        for record in sorted(history.records, key=lambda each: each.revision):
            self._records.setdefault(record.flow_id, []).append(record)

    has_unique_revisions = False

    @property
    def has_index(self) -> bool:
        return bool(self._entries)

    def graph(self, flow_id: str, version: int) -> Graph | None:
        which = FlowId.parse(flow_id)
        root = self._graphs.get((which.root.workflow_id, version))
        try:
            return Graph.of(root.definition, version, which.path) if root is not None and which.path else root
        except NotFound:
            return None

    def system_flow(self, name: str) -> AnySystemFlow | None:
        return self._system_flows.get(name)

    def records(self, flow_id: str) -> Sequence[LogRecord]:
        return self._records.get(flow_id, [])

    def entry(self, flow_id: str) -> RunEntry | None:
        return self._entries.get(flow_id)


def check(history: History) -> list[Violation]:
    """All violations in a history: first those in the log, in the order of groups and positions, then in observations.

    A flow with a broken log is reported once, because what follows the first violation has no meaning.
    """
    violations: list[Violation] = []
    checker = Checker(_Known(history), violations.append)
    live: list[RunReplay] = []
    for _, records in _by_group(history.records):
        for record in records:
            checker.take(record)
        live += checker.live()
        checker.end_group()
    _check_quiet(history, live, violations)
    violations += check_observations(history)
    return violations


def _by_group(records: Iterable[LogRecord]) -> list[tuple[int, list[LogRecord]]]:
    groups: dict[int, list[LogRecord]] = {}
    for record in sorted(records, key=lambda each: each.position):
        groups.setdefault(record.group_id, []).append(record)
    return sorted(groups.items())


def _check_quiet(history: History, live: Iterable[RunReplay], violations: list[Violation]) -> None:
    """The faults are over: whatever can end must have ended."""
    if not history.is_quiet:
        return
    for run in live:
        if run.status is RunStatus.IN_PROGRESS and run.steps.active:
            step_id = next(step_id for step_id, step in run.steps.known.items() if step.status.is_active)
            status = run.steps.known[step_id].status
            violations.append(Violation("L2", f"the step is still {status}", run.flow_id, step_id))
        else:
            violations.append(Violation("L1", f"the run is still {run.status}", run.flow_id))
