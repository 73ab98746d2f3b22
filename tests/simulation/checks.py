"""What must hold at the end of a simulation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from maestro_flow.actors.room import Place
from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.engine.permits import read_tag_permits
from maestro_flow.model.events import StepEnded, StepRunning, decode_events
from maestro_flow.model.permits import is_permit_flow

if TYPE_CHECKING:
    from tests.simulation.users import Users
    from tests.simulation.world import World

__all__ = ["check"]


def check(world: World, users: Users, *, has_drained: bool) -> list[str]:
    """What is wrong; empty if nothing is."""
    problems = [] if has_drained else [f"L1: {line}" for line in _left(world, users)]
    problems += _logs(world)
    problems += _starts(world, users)
    problems += _calls(world)
    if has_drained:
        problems += _leaks(world)
    return problems


def _left(world: World, users: Users) -> Iterator[str]:
    if not users.are_answered:
        yield "a start was never answered"
    for flow_id in world.storage._given:
        yield f"{flow_id} was given and never taken up"
    for entry in world.storage._books.entries.values():
        if not entry.status.is_terminal and not is_permit_flow(entry.flow_id):
            yield f"{entry.flow_id} has not ended"


def _logs(world: World) -> Iterator[str]:
    for flow_id, records in world.storage._books.flows.items():
        generations = [record.generation for record in records]
        if generations != sorted(generations):
            yield f"I1: {flow_id} was written by generations {generations}"
        if is_permit_flow(flow_id):
            continue
        events = [event for record in records for event in decode_events(record.events)]
        ends = Counter((event.step, event.attempt) for event in events if isinstance(event, StepEnded))
        yield from (f"I3: {flow_id} {which} ended {count} times" for which, count in ends.items() if count > 1)
        begun = Counter((e.step, e.attempt, e.execution) for e in events if isinstance(e, StepRunning))
        yield from (f"I22: {flow_id} {which} began {count} times" for which, count in begun.items() if count > 1)


def _starts(world: World, users: Users) -> Iterator[str]:
    for key, flow_id in users.started.items():
        if world.storage.run(flow_id) is None:
            yield f"I15: the start {key} was answered by {flow_id}, which is not there"


def _calls(world: World) -> Iterator[str]:
    calls = world.workload.code.calls
    counts = Counter((c.flow_id, c.step_id, c.attempt, c.execution, c.generation) for c in calls)
    yield from (f"I22: {which} was called {count} times" for which, count in counts.items() if count > 1)
    last: dict[tuple[str, str], tuple[int, int, int]] = {}


def _leaks(world: World) -> Iterator[str]:
    for tag, permit in read_tag_permits(world.storage).items():
        if permit.held or permit.waiting:
            yield f"I18: tag {tag}: {permit.held} permits are held, {permit.waiting} waited for, and nothing runs"
    for process in world.processes:
        if process.engine is None:
            yield f"{process.name} never came up"
            continue
        room = process.engine._node._services.room
        free = {Place.START: world.settings["executor_queue_max"], Place.SUSPECT: world.settings["suspects_max"]}
        for kind, count in (free | {Place.CRASHED: 1}).items():
            if room._free[kind] != count:
                yield f"{process.name} has {room._free[kind]} of {count} places of kind {kind} when nothing runs"
    for group_id, group in enumerate(world.storage._books.groups):
        if waiting := group.waiting():
            yield f"L4: group {group_id} has mail that nobody answers: {[letter.message for letter in waiting]}"


def state_of(world: World, flow_id: str) -> FlowState:
    """The fold of the log of a flow."""
    entry = world.storage.run(flow_id)
    assert entry is not None
    engine = next(process.engine for process in world.processes if process.engine is not None)
    graph = engine.library.graph(entry.workflow_id, entry.version)
    return fold(FlowState(flow_id, graph), world.storage.read_flow(flow_id))
