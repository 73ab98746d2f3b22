"""The permit flow replayed: no tag has more holders than its limit, and each request is granted once (I13, I18)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from maestro_flow.model.permit_events import (
    LimitSet,
    PermitEvent,
    PermitsCarriedOn,
    PermitsCarriedOver,
    PermitsForgone,
    PermitsGranted,
    PermitsReleased,
    PermitsRequested,
    Requester,
)
from maestro_flow.verify.history import Violated

__all__ = ["PermitReplay", "granted_messages"]


class PermitReplay:
    """One run of the permit flow; ``before`` is the run before it, if the log has that."""

    def __init__(self, flow_id: str, before: PermitReplay | None) -> None:
        self.flow_id, self.before = flow_id, before
        self.limits: dict[str, int] = {}
        self.requesters: dict[str, Requester] = {}
        self.held: dict[str, int] = {}
        self.forgone: set[str] = set()
        self.is_over = False
        self.is_new = True

    def take(self, event: PermitEvent, at: float) -> None:
        """One event, recorded at time ``at``."""
        if self.is_over:
            raise Violated("I9", f"{type(event).__name__} after it was carried over to another run")
        match event:
            case PermitsRequested():
                if event.requester in self.requesters or event.requester in self.forgone:
                    raise Violated("I13", f"request {event.requester} is queued a second time")
                self.requesters[event.requester] = Requester(0, event.permits, event.group, at)
            case PermitsGranted():
                self._grant(event.requester)
            case PermitsReleased():
                self._release(event.requester)
            case PermitsForgone():
                self.forgone.add(event.requester)
            case LimitSet(tag=tag, limit=None):
                self.limits.pop(tag, None)
            case LimitSet(tag=tag, limit=int(limit)):
                self.limits[tag] = limit
            case PermitsCarriedOver():
                self._carry_over(event)
            case PermitsCarriedOn():
                self.is_over = True
        self.is_new = False

    def _grant(self, key: str) -> None:
        requester = self.requesters.get(key)
        if requester is None:
            raise Violated("I5", f"request {key} is granted, but it does not wait")
        if requester.is_granted:
            raise Violated("I13", f"request {key} is granted a second time")
        for tag, given in requester.permits.items():
            limit = self.limits.get(tag, given)
            if self.held.get(tag, 0) >= limit:
                raise Violated("I18", f"request {key} is granted while {limit} steps hold tag {tag}, all it has")
        self.requesters[key] = replace(requester, is_granted=True)
        self._hold(requester.permits)

    def _hold(self, permits: Mapping[str, int]) -> None:
        for tag in permits:
            self.held[tag] = self.held.get(tag, 0) + 1

    def _release(self, key: str) -> None:
        if key in self.forgone:
            self.forgone.discard(key)
            return
        requester = self.requesters.pop(key, None)
        if requester is None:
            raise Violated("I13", f"request {key} is released, but nothing holds it")
        if requester.is_granted:
            for tag in requester.permits:
                self.held[tag] -= 1

    def _carry_over(self, event: PermitsCarriedOver) -> None:
        if not self.is_new:
            raise Violated("I5", "requests are carried over into a run of the permit flow that has begun")
        self.limits, self.requesters, self.forgone = dict(event.limits), dict(event.requesters), set(event.forgone)
        for requester in event.requesters.values():
            if requester.is_granted:
                self._hold(requester.permits)
        if self.before is not None and _holders(self.before) != _holders(self):
            raise Violated("I21", f"what it carries over differs from the state of {self.before.flow_id}")


def _holders(permits: PermitReplay) -> tuple[dict[str, int], dict[str, bool]]:
    return permits.limits, {key: requester.is_granted for key, requester in permits.requesters.items()}


def granted_messages(events: Sequence[PermitEvent]) -> Iterator[str]:
    """Ids of the messages that announce the grants of these events, all of one commit."""
    given_back = {event.requester for event in events if isinstance(event, PermitsReleased)}
    for event in events:
        if (
            isinstance(event, PermitsGranted) and event.requester not in given_back
        ):  # otherwise there is nothing to announce
            yield f"{event.requester}/granted"
