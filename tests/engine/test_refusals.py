"""A store that refuses one thing: what it is about suffers, and nothing else does."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from maestro_flow import NotFound, RunStatus, Workflow
from maestro_flow.core.evolve import fold
from maestro_flow.errors import DefinitionError, StorageError, StorageUnavailable
from maestro_flow.model.commit import Commit
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.inbox import Message
from maestro_flow.model.runs import StartRequest
from maestro_flow.node import loader
from maestro_flow.storage.protocol import StoredDefinition
from tests.engine.wires import Wire
from tests.engine.workflows import sleeper
from tests.engine.world import World, let_pass

RUNS = 30


def chain() -> Workflow:
    wf = Workflow("chain")
    wf.add("a", type="Sleep", params={"sleep_seconds": 1})
    wf.add("b", type="NoOp", after="a")
    return wf


def refusing(guilty: str, dice: random.Random, failing: float) -> Any:
    """Batches that hold the second commit of the guilty flow are refused; some calls fail besides."""

    def before(verb: str, args: tuple[Any, ...], _options: dict[str, Any]) -> None:
        if verb != "commit":
            return
        if dice.random() < failing:
            raise StorageUnavailable("no connection")
        batch: Sequence[Commit] = args[0]
        if any(commit.flow and commit.flow.flow_id == guilty and commit.flow.revision == 2 for commit in batch):
            raise StorageError("a value that this store cannot take")

    return before


@pytest.mark.parametrize("seed", range(10))
def test_a_commit_that_the_store_refuses_takes_no_other_of_its_batch_with_it(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    wire = Wire(world.storage)
    process = world.process(seed=seed, storage=wire)
    process.engine.push(chain())
    runs = process.engine.start_many("chain", [{}] * RUNS)
    guilty = runs[RUNS // 2]
    wire.before = refusing(guilty.flow_id, random.Random(seed), failing=0.2 if seed % 2 else 0.0)
    innocent = [run for run in runs if run is not guilty]
    for run in innocent:
        assert run.wait(timeout_s=60) is RunStatus.SUCCEEDED
    let_pass(process, 60.0)
    for run in innocent:
        assert len(world.storage.read_flow(run.flow_id)) == 3, "nothing was decided twice"
    lost = {record.args for record in caplog.records if "is loaded again" in record.msg}
    assert {args[0] for args in lost if isinstance(args, tuple)} == {guilty.flow_id}
    parked = [record for record in caplog.records if "is parked" in record.msg]
    assert [record.args[0] for record in parked if isinstance(record.args, tuple)] == [guilty.flow_id]
    tries = len(wire.calls)
    let_pass(process, 20.0)
    assert wire.calls[tries:].count("commit") == 0, "a parked flow is not tried for ever"
    for group_id in {run.group_id for run in runs}:
        positions = [record.position for record in world.storage.read_log(group_id)]
        assert positions == sorted(set(positions))

    wire.heals()
    process.engine.close()
    assert world.process(seed=seed).engine.find("chain", guilty.instance_id).wait(60) is RunStatus.SUCCEEDED


class NewerCatalog(Wire):
    """A catalog in which one workflow is written in a way that this version does not know."""

    unreadable = ""

    def definition(self, workflow_id: str, version: int | None = None) -> StoredDefinition | None:
        found: StoredDefinition | None = self._storage.definition(workflow_id, version)
        if found is None or workflow_id != self.unreadable:
            return found
        return StoredDefinition(workflow_id, found.version, b'{"id": 5}', found.created_at)


def same_group(world: World, workflow_id: str, count: int) -> list[str]:
    """Given runs in group 3."""
    requests = [StartRequest(workflow_id, f"{workflow_id}{n}", 3, None, b"{}") for n in range(count)]
    return [given.flow_id for given in world.storage.start(requests)]


def test_a_definition_that_cannot_be_read_parks_its_runs_and_holds_up_no_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper(30.0))
    first.engine.push(chain())
    (live,) = same_group(world, "sleeper", 1)
    let_pass(first, 3.0)
    assert world.storage.read_flow(live), "it is under way"
    first.engine.close()

    (given,) = same_group(world, "sleeper", 2)[1:]
    others = same_group(world, "chain", 5)
    catalog = NewerCatalog(world.storage)
    catalog.unreadable = "sleeper"
    second = world.process(seed=2, storage=catalog)
    for flow_id in others:
        assert second.engine.find(*_latest_of(flow_id)).wait(60) is RunStatus.SUCCEEDED
    let_pass(second, 60.0)
    parked = [record.getMessage() for record in caplog.records if "is parked" in record.msg]
    assert sorted(line.split()[1] for line in parked) == [live, given], "each once"
    assert all("version 1 of workflow 'sleeper'" in line for line in parked)
    second.send(Message(3, "m", given, "stop"))
    let_pass(second, 5.0)
    message = world.storage.message(3, "m")
    assert message is not None
    assert message.outcome == "", "nobody says that it has ended"
    with pytest.raises(DefinitionError, match="version 1 of workflow 'sleeper' in the store cannot be read"):
        second.engine.start("sleeper")
    second.engine.close()

    third = world.process(seed=3)
    assert third.engine.find(*_latest_of(given)).wait(60) is RunStatus.STOPPED
    assert third.engine.find(*_latest_of(live)).wait(60) is RunStatus.SUCCEEDED


def test_many_pending_runs_that_cannot_be_read_hide_no_later_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_PENDING_MAX", 2)
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper(30.0))
    first.engine.push(chain())
    first.engine.close()
    hidden = same_group(world, "sleeper", 5)
    others = same_group(world, "chain", 5)
    catalog = NewerCatalog(world.storage)
    catalog.unreadable = "sleeper"
    second = world.process(seed=2, storage=catalog)
    for flow_id in others:
        assert second.engine.find(*_latest_of(flow_id)).wait(60) is RunStatus.SUCCEEDED
    assert [given.flow_id for given in world.storage.pending_starts(3)] == hidden
    second.engine.close()


def test_a_log_that_cannot_be_folded_parks_its_flow_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper(5.0))
    bad, *good = same_group(world, "sleeper", 4)
    let_pass(first, 3.0)
    first.engine.close()

    def broken(state: Any, records: Any) -> Any:
        if state.flow_id == bad:
            raise KeyError("a defect")
        return fold(state, records)

    monkeypatch.setattr("maestro_flow.reading.flows.fold", broken)
    second = world.process(seed=2)
    for flow_id in good:
        assert second.engine.find(*_latest_of(flow_id)).wait(60) is RunStatus.SUCCEEDED
    entry = world.storage.run(bad)
    assert entry is not None
    assert entry.status is RunStatus.IN_PROGRESS


def test_loading_continues_at_the_page_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "_PAGE", 3)
    world = World()
    first = world.process(seed=1)
    first.engine.push(sleeper(20.0))
    flows = sorted(same_group(world, "sleeper", 10))
    let_pass(first, 3.0)
    first.engine.close()

    wire = Wire(world.storage)
    asked: list[str] = []

    def before(verb: str, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        if verb == "load_flows" and args[0] == 3:
            asked.append(options["after"])
            if len(asked) in (3, 4):
                raise StorageUnavailable("no connection")

    wire.before = before
    second = world.process(seed=2, storage=wire)
    for flow_id in flows:
        assert second.engine.find(*_latest_of(flow_id)).wait(120) is RunStatus.SUCCEEDED
    assert asked == ["", flows[2], flows[5], flows[5], flows[5], flows[8], flows[9]]


def test_the_definition_that_is_not_there_is_told_from_one_that_cannot_be_read() -> None:
    world = World()
    world.storage.push("torn", b"{")
    world.storage.push("other", msgspec.json.encode({"id": "other", "steps": 7}))
    engine = world.process().engine
    for workflow_id in ("torn", "other"):
        with pytest.raises(DefinitionError, match="cannot be read by this maestro-flow"):
            engine.start(workflow_id)
    with pytest.raises(NotFound):
        engine.start("none")


def _latest_of(flow_id: str) -> tuple[str, int]:
    which = FlowId.parse(flow_id)
    return which.workflow_id, which.instance_id
