"""The events of the permit flow: a union of their own, because no other flow has them, and it has no others.

Like those of runs (``model.events``) they are tagged, and fields are only ever added, with a default. In the log a
requester is called a claim.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from maestro_flow.model.event_codec import EventCodec

__all__ = [
    "PERMIT_EVENTS",
    "LimitSet",
    "PermitEvent",
    "PermitsCarriedOn",
    "PermitsCarriedOver",
    "PermitsForgone",
    "PermitsGranted",
    "PermitsReleased",
    "PermitsRequested",
    "Requester",
]


class Requester(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attempt that waits for permits or has them: one of each tag, under the limit that its definition gives it.

    ``number`` orders them. ``group`` is the group of its run. ``since`` is the time of the last change: when it asked,
    or, once it ``is_granted``, when it was.
    """

    number: int
    permits: dict[str, int]
    group: int
    since: float
    is_granted: bool = False


class _Event(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind"):
    """Base of all events."""


class PermitsRequested(_Event, frozen=True, tag="claim_queued"):
    """An attempt asks for permits, and is the last in the queue."""

    requester: str = msgspec.field(name="claim")
    permits: dict[str, int]
    group: int


class PermitsGranted(_Event, frozen=True, tag="claim_granted"):
    """The requester has all permits that it has asked for."""

    requester: str = msgspec.field(name="claim")


class PermitsReleased(_Event, frozen=True, tag="claim_released"):
    """What the requester had is free, or it waits no longer."""

    requester: str = msgspec.field(name="claim")


class PermitsForgone(_Event, frozen=True, tag="claim_forgone"):
    """The release has come before the request, which is to change nothing when it comes."""

    requester: str = msgspec.field(name="claim")


class LimitSet(_Event, frozen=True, tag="limit_set"):
    """A user has given a tag this many permits, or, with None, has left it to the definitions again."""

    tag: str
    limit: int | None


class PermitsCarriedOver(_Event, frozen=True, tag="permits_carried_over"):
    """First event of each run of the permit flow but the first one: all that the run before knew."""

    limits: dict[str, int]
    requesters: dict[str, Requester] = msgspec.field(name="claims")
    forgone: dict[str, float]
    next_number: int


class PermitsCarriedOn(_Event, frozen=True, tag="permits_carried_on"):
    """Last event of a run: another one has all of it."""

    flow_id: str


PermitEvent: TypeAlias = (
    PermitsRequested
    | PermitsGranted
    | PermitsReleased
    | PermitsForgone
    | LimitSet
    | PermitsCarriedOver
    | PermitsCarriedOn
)

PERMIT_EVENTS = EventCodec(msgspec.json.Decoder(tuple[PermitEvent, ...]))
