"""``decide(state, messages, now, events_max)``: grants permits. Pure, but the state is changed in place.

A requester gets permits for all its tags together or none (PROTOCOL 21). Of the requesters whose tags all have a free
permit, the one that has waited longest is next: a blocked requester does not hold up those behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import frozen

from maestro_flow.core.permits.messages import grant
from maestro_flow.core.permits.state import PermitState, evolve
from maestro_flow.core.system_flow import SystemDecision
from maestro_flow.model.commit import Settlement
from maestro_flow.model.permit_events import (
    LimitSet,
    PermitEvent,
    PermitsCarriedOver,
    PermitsForgone,
    PermitsGranted,
    PermitsReleased,
    PermitsRequested,
)
from maestro_flow.model.permits import PermitLimit, PermitRelease, PermitRequest, requester_of

__all__ = ["FORGONE_S", "PermitMessage", "carried_over", "decide"]

FORGONE_S = 24 * 3600.0
"""How long a release that came before its request is remembered: as long as tombstones are kept by default. After that
time no earlier message can still arrive."""


@frozen
class PermitMessage:
    """A message to the permit flow."""

    message_id: str
    body: PermitRequest | PermitRelease | PermitLimit


def decide(
    state: PermitState, messages: Sequence[PermitMessage], now: float, events_max: int
) -> SystemDecision[PermitEvent, PermitMessage]:
    """Decide on the messages at store time ``now``; stops after about ``events_max`` events (PROTOCOL 9)."""
    draft = _Draft(state, max(now, state.at), events_max)
    rest = deque(messages)
    draft.grant()
    while rest and not draft.is_full:
        draft.take(rest.popleft())
        draft.grant()
    granted = (event.requester for event in draft.events if isinstance(event, PermitsGranted))
    sends = tuple(grant(each, state.requesters[each].group) for each in granted if each in state.requesters)
    return SystemDecision(
        draft.at, tuple(draft.events), sends, tuple(draft.settles), tuple(rest), is_full=draft.is_full
    )


def carried_over(state: PermitState, at: float) -> PermitsCarriedOver:
    """Everything that the next run of the permit flow needs to know, so that the log does not grow forever."""
    forgone = {requester: since for requester, since in state.forgone.items() if since > at - FORGONE_S}
    return PermitsCarriedOver(state.limits, state.requesters, forgone, state.next_number)


class _Draft:
    def __init__(self, state: PermitState, at: float, events_max: int) -> None:
        self.state, self.at, self.events_max = state, at, events_max
        self.events: list[PermitEvent] = []
        self.settles: list[Settlement] = []

    @property
    def is_full(self) -> bool:
        return len(self.events) >= self.events_max

    def emit(self, event: PermitEvent) -> None:
        evolve(self.state, event, self.at)
        self.events.append(event)

    def grant(self) -> None:
        while not self.is_full and (requester := self.state.waiting.first()) is not None:
            self.emit(PermitsGranted(requester))

    def take(self, message: PermitMessage) -> None:
        """Handle one message; a repeated one changes nothing."""
        state, body = self.state, message.body
        self.settles.append(Settlement(message.message_id, "accepted"))
        match body:
            case PermitLimit():
                if state.limits.get(body.tag) != body.limit:
                    self.emit(LimitSet(body.tag, body.limit))
            case PermitRequest():
                requester = requester_of(body.flow_id, body.step, body.attempt)
                if requester in state.forgone:
                    self.emit(PermitsReleased(requester))
                elif requester not in state.requesters:
                    self.emit(PermitsRequested(requester, body.permits, body.group))
            case PermitRelease():
                requester = requester_of(body.flow_id, body.step, body.attempt)
                if requester in state.requesters:
                    self.emit(PermitsReleased(requester))
                elif requester not in state.forgone:
                    self.emit(PermitsForgone(requester))
