"""Good histories, spoilt at random: each is found out, or a statement that knows nothing of the checker clears it.

The histories are those of the scenarios, and one of two engines in trouble, with crashes, takeovers and retries.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.events import (
    BreakpointSet,
    RunQueued,
    RunStarted,
    StepProgressed,
    StepUnsupported,
    decode_events,
)
from maestro_flow.model.log import LogRecord
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.checker import check
from maestro_flow.verify.history import History
from maestro_flow.verify.store import read_history
from tests.core.test_transcripts import CASES
from tests.engine.test_random_faults import Trouble
from tests.engine.world import World
from tests.verify.test_good_histories import recorded

Records = list[LogRecord]


@cache
def troubled() -> History:
    """Several generations, interrupted attempts, retries; ends in peace."""
    world = World()
    trouble = Trouble(7, world)
    trouble.let(trouble=False)
    runs = trouble.processes[0].engine.start_many("troubled", [{}] * 3)
    trouble.let(trouble=True)
    for _ in range(30):
        trouble.turn()
    trouble.let(trouble=False)
    survivor = trouble.processes[0].engine
    for run in runs:
        survivor.find("troubled", run.instance_id).wait(timeout_s=600)
    return evolve(read_history(world.storage, GraphCache(world.storage), SYSTEM_FLOWS), entries=())


@cache
def good(number: int) -> History:
    """One of the histories; the last is that of the engines."""
    return troubled() if number == len(CASES) else recorded(CASES[number])


numbers = st.integers(0, len(CASES)) | st.just(len(CASES))


def logs(records: Sequence[LogRecord]) -> dict[str, Records]:
    """By flow, in order of position."""
    found: dict[str, Records] = {}
    for record in sorted(records, key=lambda each: each.position):
        found.setdefault(record.flow_id, []).append(record)
    return found


def spoilt(number: int, change: Any) -> tuple[History, History]:
    """A good history, and what a change makes of its records."""
    history = good(number)
    records = sorted(history.records, key=lambda each: each.position)
    return history, evolve(history, records=change(records))


def picked(data: st.DataObject, records: Records) -> int:
    return data.draw(st.integers(0, len(records) - 1))


def outcome(history: History) -> dict[str, Any] | None:
    """How the engine's own fold shows each flow; None if it refuses one of them."""
    shown: dict[str, Any] = {}
    states: dict[str, FlowState] = {}
    for flow_id, records in sorted(logs(history.records).items()):
        first = decode_events(records[0].events)[0]
        if not isinstance(first, RunQueued | RunStarted):
            return None
        previous = states.get(first.request.previous) if first.request is not None else None
        try:
            state = fold(
                FlowState.new(flow_id, history.graphs[first.workflow_id, first.version], previous=previous), records
            )
        except (MaestroFlowError, KeyError):
            return None
        states[flow_id] = state
        shown[flow_id] = state.status, {name: (s.status, s.attempt, s.execution) for name, s in state.steps.items()}
    return shown


def forms(history: History) -> dict[str, list[Any]]:
    """What happens in each flow, and to which attempts, whatever comes of it: a run and its restart may be alike."""
    return {
        flow_id: [
            [
                (type(event), getattr(event, "step", ""), getattr(event, "attempt", 0))
                for event in decode_events(each.events)
            ]
            for each in records
        ]
        for flow_id, records in logs(history.records).items()
    }


@settings(max_examples=300, deadline=None)
@given(numbers, st.data())
def test_a_record_that_is_lost_is_missed_unless_it_was_the_last_of_its_run(number: int, data: st.DataObject) -> None:
    def lose(records: Records) -> Records:
        place = picked(data, records)
        return records[:place] + records[place + 1 :]

    history, bad = spoilt(number, lose)
    is_prefix = all(
        records == logs(history.records)[flow_id][: len(records)] for flow_id, records in logs(bad.records).items()
    )
    assert check(bad) or is_prefix


@settings(max_examples=300, deadline=None)
@given(numbers, st.data(), st.booleans())
def test_a_record_that_is_written_twice_is_found(number: int, data: st.DataObject, is_renumbered: bool) -> None:
    """Renumbered, as another commit would be, it is harmless if it only says again what is so."""
    repeated: Records = []

    def repeat(records: Records) -> Records:
        record = records[picked(data, records)]
        repeated.append(record)
        again = evolve(record, position=record.position * 2 + 1, commit_id="another")
        moved = [evolve(each, position=each.position * 2) for each in records]
        if not is_renumbered:
            return [*moved, again]
        later = [each for each in moved if each.flow_id == record.flow_id and each.revision > record.revision]
        others = [each for each in moved if each not in later]
        return [
            *others,
            evolve(again, revision=again.revision + 1),
            *[evolve(e, revision=e.revision + 1) for e in later],
        ]

    _, bad = spoilt(number, repeat)
    says_nothing_new = all(
        isinstance(event, StepProgressed | BreakpointSet | StepUnsupported)
        for event in decode_events(repeated[0].events)
    )
    assert check(bad) or (is_renumbered and says_nothing_new)


@settings(max_examples=500, deadline=None)
@given(numbers, st.data())
def test_records_that_change_places_are_found_unless_other_runs_could_have_gone_so(
    number: int, data: st.DataObject
) -> None:
    def swap(records: Records) -> Records:
        first, second = picked(data, records), picked(data, records)
        one, other = records[first], records[second]
        records = list(records)
        records[first] = evolve(one, events=other.events)
        records[second] = evolve(other, events=one.events)
        return records

    history, bad = spoilt(number, swap)
    assert check(bad) or forms(bad) == forms(history) or outcome(bad) == outcome(history)


@settings(max_examples=300, deadline=None)
@given(numbers, st.data(), st.integers(0, 40), st.sampled_from(["one", "other"]))
def test_a_record_of_another_owner_is_found_unless_generations_still_grow(
    number: int, data: st.DataObject, generation: int, owner_id: str
) -> None:
    def change(records: Records) -> Records:
        place = picked(data, records)
        changed = evolve(records[place], generation=generation, owner_id=owner_id)
        return [*records[:place], changed, *records[place + 1 :]]

    _, bad = spoilt(number, change)
    owners = {(each.group_id, each.generation, each.owner_id) for each in bad.records}
    is_unique = len(owners) == len({owner[:2] for owner in owners})
    in_order = sorted((each.group_id, each.position, each.generation) for each in bad.records)
    only_grow = all(before[2] <= after[2] for before, after in pairwise(in_order) if before[0] == after[0])
    assert bool(check(bad)) is not (is_unique and only_grow)


@settings(max_examples=300, deadline=None)
@given(numbers, st.data(), st.sampled_from(["revision", "position", "at"]), st.integers(-5, 50))
def test_a_record_with_another_number_is_found_unless_the_order_is_as_it_was(
    number: int, data: st.DataObject, field: str, value: int
) -> None:
    def change(records: Records) -> Records:
        place = picked(data, records)
        changed = evolve(records[place], **{field: type(getattr(records[place], field))(value)})
        return [*records[:place], changed, *records[place + 1 :]]

    _, bad = spoilt(number, change)
    positions = [(each.group_id, each.position) for each in bad.records]
    is_in_order = len(positions) == len(set(positions)) and all(each.position > 0 for each in bad.records)
    for records in logs(bad.records).values():
        is_in_order &= [each.revision for each in records] == list(range(1, len(records) + 1))
        is_in_order &= all(before.at <= after.at for before, after in pairwise(records))
    assert check(bad) or is_in_order
