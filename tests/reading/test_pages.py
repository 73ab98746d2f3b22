"""Everything that a store lists by pages, read to its end: nothing twice, nothing left out, no page too many."""

from __future__ import annotations

import pytest

from maestro_flow import Workflow
from maestro_flow.clock import ManualClock
from maestro_flow.model.commit import Outcome
from maestro_flow.model.runs import StartRequest
from maestro_flow.model.status import LIVE_RUN_STATUSES, RunStatus
from maestro_flow.reading import pages as reading
from maestro_flow.reading.pages import (
    all_dead_letters,
    all_log_records,
    all_pending_starts,
    all_runs,
    live_flow_pages,
    pages,
    pending_start_pages,
)
from maestro_flow.storage.conformance.node import Node, message_to
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.protocol import RunQuery
from tests.engine.wires import Wire
from tests.engine.world import World, let_pass

RUNS = 5


def test_pages_end_with_the_first_that_is_empty() -> None:
    asked = []

    def read(after: int) -> list[int]:
        asked.append(after)
        return [number for number in range(1, 8) if number > after][:3]

    assert list(pages(read, 0, lambda number: number)) == [[1, 2, 3], [4, 5, 6], [7]]
    assert asked == [0, 3, 6, 7]


def test_a_page_is_read_when_it_is_asked_for() -> None:
    read = pages(lambda after: [after + 1], 0, lambda number: number)
    assert next(read) == [1]
    assert next(read) == [2]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Five runs of which each has a step that sleeps, and small pages."""
    monkeypatch.setattr(reading, "_PAGE", 2)
    world = World()
    process = world.process()
    wf = Workflow("sleeper")
    wf.add("nap", type="Sleep", params={"sleep_seconds": 600})
    process.engine.push(wf)
    process.engine.start_many("sleeper", [{}] * RUNS)
    let_pass(process, 1.0)
    return world


def test_runs_newest_first(world: World) -> None:
    found = list(all_runs(world.storage, RunQuery(statuses=LIVE_RUN_STATUSES, limit=2)))
    assert found == world.storage.list_runs(RunQuery(limit=100))
    assert len(found) == RUNS
    assert list(all_runs(world.storage, RunQuery(statuses=frozenset({RunStatus.FAILED}), limit=2))) == []


def test_live_flows_and_logs_of_groups(world: World) -> None:
    groups = range(world.storage.group_count)
    flows = [
        log
        for group_id in groups
        for page in live_flow_pages(world.storage, group_id, after="", limit=1)
        for log in page
    ]
    assert len({log.entry.flow_id for log in flows}) == len(flows) == RUNS
    records = [record for group_id in groups for record in all_log_records(world.storage, group_id)]
    assert sorted(records, key=lambda each: (each.flow_id, each.revision)) == [
        record for log in sorted(flows, key=lambda each: each.entry.flow_id) for record in log.records
    ]


def test_pending_starts_of_a_group(world: World) -> None:
    wire = Wire(world.storage)
    starts = [StartRequest("sleeper", f"request {number}", 3, 1, b"{}") for number in range(RUNS)]
    started = [pending.flow_id for pending in world.storage.start(starts)]
    assert [pending.flow_id for pending in all_pending_starts(wire, 3)] == started
    assert wire.calls == ["pending_starts"] * 3, "pages of four: a full one, one with the rest, and an empty one"
    assert [len(page) for page in pending_start_pages(world.storage, 3, limit=3)] == [3, 2]


def test_dead_letters_of_all_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_PAGE", 2)
    storage = MemoryStorage(ManualClock())
    for owner, names in (("anna", "abc"), ("boris", "de")):
        node = Node(storage, owner)
        node.claim()
        for name in names:
            storage.send(message_to(node.group_id, name))
            assert node.commit(node.settle(name, "why", dead=True)) == [Outcome.DONE]
    found = list(all_dead_letters(storage))
    assert found == storage.dead_letters(limit=100)
    assert {message.message_id for message in found} == set("abcde")
