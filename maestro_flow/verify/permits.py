"""The permit flow replayed: no tag has more holders than its limit, and each request is granted once (I13, I18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

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
from maestro_flow.verify.history import Violated

__all__ = ["PermitReplay", "granted_messages"]


class PermitReplay:
    """One run of the permit flow; ``before`` is the run before it, if the log has that."""

    def __init__(self, flow_id: str, before: PermitReplay | None) -> None:
        self.flow_id, self.before = flow_id, before
        self.limits: dict[str, int] = {}
        self.claims: dict[str, Claim] = {}
        self.held: dict[str, int] = {}
        self.forgone: set[str] = set()
        self.is_over = False
        self.is_new = True

    def take(self, event: PermitEvent, at: float) -> None:
        """One event, recorded at time ``at``."""
        if self.is_over:
            raise Violated("I9", f"{type(event).__name__} after it was carried on elsewhere")
        match event:
            case ClaimQueued():
                if event.claim in self.claims or event.claim in self.forgone:
                    raise Violated("I13", f"claim {event.claim} is queued a second time")
                self.claims[event.claim] = Claim(0, event.permits, event.group, at)
            case ClaimGranted():
                self._grant(event.claim)
            case ClaimReleased():
                self._release(event.claim)
            case ClaimForgone():
                self.forgone.add(event.claim)
            case LimitSet(tag=tag, limit=None):
                self.limits.pop(tag, None)
            case LimitSet(tag=tag, limit=int(limit)):
                self.limits[tag] = limit
            case PermitsCarriedOver():
                self._carry_over(event)
            case PermitsCarriedOn():
                self.is_over = True
        self.is_new = False

    def _grant(self, claim_id: str) -> None:
        claim = self.claims.get(claim_id)
        if claim is None:
            raise Violated("I5", f"claim {claim_id} is granted, and nobody waits for it")
        if claim.is_granted:
            raise Violated("I13", f"claim {claim_id} is granted a second time")
        for tag, given in claim.permits.items():
            limit = self.limits.get(tag, given)
            if self.held.get(tag, 0) >= limit:
                raise Violated("I18", f"claim {claim_id} is granted while {limit} steps hold the tag {tag}, all it has")
        self.claims[claim_id] = replace(claim, is_granted=True)
        self._hold(claim.permits)

    def _hold(self, permits: Mapping[str, int]) -> None:
        for tag in permits:
            self.held[tag] = self.held.get(tag, 0) + 1

    def _release(self, claim_id: str) -> None:
        if claim_id in self.forgone:
            self.forgone.discard(claim_id)
            return
        claim = self.claims.pop(claim_id, None)
        if claim is None:
            raise Violated("I13", f"claim {claim_id} is released, and nobody has it")
        if claim.is_granted:
            for tag in claim.permits:
                self.held[tag] -= 1

    def _carry_over(self, event: PermitsCarriedOver) -> None:
        if not self.is_new:
            raise Violated("I5", "claims are carried over into a run of the permit flow that has begun")
        self.limits, self.claims, self.forgone = dict(event.limits), dict(event.claims), set(event.forgone)
        for claim in event.claims.values():
            if claim.is_granted:
                self._hold(claim.permits)
        if self.before is not None and _holders(self.before) != _holders(self):
            raise Violated("I21", f"what it takes over is not what {self.before.flow_id} knew")


def _holders(permits: PermitReplay) -> tuple[dict[str, int], dict[str, bool]]:
    return permits.limits, {claim_id: claim.is_granted for claim_id, claim in permits.claims.items()}


def granted_messages(events: Sequence[PermitEvent]) -> Iterator[str]:
    """Ids of the messages that tell of what these events, all of one commit, have granted."""
    given_back = {event.claim for event in events if isinstance(event, ClaimReleased)}
    for event in events:
        if isinstance(event, ClaimGranted) and event.claim not in given_back:  # or else nobody need be told
            yield f"{event.claim}/granted"
