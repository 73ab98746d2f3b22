"""Dates and zones, as Joda has them: expected values are Joda's own."""

from __future__ import annotations

import pytest

from maestro_flow.errors import SelLimit, SelRuntimeError, SelTypeError
from maestro_flow.sel import evaluate
from tests.sel.rows import CLOCK_MS, Row, table

ONE = "new DateTime(12345)"
LOCAL_NOON = "new DateTime(2005, 3, 26, 12, 0, 0, 0, DateTimeZone.forID('America/Los_Angeles'))"


@pytest.mark.parametrize(
    ("call", "result"),
    [
        ("minusYears", "1969-01-01T00:00:12.345Z"), ("plusYears", "1971-01-01T00:00:12.345Z"),
        ("minusMonths", "1969-12-01T00:00:12.345Z"), ("plusMonths", "1970-02-01T00:00:12.345Z"),
        ("minusWeeks", "1969-12-25T00:00:12.345Z"), ("plusWeeks", "1970-01-08T00:00:12.345Z"),
        ("minusDays", "1969-12-31T00:00:12.345Z"), ("plusDays", "1970-01-02T00:00:12.345Z"),
        ("minusHours", "1969-12-31T23:00:12.345Z"), ("plusHours", "1970-01-01T01:00:12.345Z"),
        ("minusMinutes", "1969-12-31T23:59:12.345Z"), ("plusMinutes", "1970-01-01T00:01:12.345Z"),
        ("minusSeconds", "1970-01-01T00:00:11.345Z"), ("plusSeconds", "1970-01-01T00:00:13.345Z"),
        ("minusMillis", "1970-01-01T00:00:12.344Z"), ("plusMillis", "1970-01-01T00:00:12.346Z"),
        ("withYear", "0001-01-01T00:00:12.345Z"), ("withWeekyear", "0001-01-04T00:00:12.345Z"),
        ("withMonthOfYear", "1970-01-01T00:00:12.345Z"), ("withWeekOfWeekyear", "1970-01-01T00:00:12.345Z"),
        ("withDayOfYear", "1970-01-01T00:00:12.345Z"), ("withDayOfMonth", "1970-01-01T00:00:12.345Z"),
        ("withDayOfWeek", "1969-12-29T00:00:12.345Z"), ("withHourOfDay", "1970-01-01T01:00:12.345Z"),
        ("withMinuteOfHour", "1970-01-01T00:01:12.345Z"), ("withSecondOfMinute", "1970-01-01T00:00:01.345Z"),
        ("withMillisOfSecond", "1970-01-01T00:00:12.001Z"), ("withMillisOfDay", "1970-01-01T00:00:00.001Z"),
    ],
)  # fmt: skip
def test_each_move_and_each_field_that_can_be_set(call: str, result: str) -> None:
    """The table of the original's SelJodaDateTimeTest."""
    assert evaluate(f"{ONE}.{call}(1).toString()") == result


@pytest.mark.parametrize(
    ("name", "value", "has_getter"),
    [
        ("monthOfYear", 1, True), ("weekyear", 1970, True), ("weekOfWeekyear", 1, True), ("dayOfYear", 1, True),
        ("dayOfMonth", 1, True), ("dayOfWeek", 4, True), ("hourOfDay", 0, True), ("minuteOfDay", 0, True),
        ("minuteOfHour", 0, True), ("secondOfDay", 12, True), ("secondOfMinute", 12, True),
        ("millisOfDay", 12345, True), ("millisOfSecond", 345, True),
    ],
)  # fmt: skip
def test_each_field_that_can_be_read(name: str, value: int, has_getter: bool) -> None:
    assert evaluate(f"{ONE}.get{name[0].upper()}{name[1:]}()") == value
    assert evaluate(f"{ONE}.{name}().get()") == value
    assert evaluate(f"'' + {ONE}.{name}()") == f"Property[{name}]"


@table(
    ("SelJodaDateTimePropertyTest", f"{ONE}.dayOfWeek().getAsText()", "Thursday"),
    ("SelJodaDateTimePropertyTest", f"{ONE}.monthOfYear().getAsText()", "January"),
    ("SelJodaDateTimePropertyTest", f"{ONE}.dayOfMonth().getAsText()", "1"),
    ("SelJodaDateTimePropertyTest", f"'' + {ONE}.dayOfWeek().withMinimumValue()", "1969-12-29T00:00:12.345Z"),
    ("SelJodaDateTimePropertyTest", f"'' + {ONE}.dayOfWeek().withMaximumValue()", "1970-01-04T00:00:12.345Z"),
    ("Joda", "'' + new DateTime('2020-02-03').dayOfMonth().withMaximumValue()", "2020-02-29T00:00:00.000Z"),
    ("SelJodaDateTimePropertyTest", f"{ONE}.dayOfWeek().getAsText(1)", SelTypeError),
    ("SelJodaDateTimeTest", f"{ONE}.getMillis() + {ONE}.getYear()", 12345 + 1970),
    ("SelJodaDateTimeTest", f"{ONE}.isBefore(new DateTime()) && !{ONE}.isAfter(new DateTime())", True),
    ("SelJodaDateTimeTest", f"{ONE}.isEqual({ONE})", True),
    ("SelJodaDateTimeTest", f"{ONE}.minusYears(null)", SelTypeError),
    ("SelJodaDateTimeTest", f"{ONE}.invalid()", SelTypeError),
    ("SelMiscFuncTest", "System.currentTimeMillis()", CLOCK_MS),
    ("SelMiscFuncTest", "DateTimeConstants.SUNDAY", 7),
    ("ours", "DateTimeConstants.MONDAY", 1),
    ("SelMiscFunc", "DateTimeConstants.NOON", SelTypeError),
    ("SelJodaDateTime", "new DateTime().getMillis()", CLOCK_MS),
    ("ExprEvaluatorTest", f"{LOCAL_NOON}.toDateTime(DateTimeZone.UTC).plusHours(2).getMillis();", 1111874400000),
    ("5.1 types", "new DateTime()", SelTypeError),
    ("SelJodaDateTime", "new DateTime(1.5)", SelTypeError),
    ("SelJodaDateTime", "new DateTime() == new DateTime()", SelTypeError),
)  # fmt: skip
def test_values(row: Row) -> None:
    row.check()


