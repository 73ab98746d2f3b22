"""What travels between flows that need permits and the permit flow of the namespace (PROTOCOL 20, 21).

    flow of a run  ── PermitRequest, PermitRelease ──> the permit flow <── PermitLimit ── a user
                   <────────── PermitGrant ──────────

Each is the body of a message. The requester is one attempt of one step, whose id makes the ids of its messages: one
that is sent twice is one message. The permit flow has a new flow id from time to time, and therefore an address.
"""

from __future__ import annotations

import msgspec

__all__ = [
    "GRANTED",
    "LIMIT",
    "PERMITS",
    "RELEASE",
    "REQUEST",
    "PermitGrant",
    "PermitLimit",
    "PermitRelease",
    "PermitRequest",
    "parse_requester",
    "requester_of",
]

PERMITS = "maestro_permits"
"""Workflow id of the permit flow, and the flow id that its messages are for. No user's workflow can have it."""

REQUEST, RELEASE, LIMIT, GRANTED = "permit_request", "permit_release", "permit_limit", "permit_granted"
"""Kinds of messages: three to the permit flow, one from it to the flow of a run."""


def requester_of(flow_id: str, step: str, attempt: int) -> str:
    """The id of an attempt that asks for permits."""
    return f"{flow_id}/{step}/{attempt}"


def parse_requester(requester: str) -> tuple[str, str, int]:
    """Flow id, step and attempt of a requester."""
    flow_id, step, attempt = requester.rsplit("/", 2)
    return flow_id, step, int(attempt)


class PermitRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attempt waits for a permit of each tag. ``permits`` are the tags with the limits of its definition.

    ``group`` is the group of its flow, where the grant is to go.
    """

    flow_id: str
    step: str
    attempt: int
    permits: dict[str, int]
    group: int


class PermitRelease(msgspec.Struct, frozen=True):
    """The attempt needs its permits no longer, whether it has got them or not."""

    flow_id: str
    step: str
    attempt: int


class PermitLimit(msgspec.Struct, frozen=True):
    """A user says how many permits a tag has, whatever definitions say; None leaves it to them."""

    tag: str
    limit: int | None


class PermitGrant(msgspec.Struct, frozen=True):
    """All permits that the attempt has asked for are its own, until it releases them."""

    step: str
    attempt: int
