"""What travels between flows that need permits and the permit flow of the namespace (PROTOCOL 20, 21).

    flow of a run  ── PermitRequest, PermitRelease ──> the permit flow <── PermitLimit ── a user
                   <────────── PermitGrant ──────────

Each is the body of a message. A claim stands for one attempt of one step, and its id makes the ids of its messages: one
that is sent twice is one message. The permit flow has a new flow id from time to time, and therefore an address.
"""

from __future__ import annotations

import msgspec

from maestro_flow.errors import MaestroFlowError
from maestro_flow.model.inbox import Message

__all__ = [
    "GRANTED",
    "LIMIT",
    "PERMITS",
    "PERMIT_KINDS",
    "RELEASE",
    "REQUEST",
    "PermitGrant",
    "PermitLimit",
    "PermitRelease",
    "PermitRequest",
    "addressed",
    "claim_of",
    "decode_body",
    "is_permit_flow",
    "parts_of",
    "receiver_group",
]

PERMITS = "maestro_permits"
"""Workflow id of the permit flow, and the flow id to which its mail is addressed. No user's workflow can have it."""

REQUEST, RELEASE, LIMIT, GRANTED = "permit_request", "permit_release", "permit_limit", "permit_granted"
"""Kinds of messages: three to the permit flow, one from it to the flow of a run."""

PERMIT_KINDS = frozenset({REQUEST, RELEASE, LIMIT, GRANTED})


def claim_of(flow_id: str, step: str, attempt: int) -> str:
    """The id of what an attempt asks for."""
    return f"{flow_id}/{step}/{attempt}"


def parts_of(claim: str) -> tuple[str, str, int]:
    """Flow id, step and attempt of a claim."""
    flow_id, step, attempt = claim.rsplit("/", 2)
    return flow_id, step, int(attempt)


class PermitRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """An attempt waits for a permit of each tag. ``permits`` are the tags with the limits of its definition.

    ``group`` is the group of its flow, where the grant is to go; -1 as long as nobody has said so.
    """

    flow_id: str
    step: str
    attempt: int
    permits: dict[str, int]
    group: int = -1


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
    """All permits that the attempt has asked for are its own, until it releases them. Goes to ``group``."""

    step: str
    attempt: int
    group: int


_Body = PermitRequest | PermitRelease | PermitLimit | PermitGrant
_DECODERS: dict[str, msgspec.json.Decoder[_Body]] = {
    REQUEST: msgspec.json.Decoder(PermitRequest),
    RELEASE: msgspec.json.Decoder(PermitRelease),
    LIMIT: msgspec.json.Decoder(PermitLimit),
    GRANTED: msgspec.json.Decoder(PermitGrant),
}


def decode_body(letter: Message) -> _Body:
    """What a message about permits says.

    Raises:
        MaestroFlowError: it is of another kind, or its body cannot be read.
    """
    try:
        return _DECODERS[letter.kind].decode(letter.body)
    except (KeyError, msgspec.MsgspecError) as error:
        raise MaestroFlowError(
            f"message {letter.message_id} of kind {letter.kind!r} cannot be read: {error}"
        ) from error


def is_permit_flow(flow_id: str) -> bool:
    """Whether this is the permit flow: its address, or one of its runs."""
    return flow_id.partition("/")[0] == PERMITS


def addressed(letter: Message, group_id: int) -> Message:
    """The same letter for the inbox of another group, under the same id."""
    return Message(group_id, letter.message_id, letter.flow_id, letter.kind, letter.body)


def receiver_group(letter: Message, permit_group: int) -> int:
    """The group where this message is to be dealt with; the inbox it lies in, unless it is on its way (PROTOCOL 20).

    ``permit_group`` is that of the permit flow.

    Raises:
        MaestroFlowError: its body cannot be read.
    """
    if letter.flow_id == PERMITS:
        return permit_group
    if letter.kind == GRANTED:
        grant = decode_body(letter)
        assert isinstance(grant, PermitGrant)  # noqa: S101 - its kind says so
        return grant.group
    return letter.group_id