@table(
    ("Joda", "'' + new DateTime('2020-01-31').plusMonths(1)", "2020-02-29T00:00:00.000Z"),
    ("Joda", "'' + new DateTime('2020-02-29').plusYears(1)", "2021-02-28T00:00:00.000Z"),
    ("Joda", "'' + new DateTime('2020-12-31').withMonthOfYear(2)", "2020-02-29T00:00:00.000Z"),
    ("Joda", "new DateTime('2019-02-28').withDayOfMonth(29)", SelRuntimeError),
    ("Joda", "new DateTime().withHourOfDay(24)", SelRuntimeError),
    ("Joda", "new DateTime().plusYears(300000000)", SelRuntimeError),
    ("Joda", "new DateTime().plusDays(2147483648)", SelTypeError),
    ("Joda", "'' + new DateTime('9999-12-31').plusDays(1)", "10000-01-01T00:00:00.000Z"),
    ("Joda", "'' + new DateTime('0001-01-01').minusDays(366)", "0000-01-01T00:00:00.000Z"),
    (
        "SelJodaDateTimeDaysTest",
        "Days.daysBetween(new DateTime('2019-02-26'), new DateTime('2019-03-03')).getDays()",
        5,
    ),
    ("Joda", "Days.daysBetween(new DateTime('2019-03-03T12'), new DateTime('2019-02-26')).getDays()", -5),
    ("SelJodaDateTimeDaysTest", "'' + Days.daysBetween(new DateTime(0), new DateTime(86400000))", "P1D"),
)
def test_calendar(row: Row) -> None:
    row.check()


NEW_YORK = "DateTimeZone.forID('America/New_York')"


@table(
    ("Joda", f"'' + new DateTime('2019-03-09T02:30', {NEW_YORK}).plusDays(1)", "2019-03-10T03:30:00.000-04:00"),
    ("Joda", f"'' + new DateTime('2019-03-10T01:30', {NEW_YORK}).plusHours(1)", "2019-03-10T03:30:00.000-04:00"),
    ("Joda", f"'' + new DateTime('2019-11-02T01:30', {NEW_YORK}).plusDays(1)", "2019-11-03T01:30:00.000-04:00"),
    ("Joda", f"'' + new DateTime('2019-11-03T00:30', {NEW_YORK}).plusHours(2)", "2019-11-03T01:30:00.000-05:00"),
    ("Joda", f"new DateTime('2019-03-10T02:30', {NEW_YORK})", SelRuntimeError),
    ("Joda", f"new DateTime(2019, 3, 10, 2, 30, 0, 0, {NEW_YORK})", SelRuntimeError),
    ("Joda", f"new DateTime('2019-03-10T01:30', {NEW_YORK}).withHourOfDay(2)", SelRuntimeError),
    ("Joda", "'' + new DateTime('2018-11-04T12:00', DateTimeZone.forID('America/Sao_Paulo')).withTimeAtStartOfDay()",
     "2018-11-04T01:00:00.000-02:00"),
    ("Joda", f"{NEW_YORK}.getOffset(new DateTime(0))", -18000000),
    ("Joda", "'' + DateTimeZone.forID('+05:30')", "+05:30"),
    ("Joda", "'' + DateTimeZone.forID('+0000')", "UTC"),
    ("Joda", "'' + new DateTime(0).withZone(DateTimeZone.forID('-08'))", "1969-12-31T16:00:00.000-08:00"),
    ("SelJailbreakTest", "DateTimeZone.forID('../../etc/passwd')", SelRuntimeError),
    ("Joda", "DateTimeZone.forID('Nowhere/Land')", SelRuntimeError),
    ("Joda", "DateTimeZone.forID('')", SelRuntimeError),
    ("SelJodaDateTimeZone", "DateTimeZone.PST", SelTypeError),
)  # fmt: skip
def test_zones(row: Row) -> None:
    row.check()


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyyMMdd", "20190307"), ("yyyy-MM-dd HH:mm:ss.SSSSSS", "2019-03-07 15:04:05.678000"),
        ("yy M d H m s S", "19 3 7 15 4 5 6"),
        ("EEE, d MMM yyyy", "Thu, 7 Mar 2019"), ("EEEE MMMM", "Thursday March"), ("hh:mm a", "03:04 PM"),
        ("K k", "3 15"),
        ("xxxx-'W'ww-e", "2019-W10-4"), ("D DDD", "66 066"), ("G C YYYY", "AD 20 2019"),
        ("Z ZZ ZZZ", "+0100 +01:00 Europe/Paris"),
        ("'o''clock'", "o'clock"), ("HH''mm", "15'04"), ("z", "CET"), ("yyyyyy", "002019"),
    ],
)  # fmt: skip
def test_printing(pattern: str, text: str) -> None:
    moment = "new DateTime(1551967445678).withZone(DateTimeZone.forID('Europe/Paris'))"
    assert evaluate(f"{moment}.toString(p)", {"p": pattern}) == text
    assert evaluate(f"DateTimeFormat.forPattern(p).print({moment})", {"p": pattern}) == text


