"""``decide(state, mail, now, events_max)``: who gets which permits. Pure but for the state, which is changed in place.

All tags of a claim are granted together or none (PROTOCOL 21). Among the claims for which there is room under all their
tags, the one that has waited longest is the next: a claim that is blocked keeps nobody behind it from passing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from attrs import frozen

from maestro_flow.core.permits.state import PermitState, evolve
from maestro_flow.model.commit import Settlement
from maestro_flow.model.permit_events import (
    ClaimForgone,
    ClaimGranted,
    ClaimQueued,
    ClaimReleased,
    LimitSet,
    PermitEvent,
    PermitsCarriedOver,
)
from maestro_flow.model.permits import PermitLimit, PermitRelease, PermitRequest, claim_of

__all__ = ["FORGONE_S", "PermitDecision", "PermitMail", "carried_over", "decide"]

FORGONE_S = 24 * 3600.0
"""How long it is remembered that a release came before its request: as long as tombstones of messages are kept by
default, after which no message of then is still on its way."""


@frozen
class PermitMail:
    """A message to the permit flow."""

    message_id: str
    body: PermitRequest | PermitRelease | PermitLimit


@frozen
class PermitDecision:
    """Events to write, claims that were granted (their flows are to be told), messages settled, mail left over.

    ``is_full``: there may be more to grant, which the next decision begins with.
    """

    at: float
    events: tuple[PermitEvent, ...]
    granted: tuple[str, ...]
    settles: tuple[Settlement, ...]
    rest: tuple[PermitMail, ...]
    is_full: bool


def decide(state: PermitState, mail: Sequence[PermitMail], now: float, events_max: int) -> PermitDecision:
    """What follows from the mail at store time ``now``; ends after about ``events_max`` events (PROTOCOL 9)."""
    draft = _Draft(state, max(now, state.at), events_max)
    rest = deque(mail)
    draft.grant()
    while rest and not draft.is_full:
        draft.take(rest.popleft())
        draft.grant()
    events = tuple(draft.events)
    if events:
        if not state.revision:
            state.began_at = draft.at
        state.revision, state.at = state.revision + 1, draft.at
    granted = tuple(event.claim for event in events if isinstance(event, ClaimGranted))
    return PermitDecision(draft.at, events, granted, tuple(draft.settles), tuple(rest), draft.is_full)


def carried_over(state: PermitState, at: float) -> PermitsCarriedOver:
    """All that the next run of the permit flow needs to know, so that the log does not grow for ever."""
    forgone = {claim: since for claim, since in state.forgone.items() if since > at - FORGONE_S}
    return PermitsCarriedOver(state.limits, state.claims, forgone, state.next_number)


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
        while not self.is_full and (claim := self.state.waiting.first()) is not None:
            self.emit(ClaimGranted(claim))

    def take(self, mail: PermitMail) -> None:
        """A message that says nothing new, because it was here before, changes nothing."""
        state, body = self.state, mail.body
        self.settles.append(Settlement(mail.message_id, "accepted"))
        match body:
            case PermitLimit():
                if state.limits.get(body.tag) != body.limit:
                    self.emit(LimitSet(body.tag, body.limit))
            case PermitRequest():
                claim = claim_of(body.flow_id, body.step, body.attempt)
                if claim in state.forgone:
                    self.emit(ClaimReleased(claim))
                elif claim not in state.claims:
                    self.emit(ClaimQueued(claim, body.permits, body.group))
            case PermitRelease():
                claim = claim_of(body.flow_id, body.step, body.attempt)
                if claim in state.claims:
                    self.emit(ClaimReleased(claim))
                elif claim not in state.forgone:
                    self.emit(ClaimForgone(claim))
