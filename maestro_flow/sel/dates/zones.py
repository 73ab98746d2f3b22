"""Time zones: looked up by id, and conversion between instants and local time, with Joda's rules at clock changes."""

from __future__ import annotations

import re
from datetime import UTC as PYTHON_UTC
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.dates.calendar import DAY_MS, civil_of
from maestro_flow.sel.dates.values import UTC, DateTime, Zone
from maestro_flow.sel.numbers import LONG_MAX, LONG_MIN, quoted

__all__ = ["at_local", "in_known_years", "local_time", "offset_at", "offset_text", "zone_for_id"]

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9][A-Za-z0-9_+-]*)*", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,]?(\d{3}))?)?)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=PYTHON_UTC)
_CYCLE_MS = 146_097 * DAY_MS
"""The calendar repeats after 400 years, weekdays included: used to move instants into years that Python supports."""


@lru_cache(maxsize=1024)
def zone_for_id(name: str) -> Zone:
    """A zone of the database, or a fixed offset such as ``+05:30``.

    Raises:
        SelRuntimeError: there is no such zone.
    """
    if name == "UTC":
        return UTC
    if found := _OFFSET.fullmatch(name):
        sign, hours, *rest = found.groups()
        minutes, seconds, millis = (int(part or 0) for part in rest)
        if int(hours) <= 23 and minutes <= 59 and seconds <= 59:
            offset = ((int(hours) * 60 + minutes) * 60 + seconds) * 1000 + millis
            fixed = -offset if sign == "-" else offset
            return Zone(offset_text(fixed), fixed) if fixed else UTC
    elif len(name) <= 64 and _ID.fullmatch(name):
        try:
            return Zone(name, rules=ZoneInfo(name))
        except (OSError, ValueError, LookupError):
            pass
    raise SelRuntimeError(f"the zone {quoted(name)} is not recognised")


def offset_text(offset_ms: int, colon: str = ":") -> str:
    """``+01:00``, with seconds and milliseconds only if they are not zero."""
    sign = "-" if offset_ms < 0 else "+"
    seconds, millis = divmod(abs(offset_ms), 1000)
    minutes, second = divmod(seconds, 60)
    text = f"{sign}{minutes // 60:02}{colon}{minutes % 60:02}"
    if second or millis:
        text += f"{colon}{second:02}"
    return text + (f"{'.' if colon else ''}{millis:03}" if millis else "")


def offset_at(zone: Zone, millis: int) -> int:
    """The zone's offset at an instant, in milliseconds."""
    if zone.rules is None:
        return zone.fixed_ms
    moment = _EPOCH + timedelta(milliseconds=in_known_years(millis))
    return _milliseconds(moment.astimezone(zone.rules).utcoffset())


def _offset_of_local(zone: Zone, local: int) -> int:
    """The offset for a local time: the earlier one if the time occurs twice, the previous one if it is skipped."""
    if zone.rules is None:
        return zone.fixed_ms
    moment = _EPOCH.replace(tzinfo=None) + timedelta(milliseconds=in_known_years(local))
    return _milliseconds(moment.replace(tzinfo=zone.rules).utcoffset())


def _milliseconds(offset: timedelta | None) -> int:
    return 0 if offset is None else offset // timedelta(milliseconds=1)


def in_known_years(millis: int) -> int:
    """The same instant of a year that Python supports, whole cycles of the calendar away."""
    year = civil_of(millis)[0]
    if 2 <= year <= 9990:
        return millis
    cycles = (year - (2400 if year > 9990 else 2)) // 400
    return millis - cycles * _CYCLE_MS


def local_time(moment: DateTime) -> int:
    """Local milliseconds of an instant in its zone."""
    return moment.millis + offset_at(moment.zone, moment.millis)


def at_local(local: int, zone: Zone, *, near: int | None = None, strict: bool = False) -> DateTime:
    """The instant of a local time. ``near``: an instant whose offset is kept if it fits; otherwise the earlier of two.

    Raises:
        SelRuntimeError: the local time is skipped in this zone, and ``strict``; or it is too far away.
    """
    if near is not None:
        offset = offset_at(zone, near)
        if offset_at(zone, local - offset) == offset:
            return checked(local - offset, zone)
    offset = _offset_of_local(zone, local)
    if strict and offset_at(zone, local - offset) != offset:
        raise SelRuntimeError(f"this local time does not exist in {zone.id}: the clock was set forward")
    return checked(local - offset, zone)


def checked(millis: int, zone: Zone) -> DateTime:
    """A DateTime within 64 bits."""
    if not LONG_MIN <= millis <= LONG_MAX:
        raise SelRuntimeError("the milliseconds of a DateTime do not fit in 64 bits")
    return DateTime(millis, zone)
