"""Restarts: a new run that follows one that has ended, or one more attempt of a step in an active run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen

from maestro_flow.client.session import Session
from maestro_flow.core.placement import place_run
from maestro_flow.core.state import FlowState
from maestro_flow.dsl.start import parse_params, parse_step_params
from maestro_flow.errors import Conflict
from maestro_flow.model.actions import STEP_ACTIONS, Action, ActionOrder
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.params import ParamSource
from maestro_flow.model.requests import RunPolicy, RunRequest, encode_request
from maestro_flow.model.runs import PendingRun, StartRequest

__all__ = ["RestartOptions", "follow_up", "order_within"]


@frozen
class RestartOptions:
    """The options of a restart; see ``Run.restart``."""

    step: str
    from_beginning: bool
    params: Mapping[str, Any]
    step_params: Mapping[str, Mapping[str, Any]]
    skip_steps: Collection[str]
    breakpoints: Collection[str]
    request_id: str | None


def order_within(state: FlowState, options: RestartOptions) -> ActionOrder:
    """The order to restart a step inside its run, which is still active.

    Raises:
        Conflict: an option is given that only a new run can have.
        NotFound: there is no such step.
    """
    state.graph.known([options.step])
    given = {
        "from_beginning": options.from_beginning,
        "params": options.params,
        "params of other steps": options.step_params.keys() - {options.step},
        "skip_steps": options.skip_steps,
        "breakpoints": options.breakpoints,
        "request_id": options.request_id is not None,
    }
    if forbidden := [name for name, value in given.items() if value]:
        raise Conflict(
            f"step {options.step} of run {state.flow_id} is restarted inside the run, which is {state.status}: "
            f"{', '.join(forbidden)} can only be given when the run has ended"
        )
    own = {options.step: options.step_params.get(options.step, {})}
    return ActionOrder(options.step, parse_step_params(state.graph.definition, own, ParamSource.RESTART)[options.step])


def follow_up(session: Session, state: FlowState, group_id: int, options: RestartOptions) -> PendingRun:
    """Start the run that follows this one, whose group is ``group_id``; durable when this returns.

    Raises:
        Conflict, NotFound, DefinitionError: see ``Run.restart``.
    """
    session.check()
    policy = _policy(state, options)
    graph = state.graph
    request = RunRequest(
        params=parse_params(graph.definition.params, options.params, ParamSource.RESTART),
        step_params=parse_step_params(graph.definition, options.step_params, ParamSource.RESTART),
        policy=policy,
        previous=state.flow_id,
        restart_from=options.step,
        skip_steps=graph.known(options.skip_steps),
        breakpoints=graph.known(options.breakpoints),
        parent=state.request.parent,
    )
    key = session.environment.new_id() if options.request_id is None else options.request_id
    workflow_id = state.workflow_id
    group_id = place_run(graph.definition, key, [group_id], session.storage.group_count)
    start = StartRequest(
        workflow_id,
        key,
        group_id,
        graph.version,
        encode_request(request),
        after=(state.instance_id, state.run_id),
        parent=request.parent,
    )
    (given,) = session.storage.start([start])
    session.started([given])
    return given


def _policy(state: FlowState, options: RestartOptions) -> RunPolicy:
    """Where the new run begins; raises ``Conflict`` if it is not allowed."""
    what = f"run {state.flow_id} cannot be restarted"
    if parent := FlowId.parse(state.flow_id).parent:
        raise Conflict(f"{what} by itself: it belongs to step {parent.step_id} of run {parent.flow_id}; restart that")
    if not state.status.is_terminal:
        raise Conflict(f"{what}: it is {state.status}; stop it first, or name the step that has failed")
    if options.step and options.from_beginning:
        raise Conflict(f"{what} both from the beginning and from step {options.step}")
    if options.from_beginning:
        return RunPolicy.RESTART_FROM_BEGINNING
    if options.step:
        state.graph.known([options.step])
        status = state.status_of(options.step)
        if Action.RESTART not in STEP_ACTIONS[status]:
            raise Conflict(f"{what} from step {options.step}, which is {status}: restart what is incomplete")
        return RunPolicy.RESTART_FROM_SPECIFIC
    complete = {step_id for step_id in state.graph.steps if state.status_of(step_id).is_complete}
    if len(complete) == len(state.graph.steps):
        raise Conflict(f"{what}: every step of it is complete; restart it from the beginning, or from a step")
    if kept := sorted(complete.intersection(options.skip_steps)):
        raise Conflict(f"{what} without step {kept[0]}, which is {state.status_of(kept[0])} and is not run again")
    return RunPolicy.RESTART_FROM_INCOMPLETE
