"""``Util``: Maestro's own functions, mostly on dates written as numbers such as 20190101, and ``toJson``."""

from __future__ import annotations

import re

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.dates.arithmetic import days_between, moved
from maestro_flow.sel.dates.calendar import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, civil_of, local_of
from maestro_flow.sel.dates.parsing import parse_date
from maestro_flow.sel.dates.printing import year_of_era
from maestro_flow.sel.dates.values import UTC, DateTime
from maestro_flow.sel.dates.zones import zone_for_id
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.functions.numbers import long_of
from maestro_flow.sel.functions.table import (
    Arguments,
    Table,
    date_argument,
    int_argument,
    string_argument,
)
from maestro_flow.sel.numbers import quoted
from maestro_flow.sel.text import json_text
from maestro_flow.sel.values import Array, Kind, Value

__all__ = ["UTIL"]

_DATE_INT = "YYYYMMdd"
_WORDS_MS = {
    "week": 7 * DAY_MS, "day": DAY_MS, "hour": HOUR_MS, "minute": MINUTE_MS, "second": SECOND_MS, "millisecond": 1,
}  # fmt: skip
_PART = r"(?:([+-]?[0-9]{1,10}) %ss?)?"
_SEPARATOR = "(?:, and |,and |, | and |,| )?"
_DURATION = re.compile(_SEPARATOR.join(_PART % word for word in ("year", "month", *_WORDS_MS)), re.IGNORECASE)


def text_of_number(value: Value) -> str:
    """A STRING, or a LONG as one."""
    return str(value) if type(value) is int else string_argument(value)


def date_of(frame: Frame, value: Value) -> DateTime:
    text = text_of_number(value)
    if len(text) == 8 and text.isascii() and text.isdigit() and text[:4] != "0000":  # the common case, much faster
        return DateTime(local_of(int(text[:4]), int(text[4:6]), int(text[6:])), UTC)
    return parse_date(text, _DATE_INT, UTC, frame.now_ms())


def date_int(moment: DateTime) -> str:
    year, month, day = civil_of(moment.millis)
    return f"{year_of_era(year):04}{month:02}{day:02}"


def int_of(value: Value) -> int:
    return int_argument(long_of(value))


def _increment(frame: Frame, _: Value, given: Arguments) -> str:
    return date_int(moved(date_of(frame, given[0]), "Days", int_argument(given[1])))


def _date_int(_frame: Frame, _: Value, given: Arguments) -> str:
    return date_int(DateTime(long_of(given[0]), UTC))


def _date_int_hour(frame: Frame, _: Value, given: Arguments) -> int:
    """Date, hour and zone, and how many days and hours to subtract."""
    text = text_of_number(given[0]) + text_of_number(given[1])
    moment = parse_date(text, "YYYYMMddHH", zone_for_id(text_of_number(given[2])), frame.now_ms())
    return moved(moved(moment, "Days", -int_of(given[3])), "Hours", -int_of(given[4])).millis


def duration_ms(text: str) -> int:
    """``1 day, 2 hours and 5 minutes`` in milliseconds: English, from the largest unit to the smallest.

    Raises:
        SelRuntimeError: it is not such text, or has years or months, which have no fixed length.
    """
    found = _DURATION.fullmatch(text)
    if found is None or text.endswith((" ", ",", "and")) or text.startswith((" ", ",")):
        raise SelRuntimeError(f"not a duration: {quoted(text)}")
    years, months, *counts = (int(count or 0) for count in found.groups())
    if years or months:
        raise SelRuntimeError(f"a duration of years or months has no fixed length: {quoted(text)}")
    return sum(count * unit for count, unit in zip(counts, _WORDS_MS.values(), strict=True))


def _remaining(frame: Frame, moment: DateTime, duration: Value) -> str:
    deadline = moment.millis + duration_ms(string_argument(duration))
    return f"{max(deadline - frame.now_ms(), 0)} milliseconds"


def _longs(frame: Frame, numbers: range) -> Array:
    frame.reserve_array(len(numbers))
    return Array(list(numbers), Kind.LONG_ARRAY)


def _ints_between(frame: Frame, _: Value, given: Arguments) -> Array:
    start, end, step = (int_of(value) for value in given)
    return _longs(frame, range(start, end, step) if step else range(0))


def _date_ints_between(frame: Frame, _: Value, given: Arguments) -> Array:
    """From the first date up to but excluding the second; backwards with a negative step, as in Maestro."""
    step = int_of(given[2])
    if step == 0:
        raise SelRuntimeError("dateIntsBetween: the step is 0")
    start, end = (date_of(frame, value) for value in (given[:2] if step > 0 else given[1::-1]))
    offsets = _longs(frame, range(0, days_between(start, end).days, abs(step)))
    frame.spend(50 * len(offsets.items))
    dates = [int(date_int(moved(start, "Days", int_argument(days)))) for days in offsets.items]
    return Array(list(dates if step > 0 else reversed(dates)), Kind.LONG_ARRAY)


UTIL = Table.of(
    CLASSES["Util"],
    {
        ("dateIntToTs", 1): lambda frame, _, given: date_of(frame, given[0]).millis,
        ("tsToDateInt", 1): _date_int,
        ("incrementDateInt", 2): _increment,
        ("timeoutForDateTimeDeadline", 2): lambda frame, _, given: _remaining(frame, date_argument(given[0]), given[1]),
        ("timeoutForDateIntDeadline", 2): lambda frame, _, given: _remaining(frame, date_of(frame, given[0]), given[1]),
        ("dateIntsBetween", 3): _date_ints_between,
        ("intsBetween", 3): _ints_between,
        ("dateIntHourToTs", 5): _date_int_hour,
        ("toJson", 1): lambda frame, _, given: frame.string(json_text(frame, given[0])),
    },
)
