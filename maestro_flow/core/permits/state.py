"""The state of the permit flow, and ``evolve``, the only place where it changes.

It is changed in place, like that of every system flow: thousands of requesters may be waiting.
"""

from __future__ import annotations

from attrs import Factory, define, field
from msgspec.structs import replace

from maestro_flow.core.evolve import IllegalEvent
from maestro_flow.core.permits.waiting import Waiting
from maestro_flow.core.system_flow import SystemState
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

__all__ = ["PermitState", "evolve"]


@define
class PermitState(SystemState):
    """One run of the permit flow."""

    limits: dict[str, int] = Factory(dict)
    """Limits set by users; such a limit replaces those that requesters bring with them."""
    requesters: dict[str, Requester] = Factory(dict)
    """By their ids, in the order of their numbers."""
    forgone: dict[str, float] = Factory(dict)
    """Requesters whose release came before their request, and when."""
    next_number: int = 1
    held: dict[str, int] = Factory(dict)
    """How many requesters hold a permit of each tag."""
    waiting: Waiting = field(init=False, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.waiting = Waiting(self.has_free_permit)

    def has_free_permit(self, tag: str, limit: int) -> bool:
        """Whether one more requester may hold the tag, to which the definition gives this limit."""
        return self.held.get(tag, 0) < self.limits.get(tag, limit)

    def hold(self, requester: Requester) -> None:
        for tag in requester.permits:
            self.held[tag] = self.held.get(tag, 0) + 1

    def free(self, requester: Requester) -> None:
        for tag in requester.permits:
            self.held[tag] -= 1
            if not self.held[tag]:
                del self.held[tag]
            self.waiting.look_again(tag)


def evolve(state: PermitState, event: PermitEvent, at: float) -> None:  # noqa: PLR0912 - one branch an event
    """Change the state by an event that was recorded at time ``at``."""
    if state.is_over:
        raise IllegalEvent(f"{state.flow_id}: {event!r} after the next run has taken over")
    match event:
        case PermitsRequested():
            _expect(state, event, event.requester not in state.requesters and event.requester not in state.forgone)
            requester = Requester(state.next_number, event.permits, event.group, at)
            state.requesters[event.requester] = requester
            state.next_number += 1
            state.waiting.join(requester.number, event.requester, requester.permits)
        case PermitsGranted():
            requester = _requester(state, event, is_granted=False)
            state.waiting.leave(requester.number, requester.permits)
            state.requesters[event.requester] = replace(requester, since=at, is_granted=True)
            state.hold(requester)
        case PermitsReleased() if event.requester in state.forgone:
            del state.forgone[event.requester]
        case PermitsReleased():
            requester = _requester(state, event)
            del state.requesters[event.requester]
            if requester.is_granted:
                state.free(requester)
            else:
                state.waiting.leave(requester.number, requester.permits)
        case PermitsForgone():
            state.forgone[event.requester] = at
        case LimitSet(tag=tag, limit=None):
            state.limits.pop(tag, None)
            state.waiting.look_again(tag)
        case LimitSet(tag=tag, limit=int(limit)):
            state.limits[tag] = limit
            state.waiting.look_again(tag)
        case PermitsCarriedOver():
            _expect(state, event, not state.revision and not state.requesters)
            state.limits, state.forgone = dict(event.limits), dict(event.forgone)
            state.requesters = dict(event.requesters)
            state.next_number = event.next_number
            for key, requester in state.requesters.items():
                if requester.is_granted:
                    state.hold(requester)
                else:
                    state.waiting.join(requester.number, key, requester.permits)
        case PermitsCarriedOn():
            state.is_over = True


def _requester(
    state: PermitState, event: PermitsGranted | PermitsReleased, *, is_granted: bool | None = None
) -> Requester:
    requester = state.requesters.get(event.requester)
    _expect(state, event, requester is not None and is_granted in (None, requester.is_granted))
    assert requester is not None  # noqa: S101 - checked in the line above
    return requester


def _expect(state: PermitState, event: PermitEvent, fits: bool) -> None:
    if not fits:
        raise IllegalEvent(f"{state.flow_id}: {event!r} does not fit the state")
