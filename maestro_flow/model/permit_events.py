"""The events of the permit flow: a union of their own, because no other flow has them, and it has no others.

Like those of runs (``model.events``) they are tagged, and fields are only ever added, with a default.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from maestro_flow.model.event_codec import EventCodec

__all__ = [
    "PERMIT_EVENTS",
    "Claim",
    "ClaimForgone",
    "ClaimGranted",
    "ClaimQueued",
    "ClaimReleased",
    "LimitSet",
    "PermitEvent",
    "PermitsCarriedOn",
    "PermitsCarriedOver",
]


class Claim(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one attempt has asked for: a permit of each tag, under the limit that its definition gives the tag.

    ``number`` orders the claims. ``group`` is that of the attempt's flow. ``since`` is the time of the last change:
    when it was queued, or, once it ``is_granted``, when it was.
    """

    number: int
    permits: dict[str, int]
    group: int
    since: float
    is_granted: bool = False


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Base of all events."""


class ClaimQueued(_Event, frozen=True, tag="claim_queued"):
    """An attempt asks for permits, and is the last in the queue."""

    claim: str
    permits: dict[str, int]
    group: int


class ClaimGranted(_Event, frozen=True, tag="claim_granted"):
    """All permits of the claim are its own."""

    claim: str


class ClaimReleased(_Event, frozen=True, tag="claim_released"):
    """The claim is over: its permits are free, or it waits no longer."""

    claim: str


class ClaimForgone(_Event, frozen=True, tag="claim_forgone"):
    """The release of a claim has come before its request, which is to change nothing when it comes."""

    claim: str


class LimitSet(_Event, frozen=True, tag="limit_set"):
    """A user has given a tag this many permits, or, with None, has left it to the definitions again."""

    tag: str
    limit: int | None


class PermitsCarriedOver(_Event, frozen=True, tag="permits_carried_over"):
    """First event of each run of the permit flow but the first one: all that the run before knew."""

    limits: dict[str, int]
    claims: dict[str, Claim]
    forgone: dict[str, float]
    next_number: int


class PermitsCarriedOn(_Event, frozen=True, tag="permits_carried_on"):
    """Last event of a run: another one has all of it."""

    flow_id: str


PermitEvent: TypeAlias = (
    ClaimQueued | ClaimGranted | ClaimReleased | ClaimForgone | LimitSet | PermitsCarriedOver | PermitsCarriedOn
)

PERMIT_EVENTS = EventCodec(msgspec.json.Decoder(tuple[PermitEvent, ...]))
