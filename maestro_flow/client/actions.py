"""Actions on a run: a message in the inbox of its group, and the outcome that its owner records (PROTOCOL 16)."""

from __future__ import annotations

import msgspec

from maestro_flow.client.polling import poll
from maestro_flow.client.session import Session
from maestro_flow.core.actions import ACCEPTED, CONFLICT
from maestro_flow.core.state import FlowState
from maestro_flow.errors import Conflict, WaitTimeout
from maestro_flow.model.actions import RUN_ACTIONS, Action, ActionOrder
from maestro_flow.model.inbox import Message, MessageState

__all__ = ["ANSWER_S", "ask"]

ANSWER_S = 30.0
"""How long an owner may take to answer: longer than a short outage of the store, or a takeover, lasts."""

_DONE = {
    Action.STOP: "stopped",
    Action.KILL: "killed",
    Action.PAUSE: "paused",
    Action.RESUME: "resumed",
    Action.SKIP: "skipped",
    Action.RESTART: "restarted",
    Action.UNBLOCK: "unblocked",
    Action.BREAKPOINT: "given a breakpoint",
}


def ask(
    session: Session, state: FlowState, group_id: int, action: Action, order: ActionOrder, *, timeout_s: float
) -> None:
    """Request an action of the owner of a run, whose state was just read, and wait until the owner accepts it.

    Raises:
        Conflict: it cannot be done; the message has the status of the run or step, and what is allowed.
        NotFound: the run has no such step.
        WaitTimeout: no owner has answered within ``timeout_s`` seconds; the request stays valid.
        StorageUnavailable: the request may not have been sent.
        StorageFailed, Closed: see ``Run.wait``.
    """
    session.check()
    if order.step:
        state.graph.known([order.step])
    flow_id = state.flow_id
    what = f"step {order.step} of run {flow_id}" if order.step else f"run {flow_id}"
    if state.status.is_terminal and (order.step or action not in RUN_ACTIONS[state.status]):
        run = "the run" if order.step else "it"
        raise Conflict(f"{what} cannot be {_DONE[action]}: {run} is {state.status}; restart the run to continue it")
    message = Message(group_id, session.environment.new_id(), flow_id, action.lower(), msgspec.json.encode(order))
    session.send(message)
    outcome = ""
    try:
        for answer in poll(
            session,
            flow_id,
            lambda: session.storage.message(group_id, message.message_id),
            timeout_s,
            only_the_end=False,
        ):
            if answer is not None and answer.state is not MessageState.WAITING:
                outcome = answer.outcome
                break
    except WaitTimeout:
        problem = (
            f"no owner of run {flow_id} has answered the {action.lower()} after {timeout_s:g} s; the request stands"
        )
        raise WaitTimeout(problem) from None
    if outcome != ACCEPTED:
        raise Conflict(f"{what} cannot be {_DONE[action]}: {outcome.removeprefix(CONFLICT)}")
