"""Lengths of time and counts, as definitions write them (DurationParser.java, ParsableLong.java)."""

from __future__ import annotations

import re
from typing import Any

from maestro_flow.dsl.limits import TIMEOUT_S_MAX
from maestro_flow.dsl.place import Place, shown
from maestro_flow.dsl.references import has_references

__all__ = ["read_count", "read_duration", "read_timeout"]

_UNITS_S = {
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    **dict.fromkeys(("min", "minute", "minutes"), 60),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
}
_PART = re.compile(r"\s*(\d{1,15})\s*([a-z]+)", re.ASCII)
_COUNT = re.compile(r"\s*-?\d{1,18}\s*", re.ASCII)
_EXPECTED = "expected seconds, or a duration such as '1d 2h 30min 10s 500ms'"


def read_timeout(given: Any, place: Place) -> float | str:
    """Seconds of a timeout: more than none, at most 120 days; a text with references to params stays what it is.

    Raises:
        DefinitionError: it is not a duration, or out of range.
    """
    if has_references(given):
        return str(given)
    seconds = read_duration(given, place)
    if not 0 < seconds <= TIMEOUT_S_MAX:
        raise place.error(f"a timeout of {shown(given)} is out of range; expected more than 0 and at most 120 days")
    return seconds


def read_duration(given: Any, place: Place) -> float:
    """Seconds, from an integer, a numeric text or a duration text.

    Raises:
        DefinitionError: it is none of these (where Maestro takes what it cannot read as 0), or it is negative.
    """
    seconds: float
    if isinstance(given, str) and not _COUNT.fullmatch(given):
        seconds = _parse(given, place)
    else:
        seconds = read_count(given, place, _EXPECTED)
    if seconds < 0:
        raise place.error(f"{shown(given)} is negative; {_EXPECTED}")
    return seconds


def _parse(text: str, place: Place) -> float:
    seconds, position, lowered = 0.0, 0, text.lower().rstrip()
    while position < len(lowered):
        part = _PART.match(lowered, position)
        if not part or part[2] not in _UNITS_S:
            unit = f"unknown unit {shown(part[2])}; " if part else ""
            raise place.error(f"{shown(text)} is no duration; {unit}{_EXPECTED}")
        seconds += int(part[1]) * _UNITS_S[part[2]]
        position = part.end()
    if not lowered:
        raise place.error(f"{shown(text)} is no duration; {_EXPECTED}")
    return seconds


def read_count(given: Any, place: Place, expected: str = "expected a whole number") -> int:
    """A whole number, from a number or a numeric text.

    Raises:
        DefinitionError: it is neither.
    """
    if isinstance(given, str) and _COUNT.fullmatch(given):
        return int(given)
    if isinstance(given, float) and given.is_integer():
        return int(given)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    raise place.error(f"{expected}, got {shown(given)}")
