"""ISO 8601, as ``new DateTime(text)`` reads it and ``toString`` writes it."""

from __future__ import annotations

import re

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.dates.calendar import (
    DAY_MS,
    FIELDS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    civil_of,
    first_monday,
    local_of,
    verify,
    weeks_in,
)
from maestro_flow.sel.dates.values import DateTime, Zone
from maestro_flow.sel.dates.zones import at_local, checked, local_time, offset_at, offset_text
from maestro_flow.sel.numbers import quoted

__all__ = ["iso_text", "parse_iso"]

_FRACTION = r"[.,](\d{1,9})"
_ISO = re.compile(
    rf"""
    (?:(?P<year>[+-]?\d{{1,9}})
       (?:-W(?P<week>\d{{1,2}})(?:-(?P<weekday>\d))?|-(?P<day_of_year>\d{{3}})|-(?P<month>\d{{1,2}})(?:-(?P<day>\d{{1,2}}))?)?)?
    (?:(?P<t>T)(?:(?P<hour>\d{{1,2}})(?:{_FRACTION}|:(?P<minute>\d{{1,2}})(?:{_FRACTION}|:(?P<second>\d{{1,2}})(?:{_FRACTION})?)?)?)?
       (?P<offset>Z|[+-]\d\d(?::?\d\d(?::?\d\d(?:[.,]?\d{{1,3}})?)?)?)?)?
    """,
    re.VERBOSE | re.ASCII,
)


def iso_text(moment: DateTime) -> str:
    """``2019-01-01T00:00:00.000Z``."""
    local = local_time(moment)
    year, month, day = civil_of(local)
    rest = local % DAY_MS
    clock = f"{rest // HOUR_MS:02}:{rest // MINUTE_MS % 60:02}:{rest // SECOND_MS % 60:02}.{rest % 1000:03}"
    offset = offset_at(moment.zone, moment.millis)
    return f"{year_text(year, 4)}-{month:02}-{day:02}T{clock}{offset_text(offset) if offset else 'Z'}"


def year_text(year: int, digits: int) -> str:
    return f"{'-' if year < 0 else ''}{abs(year):0{digits}}"


def parse_iso(text: str, zone: Zone) -> DateTime:
    """ISO text as an instant in ``zone``, which also applies to text without an offset of its own.

    Raises:
        SelRuntimeError: the text is not an ISO date, or the date does not exist.
    """
    found = _ISO.fullmatch(text)
    if found is None or not text or (found["year"] is None and found["hour"] is None):
        raise SelRuntimeError(f"not an ISO date: {quoted(text)}")
    local = _date(found) + _clock(found)
    if found["offset"] is None:
        return at_local(local, zone, strict=True)
    return checked(local - _offset(found["offset"]), zone)


def _date(found: re.Match[str]) -> int:
    year = int(found["year"] or 1970)
    if found["week"] is not None:
        week, weekday = int(found["week"]), int(found["weekday"] or 1)
        verify("weekOfWeekyear", week, 1, weeks_in(year))
        verify("dayOfWeek", weekday, 1, 7)
        return (first_monday(year) + 7 * (week - 1) + weekday - 1) * DAY_MS
    if found["day_of_year"] is not None:
        start = local_of(year, 1, 1)
        verify("dayOfYear", int(found["day_of_year"]), *FIELDS["dayOfYear"].range(start))
        return start + (int(found["day_of_year"]) - 1) * DAY_MS
    return local_of(year, int(found["month"] or 1), int(found["day"] or 1))


def _clock(found: re.Match[str]) -> int:
    total = 0
    parts = (("hour", 23, HOUR_MS), ("minute", 59, MINUTE_MS), ("second", 59, SECOND_MS))
    for name, most, unit in parts:
        if found[name] is not None:
            verify(f"{name}Of{'Day' if name == 'hour' else 'Hour' if name == 'minute' else 'Minute'}",
                   int(found[name]), 0, most)  # fmt: skip
            total += int(found[name]) * unit
            fraction = found[found.re.groupindex[name] + 1]
            if fraction is not None and fraction.isdigit():
                total += int(fraction) * unit // 10 ** len(fraction)
    return total


def _offset(text: str) -> int:
    """Milliseconds of ``Z``, ``+01:00`` or ``+0100``."""
    if text == "Z":
        return 0
    digits = re.sub(r"\D", "", text)
    hours, minutes, seconds, millis = digits[:2], digits[2:4] or "0", digits[4:6] or "0", digits[6:].ljust(3, "0")
    verify("hour of the offset", int(hours), 0, 23)
    verify("minute of the offset", int(minutes), 0, 59)
    total = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(millis)
    return -total if text.startswith("-") else total