@pytest.mark.parametrize(
    ("pattern", "text", "moment"),
    [
        ("yyyyMMdd", "20190101", "2019-01-01T00:00:00.000Z"),
        ("yyyy-MM-dd HH:mm:ss.SSS", "2019-1-2 3:4:5.6", "2019-01-02T03:04:05.600Z"),
        ("dd MMM yyyy", "1 january 2019", "2019-01-01T00:00:00.000Z"), ("MM-dd", "02-29", "2000-02-29T00:00:00.000Z"),
        ("HH:mm", "10:20", "1970-01-01T10:20:00.000Z"), ("hh:mm a", "12:30 am", "1970-01-01T00:30:00.000Z"),
        ("yyMMdd", "190101", "2019-01-01T00:00:00.000Z"), ("yyMMdd", "800101", "1980-01-01T00:00:00.000Z"),
        ("yyyy-MM-dd Z", "2019-01-01 +0130", "2018-12-31T22:30:00.000Z"),
        ("xxxx-'W'ww-e", "2019-W01-2", "2019-01-01T00:00:00.000Z"),
        ("yyyyDDD", "2020366", "2020-12-31T00:00:00.000Z"), ("e", "3", "2000-12-27T00:00:00.000Z"),
        ("kk", "24", "1970-01-01T00:00:00.000Z"),
    ],
)  # fmt: skip
def test_parsing(pattern: str, text: str, moment: str) -> None:
    assert evaluate("'' + DateTimeFormat.forPattern(p).parseDateTime(t)", {"p": pattern, "t": text}) == moment
    millis = evaluate("DateTimeFormat.forPattern(p).parseMillis(t)", {"p": pattern, "t": text})
    assert evaluate("'' + new DateTime(m)", {"m": millis}) == moment
    assert evaluate("'' + DateTime.parse(t, DateTimeFormat.forPattern(p))", {"p": pattern, "t": text}) == moment


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("yyyyMMdd", "2019-01-01"), ("yyyyMMdd", "201901011"), ("yyyyMMdd", "20190229"), ("yyyyMMdd", "20191301"),
        ("yyyyMMdd", ""),
        ("HH", "24"), ("yyyy", "20191x"), ("MMM", "Foo"), ("q", "1"), ("", "1"), ("yyyy z", "2019 PST"), ("kk", "0"),
        ("yyyy Z", "2019 x"),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_pattern(pattern: str, text: str) -> None:
    with pytest.raises(SelRuntimeError):
        evaluate("DateTimeFormat.forPattern(p).parseDateTime(t)", {"p": pattern, "t": text})


def test_a_pattern_has_a_size() -> None:
    with pytest.raises(SelLimit):
        evaluate("DateTimeFormat.forPattern(p)", {"p": "y " * 501})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2019", "2019-01-01T00:00:00.000Z"), ("2019-06", "2019-06-01T00:00:00.000Z"),
        ("2019-1-2", "2019-01-02T00:00:00.000Z"),
        ("2019-01-01T10:20:30.5", "2019-01-01T10:20:30.500Z"),
        ("2019-01-01T10:20:30+01:00", "2019-01-01T09:20:30.000Z"),
        ("2019-W05-3", "2019-01-30T00:00:00.000Z"), ("2019-032", "2019-02-01T00:00:00.000Z"),
        ("T10:20", "1970-01-01T10:20:00.000Z"),
        ("2019-01-01T10.5", "2019-01-01T10:30:00.000Z"), ("2019-01-01TZ", "2019-01-01T00:00:00.000Z"),
    ],
)  # fmt: skip
def test_iso_texts(text: str, moment: str) -> None:
    assert evaluate("'' + new DateTime(t)", {"t": text}) == moment


@pytest.mark.parametrize(
    "text", ["", "abc", "2019-13", "2019-02-30", "2019-01-01 10:20", "2019-01-01T24", "2019-366", "2019-W53"]
)
def test_invalid_iso_text(text: str) -> None:
    with pytest.raises(SelRuntimeError):
        evaluate("new DateTime(t)", {"t": text})
