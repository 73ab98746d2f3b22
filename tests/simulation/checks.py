"""What must hold at the end of a simulation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import evolve

from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.model.flow_id import system_name
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.checker import check as check_history
from maestro_flow.verify.history import Execution
from maestro_flow.verify.store import read_history
from maestro_flow.views.tag_permits import read_tag_permits

if TYPE_CHECKING:
    from tests.simulation.users import Users
    from tests.simulation.world import World

__all__ = ["check"]


def check(world: World, users: Users, *, has_drained: bool) -> list[str]:
    """All problems; empty if there are none."""
    problems = [] if has_drained else [f"L1: {line}" for line in _left(world, users)]
    problems += _history(world, users)
    if has_drained:
        problems += _leaks(world)
    return problems


def _left(world: World, users: Users) -> Iterator[str]:
    if not users.are_answered:
        yield "a start was never answered"
    for flow_id in world.storage._pending:
        yield f"{flow_id} was accepted and never taken up"
    for entry in world.storage._state.entries.values():
        if not entry.status.is_terminal and not system_name(entry.flow_id):
            yield f"{entry.flow_id} has not ended"


def _history(world: World, users: Users) -> Iterator[str]:
    """The checker's violations, in the log and in the observations of users and their code."""
    executions = [
        Execution(call.flow_id, call.step_id, call.attempt, call.execution, call.generation, call.owner_id)
        for call in world.workload.code.calls
    ]
    messages = [letter.message for group in world.storage._state.groups for letter in group.inbox.values()]
    history = read_history(
        world.storage,
        GraphCache(world.storage),
        SYSTEM_FLOWS,
        operations=users.operations,
        executions=executions,
        messages=messages,
        claims=world.claims,
        is_quiet=True,
    )
    for violation in check_history(evolve(history, deliveries_max=world.settings["deliveries_max"])):
        yield f"{violation.invariant}: {violation.flow_id} {violation.step_id} {violation.message}"


def _leaks(world: World) -> Iterator[str]:
    for tag, permit in read_tag_permits(world.storage).items():
        if permit.held or permit.waiting:
            yield f"I18: tag {tag}: {permit.held} permits are held, {permit.waiting} waited for, and nothing runs"
    for process in world.processes:
        if process.engine is None:
            yield f"{process.name} never came up"
            continue
        full = [world.settings["executor_queue_max"], world.settings["suspects_max"], 1]
        for executor, pool in process.engine._node._services.executors.pools.items():
            if pool._free != full:
                yield f"{process.name} has {pool._free} of {full} slots of executor {executor} when nothing runs"
    for group_id, group in enumerate(world.storage._state.groups):
        if waiting := group.waiting():
            yield f"L4: group {group_id} has messages without an answer: {[received.message for received in waiting]}"


def state_of(world: World, flow_id: str) -> FlowState:
    """The fold of the log of a flow."""
    entry = world.storage.run(flow_id)
    assert entry is not None
    graph = GraphCache(world.storage).of_run(entry.flow_id, entry.version)
    return fold(FlowState.new(flow_id, graph), world.storage.read_flow(flow_id))
