"""The options of a start, as the store keeps them between the start and the run's first commit."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from maestro_flow.model.params import Param

__all__ = ["RunPolicy", "RunRequest", "decode_request", "encode_request"]


class RunPolicy(StrEnum):
    """How a run begins (Maestro: RunPolicy.java)."""

    START_FRESH_NEW_RUN = "START_FRESH_NEW_RUN"
    RESTART_FROM_BEGINNING = "RESTART_FROM_BEGINNING"
    RESTART_FROM_INCOMPLETE = "RESTART_FROM_INCOMPLETE"
    RESTART_FROM_SPECIFIC = "RESTART_FROM_SPECIFIC"


class RunRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Options of a start. Params here are changes, merged and evaluated when the run begins.

    ``previous`` is the flow id of the run that a restart follows, ``restart_from`` the step that
    RESTART_FROM_SPECIFIC begins with. ``parent`` is the step that starts the run, as the text of a ``StepRef``; empty
    if a user does.
    """

    params: dict[str, Param] = {}
    step_params: dict[str, dict[str, Param]] = {}
    policy: RunPolicy = RunPolicy.START_FRESH_NEW_RUN
    previous: str = ""
    restart_from: str = ""
    skip_steps: tuple[str, ...] = ()
    breakpoints: tuple[str, ...] = ()
    parent: str = ""


_decoder = msgspec.json.Decoder(RunRequest)


def encode_request(request: RunRequest) -> bytes:
    """The body of a start."""
    return msgspec.json.encode(request)


def decode_request(body: bytes) -> RunRequest:
    """The inverse of ``encode_request``."""
    return _decoder.decode(body)
