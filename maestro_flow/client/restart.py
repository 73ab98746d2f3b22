"""Running again: a new run that follows one that has ended, or one more attempt of a step in a run that goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from attrs import frozen

from maestro_flow.core.placement import place_run
from maestro_flow.core.state import FlowState
from maestro_flow.dsl.start import parse_params, parse_step_params
from maestro_flow.errors import Conflict
from maestro_flow.model.actions import STEP_ACTIONS, Action, ActionOrder
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.params import ParamSource
from maestro_flow.model.requests import RunPolicy, RunRequest, encode_request
from maestro_flow.model.runs import PendingRun, StartRequest

if TYPE_CHECKING:
    from maestro_flow.client.client import Client

__all__ = ["Wishes", "follow_up", "order_within"]


@frozen
class Wishes:
    """What a user wants of a restart; see ``Run.restart``."""

    step: str
    from_beginning: bool
    params: Mapping[str, Any]
    step_params: Mapping[str, Mapping[str, Any]]
    skip_steps: Collection[str]
    breakpoints: Collection[str]
    request_id: str | None


def order_within(state: FlowState, wishes: Wishes) -> ActionOrder:
    """The order to restart a step inside its run, which goes on.

    Raises:
        Conflict: something is wished for that only a new run can have.
        NotFound: there is no such step.
    """
    state.graph.known([wishes.step])
    given = {
        "from_beginning": wishes.from_beginning,
        "params": wishes.params,
        "params of other steps": wishes.step_params.keys() - {wishes.step},
        "skip_steps": wishes.skip_steps,
        "breakpoints": wishes.breakpoints,
        "request_id": wishes.request_id is not None,
    }
    if forbidden := [name for name, value in given.items() if value]:
        raise Conflict(
            f"step {wishes.step} of run {state.flow_id} is restarted inside the run, which is {state.status}: "
            f"{', '.join(forbidden)} can be given when the run has ended"
        )
    own = {wishes.step: wishes.step_params.get(wishes.step, {})}
    return ActionOrder(wishes.step, parse_step_params(state.graph.definition, own, ParamSource.RESTART)[wishes.step])


def follow_up(client: Client, state: FlowState, group_id: int, wishes: Wishes) -> PendingRun:
    """Start the run that follows this one, whose group is ``group_id``; durable when this returns.

    Raises:
        Conflict, NotFound, DefinitionError: see ``Run.restart``.
    """
    client.check()
    policy = _policy(state, wishes)
    graph = state.graph
    request = RunRequest(
        params=parse_params(graph.definition.params, wishes.params, ParamSource.RESTART),
        step_params=parse_step_params(graph.definition, wishes.step_params, ParamSource.RESTART),
        policy=policy,
        previous=state.flow_id,
        restart_from=wishes.step,
        skip_steps=graph.known(wishes.skip_steps),
        breakpoints=graph.known(wishes.breakpoints),
        parent=state.request.parent,
    )
    key = client.environment.new_id() if wishes.request_id is None else wishes.request_id
    workflow_id = state.workflow_id
    group_id = place_run(graph.definition, key, [group_id], client.storage.group_count)
    start = StartRequest(
        workflow_id,
        key,
        group_id,
        graph.version,
        encode_request(request),
        after=(state.instance_id, state.run_id),
        parent=request.parent,
    )
    (given,) = client.storage.start([start])
    client.started([given])
    return given


def _policy(state: FlowState, wishes: Wishes) -> RunPolicy:
    """Where the new run begins, if it may."""
    what = f"run {state.flow_id} cannot be restarted"
    if parent := FlowId.parse(state.flow_id).parent:
        raise Conflict(f"{what} by itself: it belongs to step {parent.step_id} of run {parent.flow_id}; restart that")
    if not state.status.is_terminal:
        raise Conflict(f"{what}: it is {state.status}; stop it first, or name the step that has failed")
    if wishes.step and wishes.from_beginning:
        raise Conflict(f"{what} both from the beginning and from step {wishes.step}")
    if wishes.from_beginning:
        return RunPolicy.RESTART_FROM_BEGINNING
    if wishes.step:
        state.graph.known([wishes.step])
        status = state.status_of(wishes.step)
        if Action.RESTART not in STEP_ACTIONS[status]:
            raise Conflict(f"{what} from step {wishes.step}, which is {status}: restart what is incomplete")
        return RunPolicy.RESTART_FROM_SPECIFIC
    complete = {step_id for step_id in state.graph.steps if state.status_of(step_id).is_complete}
    if len(complete) == len(state.graph.steps):
        raise Conflict(f"{what}: every step of it is complete; restart it from the beginning, or from a step")
    if kept := sorted(complete.intersection(wishes.skip_steps)):
        raise Conflict(f"{what} without step {kept[0]}, which is {state.status_of(kept[0])} and is not run again")
    return RunPolicy.RESTART_FROM_INCOMPLETE
