"""The date classes: ``DateTime``, ``DateTimeZone``, ``DateTimeFormat``, ``Property``, ``Days`` and ``System``."""

from __future__ import annotations

from functools import partial

from maestro_flow.errors import SelRuntimeError, SelTypeError
from maestro_flow.sel.dates.arithmetic import days_between, get_field, moved, start_of_day, with_field
from maestro_flow.sel.dates.calendar import DAY_MS, FIELDS, HOUR_MS, MINUTE_MS, SECOND_MS, local_of, verify
from maestro_flow.sel.dates.iso import iso_text, parse_iso
from maestro_flow.sel.dates.parsing import parse_date
from maestro_flow.sel.dates.pattern import pattern_items
from maestro_flow.sel.dates.printing import print_date
from maestro_flow.sel.dates.values import UTC, DateTime, Days, Formatter, Property, Zone
from maestro_flow.sel.dates.zones import at_local, local_time, offset_at, zone_for_id
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.functions.table import (
    Arguments,
    Function,
    Table,
    date_argument,
    int_argument,
    string_argument,
    zone_argument,
)
from maestro_flow.sel.values import Kind, Unset, Value, kind_of

__all__ = ["DATES"]

_UNITS = ("Years", "Months", "Weeks", "Days", "Hours", "Minutes", "Seconds", "Millis")
_SETTABLE = (
    "year", "weekyear", "monthOfYear", "weekOfWeekyear", "dayOfYear", "dayOfMonth", "dayOfWeek", "hourOfDay",
    "minuteOfHour", "secondOfMinute", "millisOfSecond", "millisOfDay",
)  # fmt: skip


def capitalized(name: str) -> str:
    return name[0].upper() + name[1:]


def _new(frame: Frame, _: Value, given: Arguments) -> DateTime:
    """From nothing (now), milliseconds, ISO text or another DateTime, and optionally a zone."""
    zone = zone_argument(given[1]) if len(given) == 2 else None
    match given[0] if given else None:
        case None | Unset():
            return DateTime(frame.now_ms(), zone or UTC)
        case int() as millis if type(millis) is int:
            return DateTime(millis, zone or UTC)
        case str() as text:
            return parse_iso(text, zone or UTC)
        case DateTime() as moment:
            return DateTime(moment.millis, zone or moment.zone)
    raise SelTypeError(f"a DATETIME cannot be created from a {kind_of(given[0])}")


def _new_of_fields(_frame: Frame, _: Value, given: Arguments) -> DateTime:
    year, month, day, hour, minute, second, milli = (int_argument(value) for value in given[:7])
    zone = zone_argument(given[7])
    verify("hourOfDay", hour, 0, 23)
    verify("minuteOfHour", minute, 0, 59)
    verify("secondOfMinute", second, 0, 59)
    verify("millisOfSecond", milli, 0, 999)
    clock = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + milli
    return at_local(local_of(year, month, day) + clock % DAY_MS, zone, strict=True)


def _move(unit: str, sign: int, _frame: Frame, receiver: Value, given: Arguments) -> DateTime:
    return moved(date_argument(receiver), unit, sign * int_argument(given[0]))


def _with(name: str, _frame: Frame, receiver: Value, given: Arguments) -> DateTime:
    return with_field(date_argument(receiver), name, int_argument(given[0]))


def _field(name: str, _frame: Frame, receiver: Value, _: Arguments) -> int:
    return get_field(date_argument(receiver), name)


def _property(name: str, _frame: Frame, receiver: Value, _: Arguments) -> Property:
    return Property(date_argument(receiver), name)


def _print(frame: Frame, moment: DateTime, pattern: str) -> str:
    frame.spend(len(pattern))
    return frame.string(print_date(moment, pattern))


def _in_zone(_frame: Frame, receiver: Value, given: Arguments) -> DateTime:
    return DateTime(date_argument(receiver).millis, zone_argument(given[0]))


def _start_of_day(frame: Frame, receiver: Value, _: Arguments) -> DateTime:
    frame.spend(200)
    return start_of_day(date_argument(receiver))


def _parse(frame: Frame, formatter: Value, text: Value) -> DateTime:
    found, shown = formatter_of(formatter), str(text) if type(text) is int else string_argument(text)
    frame.spend(4 * len(found.pattern))
    return parse_date(shown, found.pattern, found.zone, frame.now_ms())


def _print_by(frame: Frame, formatter: Value, given: Arguments) -> str:
    found, value = formatter_of(formatter), given[0]
    moment = DateTime(value, UTC) if type(value) is int else date_argument(value)
    return _print(frame, DateTime(moment.millis, found.zone or moment.zone), found.pattern)


def _for_pattern(frame: Frame, _: Value, given: Arguments) -> Formatter:
    pattern = string_argument(given[0])
    frame.spend(len(pattern))
    pattern_items(pattern)
    return Formatter(pattern)


