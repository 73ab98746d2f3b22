"""Durations and counts, as definitions write them (DurationParser.java, ParsableLong.java)."""

from __future__ import annotations

import re
from typing import Any

from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.references import has_reference
from maestro_flow.dsl.limits import TIMEOUT_S_MAX
from maestro_flow.dsl.location import Location
from maestro_flow.model.durations import DURATION, parse_duration

__all__ = ["read_count", "read_duration", "read_timeout"]

_COUNT = re.compile(r"\s*-?\d{1,18}\s*", re.ASCII)
_EXPECTED = f"expected {DURATION}"


def read_timeout(given: Any, location: Location) -> float | str:
    """A timeout in seconds: more than 0, at most 120 days; a string with references to params is left as it is.

    Raises:
        DefinitionError: it is not a duration, or out of range.
    """
    if isinstance(given, str) and has_reference(given):
        return given
    seconds = read_duration(given, location)
    if not 0 < seconds <= TIMEOUT_S_MAX:
        raise location.error(
            f"a timeout of {preview(given)} is out of range; expected more than 0 and at most 120 days"
        )
    return seconds


def read_duration(given: Any, location: Location) -> float:
    """Seconds, from an integer, a numeric string or a duration string.

    Raises:
        DefinitionError: it is none of these (where Maestro takes what it cannot read as 0), or is negative.
    """
    seconds: float
    if isinstance(given, str) and not _COUNT.fullmatch(given):
        try:
            seconds = parse_duration(given)
        except ValueError as error:
            raise location.error(f"{preview(given)} {error}; {_EXPECTED}") from None
    else:
        seconds = read_count(given, location, _EXPECTED)
    if seconds < 0:
        raise location.error(f"{preview(given)} is negative; {_EXPECTED}")
    return seconds


def read_count(given: Any, location: Location, expected: str = "expected a whole number") -> int:
    """A whole number, from a number or a numeric string.

    Raises:
        DefinitionError: it is neither.
    """
    if isinstance(given, str) and _COUNT.fullmatch(given):
        return int(given)
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise location.error(f"{expected}, got {preview(given)}")
