"""The permit flow: it grants the permits of tags (PROTOCOL 21)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from maestro_flow.core.message_kinds import MessageKind
from maestro_flow.core.permits.decide import PermitMessage, carried_over, decide
from maestro_flow.core.permits.state import PermitState, evolve
from maestro_flow.core.system_flow import SystemDecision, SystemFlow, SystemReplay
from maestro_flow.model.permit_events import PERMIT_EVENTS, PermitEvent, PermitsCarriedOn
from maestro_flow.model.permits import (
    LIMIT,
    PERMITS,
    RELEASE,
    REQUEST,
    PermitLimit,
    PermitRelease,
    PermitRequest,
)
from maestro_flow.verify.permits import PermitReplay, granted_messages

__all__ = ["PERMIT_FLOW"]

_EVENTS_MAX = 5000
"""Events of one run: a takeover reads them in about 50 ms. While many requests are carried over a run is longer, so
that carrying them over stays the smaller part of what is written."""


class _PermitFlow(SystemFlow[PermitState, PermitEvent, PermitMessage]):
    name = PERMITS
    codec = PERMIT_EVENTS

    def __init__(self) -> None:
        self.kinds = {
            REQUEST: MessageKind(PermitRequest, PermitMessage),
            RELEASE: MessageKind(PermitRelease, PermitMessage),
            LIMIT: MessageKind(PermitLimit, PermitMessage),
        }

    def new(self, flow_id: str) -> PermitState:
        return PermitState(flow_id)

    def evolve(self, state: PermitState, event: PermitEvent, at: float) -> None:
        evolve(state, event, at)

    def decide(
        self, state: PermitState, inputs: Sequence[PermitMessage], now: float, events_max: int
    ) -> SystemDecision[PermitEvent, PermitMessage]:
        return decide(state, inputs, now, events_max)

    def carried_over(self, state: PermitState, at: float) -> PermitEvent | None:
        is_long = state.size > max(_EVENTS_MAX, 2 * len(state.requesters))
        return carried_over(state, at) if is_long else None

    def carried_on(self, flow_id: str) -> PermitEvent:
        return PermitsCarriedOn(flow_id)

    def replay(self, flow_id: str, before: SystemReplay | None) -> PermitReplay:
        assert before is None or isinstance(before, PermitReplay)  # noqa: S101 - created here
        return PermitReplay(flow_id, before)

    def promised(self, events: Sequence[Any]) -> Iterator[str]:
        return granted_messages(events)


PERMIT_FLOW = _PermitFlow()
"""The one of the namespace."""
