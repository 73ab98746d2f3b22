"""Messages between runs and the permit flow: an attempt requests them first, and releases them at its end.

The permit flow is found by its name. Its answer goes to the group that the request names, which is that of the run.
"""

from __future__ import annotations

import msgspec

from maestro_flow.core.inputs import OutgoingMessage
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.permits import (
    GRANTED,
    PERMITS,
    RELEASE,
    REQUEST,
    PermitGrant,
    PermitRelease,
    PermitRequest,
    parse_requester,
    requester_of,
)

__all__ = ["grant", "release", "request"]


def request(state: FlowState, step_id: str, attempt: int, group_id: int) -> OutgoingMessage:
    """Request the permits of a step; the answer is a ``grant`` to this group."""
    body = PermitRequest(state.flow_id, step_id, attempt, state.graph.permits[step_id], group_id)
    requester = requester_of(state.flow_id, step_id, attempt)
    return OutgoingMessage(f"{requester}/request", PERMITS, REQUEST, msgspec.json.encode(body))


def release(state: FlowState, step_id: str, step: StepState) -> OutgoingMessage:
    """Release the permits that this attempt has requested, whether or not they were granted."""
    body = PermitRelease(state.flow_id, step_id, step.attempt)
    requester = requester_of(state.flow_id, step_id, step.attempt)
    return OutgoingMessage(f"{requester}/release", PERMITS, RELEASE, msgspec.json.encode(body))


def grant(requester: str, group_id: int) -> OutgoingMessage:
    """Tell an attempt of a run in this group that all its permits are granted."""
    flow_id, step, attempt = parse_requester(requester)
    body = msgspec.json.encode(PermitGrant(step, attempt))
    return OutgoingMessage(f"{requester}/granted", flow_id, GRANTED, body, group_id)
