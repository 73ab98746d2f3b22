"""``Util``, from the original's SelUtilFuncTest."""

from __future__ import annotations

import pytest

from maestro_flow.clock import Environment, ManualClock
from maestro_flow.errors import SelError, SelLimit, SelRuntimeError, SelTypeError
from maestro_flow.sel import evaluate
from tests.sel.rows import CLOCK_MS, Row, table


@table(
    (
        "SelUtilFuncTest",
        "Util.incrementDateInt('20190101', 5) + Util.incrementDateInt(20190101, -1)",
        "2019010620181231",
    ),
    ("SelUtilFuncTest", "Util.incrementDateInt('20190101', '5')", SelTypeError),
    ("SelUtilFuncTest", "Util.dateIntToTs('20190101')", 1546300800000),
    ("SelUtilFuncTest", "Util.dateIntToTs(20190101)", 1546300800000),
    ("SelUtilFuncTest", "Util.dateIntToTs(20200230)", SelRuntimeError),
    ("SelUtilFuncTest", "Util.dateIntToTs('2019010101')", SelRuntimeError),
    ("SelUtilFuncTest", "Util.dateIntToTs(1.5)", SelTypeError),
    ("SelUtilFuncTest", "Util.dateIntHourToTs('20190101', '01', 'UTC', '01', '01')", 1546214400000),
    ("SelUtilFuncTest", "Util.dateIntHourToTs(20190101, 1, 'UTC', 1, 1)", 1546214400000),
    ("Joda", "Util.dateIntHourToTs(20210707, '01', 'US/Pacific', 0, 0)", 1625644800000),
    ("SelUtilFuncTest", "Util.tsToDateInt(12345)", "19700101"),
    ("SelUtilFuncTest", "Util.tsToDateInt('12345')", "19700101"),
    ("SelUtilFuncTest", "Util.tsToDateInt('123.45')", SelRuntimeError),
    ("SelUtilFuncTest", "Util.invalidMethod('12345')", SelTypeError),
    ("SelUtilFuncTest", "Util.timeoutForDateTimeDeadline('1 day')", SelTypeError),
)
def test_dates_as_numbers(row: Row) -> None:
    row.check()


@table(
    (
        "SelUtilFuncTest",
        "Util.dateIntsBetween('20190226', 20190303, '1')",
        [20190226, 20190227, 20190228, 20190301, 20190302],
    ),
    ("SelUtilFuncTest", "Util.dateIntsBetween(20181228, '20191002', 90)", [20181228, 20190328, 20190626, 20190924]),
    ("SelUtilFuncTest", "Util.dateIntsBetween(20191226, 20190303, 1)", []),
    (
        "SelUtilFuncTest",
        "Util.dateIntsBetween('20190303', 20190226, '-1')",
        [20190302, 20190301, 20190228, 20190227, 20190226],
    ),
    ("SelUtilFuncTest", "Util.dateIntsBetween(20181228, '20191002', -90)", []),
    ("SelUtilFuncTest", "Util.dateIntsBetween(20181228, '20191002', 0)", SelRuntimeError),
    ("SelUtilFuncTest", "Util.dateIntsBetween(20190229, 20190303, 1)", SelRuntimeError),
    ("SelUtilFuncTest", "Util.intsBetween('5', 10, 2)", [5, 7, 9]),
    ("SelUtilFuncTest", "Util.intsBetween(-5, '1', 2)", [-5, -3, -1]),
    ("SelUtilFuncTest", "Util.intsBetween(5, '1', '2')", []),
    ("SelUtilFuncTest", "Util.intsBetween(1, -5, -2)", [1, -1, -3]),
    ("SelUtilFuncTest", "Util.intsBetween('foo', 3, 1)", SelRuntimeError),
    ("5.3 Util.intsBetween step 0", "Util.intsBetween(0, 5, 0)", []),
    ("ours", "Util.intsBetween(5, 0, 0)", []),
    ("ours", "Util.intsBetween(0, 2147483647, 1000000000)", [0, 1000000000, 2000000000]),
    ("ours", "Util.intsBetween(0, 3000000000, 1)", SelTypeError),
    ("ours", "Util.intsBetween(0, 100000, 1)", SelLimit),
)
def test_ranges(row: Row) -> None:
    row.check()


def at(millis: int) -> Environment:
    return Environment(ManualClock(millis / 1000))


@pytest.mark.parametrize(
    ("duration", "milliseconds"),
    [
        ("1 day", 86_400_000), ("2 days", 172_800_000), ("1 hour and 5 minutes", 3_900_000),
        ("1 Day, 2 Hours", 93_600_000),
        ("1 week, 1 day and 3 seconds", 691_203_000), ("90 minutes", 5_400_000), ("5 seconds 3 milliseconds", 5_003),
        ("", 0),
    ],
)  # fmt: skip
def test_deadlines(duration: str, milliseconds: int) -> None:
    for moment in ("timeoutForDateTimeDeadline(new DateTime('2019-01-01')", "timeoutForDateIntDeadline('20190101'"):
        text = evaluate(f"Util.{moment}, d)", {"d": duration}, environment=at(12345))
        assert text == f"{1546300800000 + milliseconds - 12345} milliseconds"
    late = evaluate("Util.timeoutForDateIntDeadline(20190101, d)", {"d": duration}, environment=at(2 * CLOCK_MS))
    assert late == "0 milliseconds"


@pytest.mark.parametrize("duration", ["1", "day", "1day", "2 hours, 1 day", "1 month", "1 year", "1 day,", "one day"])
def test_an_invalid_duration(duration: str) -> None:
    with pytest.raises(SelError):
        evaluate("Util.timeoutForDateIntDeadline(20190101, d)", {"d": duration})
