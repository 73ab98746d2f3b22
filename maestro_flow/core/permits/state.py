"""The state of the permit flow, and ``evolve``, the only place where it changes.

Unlike the state of a run it is changed in place: thousands of claims may wait in it, it belongs to one actor alone, and
that actor throws it away with itself when a commit is not done.
"""

from __future__ import annotations

from attrs import Factory, define, field
from msgspec.structs import replace

from maestro_flow.core.evolve import IllegalEvent
from maestro_flow.core.permits.waiting import Waiting
from maestro_flow.core.system_flow import SystemState
from maestro_flow.model.permit_events import (
    Claim,
    ClaimForgone,
    ClaimGranted,
    ClaimQueued,
    ClaimReleased,
    LimitSet,
    PermitEvent,
    PermitsCarriedOn,
    PermitsCarriedOver,
)

__all__ = ["PermitState", "evolve"]


@define
class PermitState(SystemState):
    """One run of the permit flow."""

    limits: dict[str, int] = Factory(dict)
    """What users have set; such a limit counts instead of those that claims bring with them."""
    claims: dict[str, Claim] = Factory(dict)
    """By their ids, in the order of their numbers."""
    forgone: dict[str, float] = Factory(dict)
    """Claims whose release has come before their request, and when."""
    next_number: int = 1
    held: dict[str, int] = Factory(dict)
    """How many claims hold a permit of each tag."""
    waiting: Waiting = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.waiting = Waiting(self.has_room)

    def has_room(self, tag: str, limit: int) -> bool:
        """One more may hold the tag, which the definition gives this limit."""
        return self.held.get(tag, 0) < self.limits.get(tag, limit)

    def hold(self, claim: Claim) -> None:
        for tag in claim.permits:
            self.held[tag] = self.held.get(tag, 0) + 1

    def free(self, claim: Claim) -> None:
        for tag in claim.permits:
            self.held[tag] -= 1
            if not self.held[tag]:
                del self.held[tag]
            self.waiting.look_again(tag)


def evolve(state: PermitState, event: PermitEvent, at: float) -> None:  # noqa: PLR0912 - one branch an event
    """Change the state by an event that was recorded at time ``at``."""
    if state.is_over:
        raise IllegalEvent(f"{state.flow_id}: {event!r} after it was carried on elsewhere")
    match event:
        case ClaimQueued():
            _expect(state, event, event.claim not in state.claims and event.claim not in state.forgone)
            claim = Claim(state.next_number, event.permits, event.group, at)
            state.claims[event.claim] = claim
            state.next_number += 1
            state.waiting.join(claim.number, event.claim, claim.permits)
        case ClaimGranted():
            claim = _claim(state, event, is_granted=False)
            state.waiting.leave(claim.number, claim.permits)
            state.claims[event.claim] = replace(claim, since=at, is_granted=True)
            state.hold(claim)
        case ClaimReleased() if event.claim in state.forgone:
            del state.forgone[event.claim]
        case ClaimReleased():
            claim = _claim(state, event)
            del state.claims[event.claim]
            if claim.is_granted:
                state.free(claim)
            else:
                state.waiting.leave(claim.number, claim.permits)
        case ClaimForgone():
            state.forgone[event.claim] = at
        case LimitSet(tag=tag, limit=None):
            state.limits.pop(tag, None)
            state.waiting.look_again(tag)
        case LimitSet(tag=tag, limit=int(limit)):
            state.limits[tag] = limit
            state.waiting.look_again(tag)
        case PermitsCarriedOver():
            _expect(state, event, not state.revision and not state.claims)
            state.limits, state.claims, state.forgone = dict(event.limits), dict(event.claims), dict(event.forgone)
            state.next_number = event.next_number
            for claim_id, claim in state.claims.items():
                if claim.is_granted:
                    state.hold(claim)
                else:
                    state.waiting.join(claim.number, claim_id, claim.permits)
        case PermitsCarriedOn():
            state.is_over = True


def _claim(state: PermitState, event: ClaimGranted | ClaimReleased, *, is_granted: bool | None = None) -> Claim:
    claim = state.claims.get(event.claim)
    _expect(state, event, claim is not None and is_granted in (None, claim.is_granted))
    assert claim is not None  # noqa: S101 - looked at in the line above
    return claim


def _expect(state: PermitState, event: PermitEvent, fits: bool) -> None:
    if not fits:
        raise IllegalEvent(f"{state.flow_id}: {event!r} does not fit what is known")
