"""Params that every run has without defining them (Maestro: default-workflow-params.yaml, default-step-params.yaml).

They are virtual: computed when they are read, unless a param of that name is defined. A default that is derived from
another uses the defined one, if there is one: RUN_TS given at a start sets all dates of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from attrs import frozen

from maestro_flow.core.params.messages import preview
from maestro_flow.core.state import FlowState
from maestro_flow.errors import SelRuntimeError

__all__ = ["DEFAULTS", "STEP_DEFAULTS", "DefaultInputs", "step_instance_uuid"]


@frozen
class DefaultInputs:
    """What default params are computed from. ``lookup`` returns another default, or the param that overrides it."""

    state: FlowState
    at: float
    step_id: str
    attempt: int
    lookup: Callable[[str], Any]

    @property
    def run_ts(self) -> int:
        """Milliseconds since the epoch when the first run of the instance began: a restart keeps it."""
        first = self.state
        while first.previous is not None:
            first = first.previous
        return int((self.at if first.started_at is None else first.started_at) * 1000)

    def local(self, name: str, zone: str) -> datetime:
        """The time that the param ``name`` holds, in milliseconds since the epoch, in a zone."""
        return _moment(self.lookup(name), name).astimezone(_zone(zone))

    @property
    def cron_zone(self) -> str:
        return str(self.lookup("WORKFLOW_CRON_TIMEZONE"))


def _moment(milliseconds: Any, name: str) -> datetime:
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=int(milliseconds))
    except (ValueError, TypeError, OverflowError):
        raise SelRuntimeError(
            f"{name} is {preview(milliseconds)}: expected milliseconds since 1970, up to the year 9999"
        ) from None


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SelRuntimeError(
            f"{preview(name)} is not a valid time zone; expected one such as 'UTC' or 'Europe/Zurich'"
        ) from None


def _derived_run_ts(inputs: DefaultInputs) -> int:
    text = f"{inputs.lookup('TARGET_RUN_DATE')}{inputs.lookup('TARGET_RUN_HOUR')}"
    try:
        moment = datetime.strptime(text, "%Y%m%d%H")  # noqa: DTZ007 - the zone follows
    except ValueError:
        raise SelRuntimeError(
            f"TARGET_RUN_DATE and TARGET_RUN_HOUR are {preview(text)}: expected yyyyMMdd and HH"
        ) from None
    return int(moment.replace(tzinfo=_zone(inputs.cron_zone)).timestamp() * 1000)


def _text(base: str, pattern: str, zone: str = "", **shift: float) -> Callable[[DefaultInputs], str]:
    """The date or hour of a time in a zone (by default that of the cron trigger), shifted by ``shift``."""

    def text(inputs: DefaultInputs) -> str:
        shifted = inputs.local(base, zone or inputs.cron_zone) + timedelta(**shift)
        return shifted.strftime(pattern).zfill(_WIDTHS[pattern])

    return text


_DATE, _HOUR = "%Y%m%d", "%H"
_WIDTHS = {_DATE: 8, _HOUR: 2}
_PACIFIC = "America/Los_Angeles"


def step_instance_uuid(flow_id: str, step_id: str, attempt: int) -> str:
    """An id of one attempt of a step, the same on every call."""
    return str(UUID(bytes=blake2b(f"{flow_id}/{step_id}/{attempt}".encode(), digest_size=16).digest()))


DEFAULTS: dict[str, Callable[[DefaultInputs], Any]] = {
    "owner": lambda inputs: inputs.state.graph.definition.owner,
    "workflow_id": lambda inputs: inputs.state.graph.definition.id,
    "workflow_instance_id": lambda inputs: inputs.state.instance_id,
    "workflow_run_id": lambda inputs: inputs.state.run_id,
    "step_id": lambda inputs: inputs.step_id,
    "step_attempt_id": lambda inputs: inputs.attempt,
    "step_instance_uuid": lambda inputs: step_instance_uuid(inputs.state.flow_id, inputs.step_id, inputs.attempt),
    "DSL_DEFAULT_TZ": lambda _default_inputs: "UTC",
    "WORKFLOW_CRON_TIMEZONE": lambda inputs: inputs.lookup("DSL_DEFAULT_TZ"),
    "RUN_TS": lambda inputs: inputs.run_ts,
    "RUN_DATE": _text("RUN_TS", _DATE, "UTC"),
    "RUN_DATE_MINUS_1": _text("RUN_TS", _DATE, "UTC", days=-1),
    "RUN_DATE_MINUS_7": _text("RUN_TS", _DATE, "UTC", days=-7),
    "RUN_HOUR": _text("RUN_TS", _HOUR, "UTC"),
    "LOCAL_RUN_DATE": _text("RUN_TS", _DATE),
    "TARGET_RUN_DATE": _text("RUN_TS", _DATE),
    "TARGET_RUN_HOUR": _text("RUN_TS", _HOUR),
    "DERIVED_RUN_TS": _derived_run_ts,
    "DERIVED_RUN_DATE_US_PACIFIC": _text("DERIVED_RUN_TS", _DATE, _PACIFIC),
    "DERIVED_RUN_DATE_US_PACIFIC_MINUS_ONE": _text("DERIVED_RUN_TS", _DATE, _PACIFIC, days=-1),
    "DERIVED_RUN_DATE_UTC": _text("DERIVED_RUN_TS", _DATE, "UTC"),
    "DERIVED_RUN_DATE_UTC_MINUS_ONE": _text("DERIVED_RUN_TS", _DATE, "UTC", days=-1),
    "DERIVED_RUN_DATE_UTC_PLUS_ONE": _text("DERIVED_RUN_TS", _DATE, "UTC", days=1),
    "DERIVED_RUN_DATE_UTC_MINUS_ONE_HOUR": _text("DERIVED_RUN_TS", _DATE, "UTC", hours=-1),
    "DERIVED_RUN_DATE_UTC_PLUS_ONE_HOUR": _text("DERIVED_RUN_TS", _DATE, "UTC", hours=1),
    "DERIVED_RUN_HOUR_US_PACIFIC": _text("DERIVED_RUN_TS", _HOUR, _PACIFIC),
    "DERIVED_RUN_HOUR_UTC": _text("DERIVED_RUN_TS", _HOUR, "UTC"),
    "DERIVED_RUN_HOUR_UTC_MINUS_ONE_HOUR": _text("DERIVED_RUN_TS", _HOUR, "UTC", hours=-1),
    "DERIVED_RUN_HOUR_UTC_PLUS_ONE_HOUR": _text("DERIVED_RUN_TS", _HOUR, "UTC", hours=1),
}
"""Every default param and how it is computed. RUN_HOUR is ours: Maestro has RUN_DATE only."""

STEP_DEFAULTS = frozenset({"step_id", "step_attempt_id", "step_instance_uuid"})
"""The default params that only steps have."""
