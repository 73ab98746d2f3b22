"""Arithmetic on instants: calendar fields in local time, hours and smaller units in real time, as in Joda."""

from __future__ import annotations

from collections.abc import Callable

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.dates.calendar import (
    DAY_MS,
    FIELDS,
    HOUR_MS,
    MINUTE_MS,
    SECOND_MS,
    add_months,
    verify,
)
from maestro_flow.sel.dates.values import DateTime, Days
from maestro_flow.sel.dates.zones import at_local, checked, local_time, offset_at

__all__ = ["MOVES", "days_between", "get_field", "moved", "start_of_day", "with_field"]

MOVES: dict[str, Callable[[int, int], int]] = {
    "Years": lambda local, count: add_months(local, 12 * count),
    "Months": add_months,
    "Weeks": lambda local, count: local + 7 * DAY_MS * count,
    "Days": lambda local, count: local + DAY_MS * count,
}
"""How each unit is added to a local time."""
_SPANS_MS = {"Hours": HOUR_MS, "Minutes": MINUTE_MS, "Seconds": SECOND_MS, "Millis": 1}


def moved(moment: DateTime, unit: str, count: int) -> DateTime:
    """``plusDays`` and the like."""
    span = _SPANS_MS.get(unit)
    if span is not None:
        return checked(moment.millis + span * count, moment.zone)
    if count == 0:
        return moment
    return at_local(MOVES[unit](local_time(moment), count), moment.zone)


def get_field(moment: DateTime, name: str) -> int:
    return FIELDS[name].get(local_time(moment))


def with_field(moment: DateTime, name: str, value: int) -> DateTime:
    """The same instant with one field set.

    Raises:
        SelRuntimeError: the value is out of range, or the local time is skipped in this zone.
    """
    field, local = FIELDS[name], local_time(moment)
    verify(name, value, *field.range(local))
    made = at_local(field.set(local, value), moment.zone, near=moment.millis)
    if get_field(made, name) != value:
        raise SelRuntimeError(f"{name}={value}: this local time does not exist in {moment.zone.id}")
    return made


def start_of_day(moment: DateTime) -> DateTime:
    """Midnight, or the first instant of the day if the clock skips midnight."""
    local = local_time(moment)
    midnight = local - local % DAY_MS
    made = at_local(midnight, moment.zone)
    if local_time(made) == midnight:
        return made
    before = offset_at(moment.zone, made.millis - DAY_MS)
    low, high = made.millis - DAY_MS, made.millis
    while low + 1 < high:  # find the instant of the change
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(moment.zone, middle) == before else (low, middle)
    return checked(high, moment.zone)


def days_between(start: DateTime, end: DateTime) -> Days:
    """Whole days in the zone of ``start``, rounded towards zero."""
    span = local_time(DateTime(end.millis, start.zone)) - local_time(start)
    return Days(span // DAY_MS if span >= 0 else -(-span // DAY_MS))