def formatter_of(value: Value) -> Formatter:
    if not isinstance(value, Formatter):
        raise SelTypeError(f"a DATETIME_FORMATTER is expected here, not {kind_of(value)}")
    return value


def property_of(value: Value) -> Property:
    if not isinstance(value, Property):
        raise SelRuntimeError("the property is null")
    return value


def _limit(index: int, _frame: Frame, receiver: Value, _: Arguments) -> DateTime:
    found = property_of(receiver)
    return with_field(found.of, found.field, FIELDS[found.field].range(local_time(found.of))[index])


def _property_text(_frame: Frame, receiver: Value, _: Arguments) -> str:
    found = property_of(receiver)
    value, names = get_field(found.of, found.field), FIELDS[found.field].names
    return names[value - 1] if names else str(value)


def _property_value(_frame: Frame, receiver: Value, _: Arguments) -> int:
    found = property_of(receiver)
    return get_field(found.of, found.field)


def _days(_frame: Frame, receiver: Value, _: Arguments) -> int:
    if not isinstance(receiver, Days):
        raise SelRuntimeError("the days are null")
    return receiver.days


def _days_between(_frame: Frame, _: Value, given: Arguments) -> Days:
    return days_between(date_argument(given[0]), date_argument(given[1]))


def _offset(_frame: Frame, receiver: Value, given: Arguments) -> int:
    return offset_at(zone_argument(receiver), date_argument(given[0]).millis)


def _zone_for_id(_frame: Frame, _: Value, given: Arguments) -> Zone:
    return UTC if given[0] is None else zone_for_id(string_argument(given[0]))


_DATE_METHODS: dict[tuple[str, int], Function] = {
    **{(f"plus{unit}", 1): partial(_move, unit, 1) for unit in _UNITS},
    **{(f"minus{unit}", 1): partial(_move, unit, -1) for unit in _UNITS},
    **{(f"with{capitalized(name)}", 1): partial(_with, name) for name in _SETTABLE},
    **{(f"get{capitalized(name)}", 0): partial(_field, name) for name in FIELDS},
    **{(name, 0): partial(_property, name) for name in FIELDS if name != "year"},
    ("getMillis", 0): lambda _, own, __: date_argument(own).millis,
    ("isAfter", 1): lambda _, own, given: date_argument(own).millis > date_argument(given[0]).millis,
    ("isBefore", 1): lambda _, own, given: date_argument(own).millis < date_argument(given[0]).millis,
    ("isEqual", 1): lambda _, own, given: date_argument(own).millis == date_argument(given[0]).millis,
    ("toString", 0): lambda _, own, __: iso_text(date_argument(own)),
    ("toString", 1): lambda frame, own, given: _print(frame, date_argument(own), string_argument(given[0])),
    ("withZone", 1): _in_zone,
    ("toDateTime", 1): _in_zone,
    ("withTimeAtStartOfDay", 0): _start_of_day,
}
_FORMATTER_METHODS: dict[tuple[str, int], Function] = {
    ("forPattern", 1): _for_pattern,
    ("withZone", 1): lambda _, own, given: Formatter(formatter_of(own).pattern, zone_argument(given[0])),
    ("parseDateTime", 1): lambda frame, own, given: _parse(frame, own, given[0]),
    ("parseMillis", 1): lambda frame, own, given: _parse(frame, own, string_argument(given[0])).millis,
    ("print", 1): _print_by,
}

DATES = Table.joined(
    [
        Table.of(CLASSES["DateTime"], {
            ("new", 0): _new, ("new", 1): _new, ("new", 2): _new, ("new", 8): _new_of_fields,
            ("parse", 2): lambda frame, _, given: _parse(frame, given[1], string_argument(given[0])),
        }),
        Table.of(Kind.DATETIME, _DATE_METHODS),
        Table.of(CLASSES["DateTimeZone"], {("forID", 1): _zone_for_id}),
        Table.of(Kind.DATETIME_ZONE, {("forID", 1): _zone_for_id, ("getOffset", 1): _offset}),
        Table.of(CLASSES["DateTimeFormat"], {("forPattern", 1): _for_pattern}),
        Table.of(Kind.DATETIME_FORMATTER, _FORMATTER_METHODS),
        Table.of(Kind.DATETIME_PROPERTY, {
            ("get", 0): _property_value, ("getAsText", 0): _property_text,
            ("withMinimumValue", 0): partial(_limit, 0), ("withMaximumValue", 0): partial(_limit, 1),
        }),
        Table.of(CLASSES["Days"], {("daysBetween", 2): _days_between}),
        Table.of(Kind.DATETIME_DAYS, {("getDays", 0): _days, ("daysBetween", 2): _days_between}),
        Table.of(CLASSES["System"], {("currentTimeMillis", 0): lambda frame, _, __: frame.now_ms()}),
    ]
)  # fmt: skip
