"""The proleptic Gregorian calendar on integers: local milliseconds since 1970 to fields and back."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from maestro_flow.errors import SelRuntimeError

__all__ = ["DAY_MS", "FIELDS", "YEAR_MAX", "Field", "add_months", "civil_of", "days_from_civil", "days_in_month",
           "is_leap", "local_of", "with_date"]  # fmt: skip

SECOND_MS, MINUTE_MS, HOUR_MS, DAY_MS = 1000, 60_000, 3_600_000, 86_400_000
YEAR_MAX = 292_000_000
"""Joda's calendar ends in the year 292,278,993, when milliseconds no longer fit in 64 bits."""

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    if month == 2:
        return 29 if is_leap(year) else 28
    return 30 if month in {4, 6, 9, 11} else 31


def days_from_civil(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01; the day may lie outside the month."""
    year -= month <= 2
    of_era = year % 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return (year // 400) * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def civil_of(local: int) -> tuple[int, int, int]:
    """Year, month and day of local milliseconds."""
    days = local // DAY_MS + 719_468
    era, of_era = divmod(days, 146_097)
    year_of_era = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return year_of_era + era * 400 + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def local_of(year: int, month: int, day: int, ms_of_day: int = 0) -> int:
    """Local milliseconds of a date.

    Raises:
        SelRuntimeError: there is no such date.
    """
    verify("year", year, -YEAR_MAX, YEAR_MAX)
    verify("monthOfYear", month, 1, 12)
    verify("dayOfMonth", day, 1, days_in_month(year, month))
    return days_from_civil(year, month, day) * DAY_MS + ms_of_day


def with_date(local: int, year: int, month: int, day: int) -> int:
    """Another date with the same time of day; a day beyond the end of the month becomes its last day."""
    verify("year", year, -YEAR_MAX, YEAR_MAX)
    return days_from_civil(year, month, min(day, days_in_month(year, month))) * DAY_MS + local % DAY_MS


def add_months(local: int, months: int) -> int:
    year, month, day = civil_of(local)
    years, index = divmod(month - 1 + months, 12)
    return with_date(local, year + years, index + 1, day)


def verify(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SelRuntimeError(f"value {value} for {name} must be in the range [{least},{most}]")


def week_of(local: int) -> tuple[int, int, int]:
    """ISO year, week and weekday (1 is Monday)."""
    days = local // DAY_MS
    weekday = (days + 3) % 7 + 1
    year = civil_of((days - weekday + 4) * DAY_MS)[0]  # the year of this week's Thursday
    return year, (days - first_monday(year)) // 7 + 1, weekday


def first_monday(year: int) -> int:
    """The first day of an ISO year, in days since 1970."""
    fourth = days_from_civil(year, 1, 4)
    return fourth - (fourth + 3) % 7


def weeks_in(year: int) -> int:
    return (first_monday(year + 1) - first_monday(year)) // 7


def _set_weekyear(local: int, year: int) -> int:
    _, week, weekday = week_of(local)
    days = first_monday(year) + 7 * (min(week, weeks_in(year)) - 1) + weekday - 1
    return days * DAY_MS + local % DAY_MS


@frozen
class Field:
    """One field of a local time. ``set`` receives a value within what ``range`` returns for this local time."""

    get: Callable[[int], int]
    set: Callable[[int, int], int]
    range: Callable[[int], tuple[int, int]]
    names: tuple[str, ...] = ()


def _year_field() -> Field:
    def put(local: int, value: int) -> int:
        _, month, day = civil_of(local)
        return with_date(local, value, month, day)

    return Field(lambda local: civil_of(local)[0], put, lambda _: (-YEAR_MAX, YEAR_MAX))


def _month_field() -> Field:
    def put(local: int, value: int) -> int:
        year, _, day = civil_of(local)
        return with_date(local, year, value, day)

    return Field(lambda local: civil_of(local)[1], put, lambda _: (1, 12), MONTHS)


def _days_field(get: Callable[[int], int], most: Callable[[int], int], names: tuple[str, ...] = ()) -> Field:
    """A field that counts days: setting it moves the date by days."""
    return Field(get, lambda local, value: local + (value - get(local)) * DAY_MS, lambda local: (1, most(local)), names)


def _time_field(unit: int, per: int) -> Field:
    """A field of the time of day: a count of units that restarts after ``per`` milliseconds."""

    def get(local: int) -> int:
        return local % per // unit

    return Field(get, lambda local, value: local + (value - get(local)) * unit, lambda _: (0, per // unit - 1))


def _day_of_year(local: int) -> int:
    return local // DAY_MS - days_from_civil(civil_of(local)[0], 1, 1) + 1


FIELDS: dict[str, Field] = {
    "year": _year_field(),
    "weekyear": Field(lambda local: week_of(local)[0], _set_weekyear, lambda _: (-YEAR_MAX, YEAR_MAX)),
    "monthOfYear": _month_field(),
    "weekOfWeekyear": Field(
        lambda local: week_of(local)[1],
        lambda local, value: local + (value - week_of(local)[1]) * 7 * DAY_MS,
        lambda local: (1, weeks_in(week_of(local)[0])),
    ),
    "dayOfYear": _days_field(_day_of_year, lambda local: 366 if is_leap(civil_of(local)[0]) else 365),
    "dayOfMonth": _days_field(lambda local: civil_of(local)[2], lambda local: days_in_month(*civil_of(local)[:2])),
    "dayOfWeek": _days_field(lambda local: week_of(local)[2], lambda _: 7, WEEKDAYS),
    "hourOfDay": _time_field(HOUR_MS, DAY_MS),
    "minuteOfDay": _time_field(MINUTE_MS, DAY_MS),
    "minuteOfHour": _time_field(MINUTE_MS, HOUR_MS),
    "secondOfDay": _time_field(SECOND_MS, DAY_MS),
    "secondOfMinute": _time_field(SECOND_MS, MINUTE_MS),
    "millisOfDay": _time_field(1, DAY_MS),
    "millisOfSecond": _time_field(1, SECOND_MS),
}
