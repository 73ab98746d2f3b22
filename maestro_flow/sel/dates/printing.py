"""Formats a DateTime by a pattern."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC as PYTHON_UTC
from datetime import datetime, timedelta

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.dates.calendar import DAY_MS, FIELDS, HOUR_MS, civil_of, week_of
from maestro_flow.sel.dates.iso import year_text
from maestro_flow.sel.dates.pattern import Item, pattern_items
from maestro_flow.sel.dates.values import DateTime
from maestro_flow.sel.dates.zones import in_known_years, local_time, offset_at, offset_text

__all__ = ["print_date", "year_of_era"]


def print_date(moment: DateTime, pattern: str) -> str:
    """The text of an instant in its zone."""
    local = local_time(moment)
    return "".join(item.text or _print_item(item, moment, local) for item in pattern_items(pattern))


def _print_item(item: Item, moment: DateTime, local: int) -> str:
    number = _NUMBERS.get(item.letter)
    if item.letter in {"M", "E"} and (item.letter == "E" or item.count >= 3):
        field = FIELDS["monthOfYear" if item.letter == "M" else "dayOfWeek"]
        name = field.names[field.get(local) - 1]
        return name if item.count >= 4 else name[:3]
    if number is not None:
        return f"{number(local):0{item.count}}"
    return _TEXTS[item.letter](item.count, moment, local) if item.letter else item.text


def _year(year: int, count: int) -> str:
    return f"{abs(year) % 100:02}" if count == 2 else year_text(year, count)


def year_of_era(year: int) -> int:
    return year if year > 0 else 1 - year


def _fraction(count: int, _moment: DateTime, local: int) -> str:
    return f"{local % 1000:03}"[:count].ljust(count, "0")


def _zone_name(count: int, moment: DateTime, _local: int) -> str:
    if moment.zone.rules is None:
        return moment.zone.id
    if count >= 4:
        raise SelRuntimeError("the long name of a zone (zzzz) is not supported: use ZZZ, its id")
    moment_utc = datetime(1970, 1, 1, tzinfo=PYTHON_UTC) + timedelta(milliseconds=in_known_years(moment.millis))
    name = moment_utc.astimezone(moment.zone.rules).tzname() or ""
    return name if name[:1].isalpha() else offset_text(offset_at(moment.zone, moment.millis))


def _zone_offset(count: int, moment: DateTime, _local: int) -> str:
    if count >= 3:
        return moment.zone.id
    whole_minutes = int(offset_at(moment.zone, moment.millis) / 60_000) * 60_000
    return offset_text(whole_minutes, ":" if count == 2 else "")


_NUMBERS: dict[str, Callable[[int], int]] = {
    "w": FIELDS["weekOfWeekyear"].get,
    "e": FIELDS["dayOfWeek"].get,
    "D": FIELDS["dayOfYear"].get,
    "M": FIELDS["monthOfYear"].get,
    "d": FIELDS["dayOfMonth"].get,
    "H": FIELDS["hourOfDay"].get,
    "k": lambda local: FIELDS["hourOfDay"].get(local) or 24,
    "K": lambda local: FIELDS["hourOfDay"].get(local) % 12,
    "h": lambda local: FIELDS["hourOfDay"].get(local) % 12 or 12,
    "m": FIELDS["minuteOfHour"].get,
    "s": FIELDS["secondOfMinute"].get,
    "C": lambda local: year_of_era(civil_of(local)[0]) // 100,
}
_TEXTS: dict[str, Callable[[int, DateTime, int], str]] = {
    "y": lambda count, _, local: _year(civil_of(local)[0], count),
    "Y": lambda count, _, local: _year(year_of_era(civil_of(local)[0]), count),
    "x": lambda count, _, local: _year(week_of(local)[0], count),
    "G": lambda _count, _, local: "AD" if civil_of(local)[0] > 0 else "BC",
    "a": lambda _count, _, local: "AM" if local % DAY_MS < 12 * HOUR_MS else "PM",
    "S": _fraction,
    "z": _zone_name,
    "Z": _zone_offset,
}
