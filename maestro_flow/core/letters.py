"""Letters of a run's flow to the permit flow: what an attempt asks for before it begins, and gives back at its end."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from maestro_flow.core.inputs import Letter
from maestro_flow.core.state import FlowState
from maestro_flow.core.steps import StepState
from maestro_flow.model.inbox import Message
from maestro_flow.model.permits import PERMITS, RELEASE, REQUEST, PermitRelease, PermitRequest, claim_of

__all__ = ["outgoing", "release", "request"]

_request = msgspec.json.Decoder(PermitRequest)


def request(state: FlowState, step_id: str, attempt: int) -> Letter:
    """Ask for the permits of a step; the answer is ``Granted``."""
    body = PermitRequest(state.flow_id, step_id, attempt, state.graph.permits[step_id])
    claim = claim_of(state.flow_id, step_id, attempt)
    return Letter(f"{claim}/request", PERMITS, REQUEST, msgspec.json.encode(body))


def release(state: FlowState, step_id: str, step: StepState) -> Letter:
    """Give back what this attempt has asked for, whether it has got it or not."""
    body = PermitRelease(state.flow_id, step_id, step.attempt)
    claim = claim_of(state.flow_id, step_id, step.attempt)
    return Letter(f"{claim}/release", PERMITS, RELEASE, msgspec.json.encode(body))


def outgoing(letter: Letter, group_id: int) -> Message:
    """The letter as a message in the inbox of its sender's own group, whose actor sends it on (PROTOCOL 2, 20)."""
    body = letter.body
    if letter.kind == REQUEST:
        body = msgspec.json.encode(replace(_request.decode(body), group=group_id))  # where the answer is to go
    return Message(group_id, letter.message_id, letter.flow_id, letter.kind, body)
