"""Operators: arithmetic as in Java, and which types may meet."""

from __future__ import annotations

from maestro_flow.errors import SelRuntimeError, SelSyntax, SelTypeError
from tests.sel.rows import Row, table

MAX, MIN = 2**63 - 1, -(2**63)


@table(
    ("5.3 ints", "9223372036854775807 + 1", MIN),
    ("5.3 ints", "-9223372036854775807 - 2", MAX),
    ("5.3 ints", "m * m", 1, {"m": MAX}),
    ("Java", "-m", MIN, {"m": MIN}),
    ("Java", "m / -1", MIN, {"m": MIN}),
    ("Java", "m % -1", 0, {"m": MIN}),
    ("5.3 ints", "7 / 2", 3),
    ("5.3 ints", "-7 / 2", -3),
    ("5.3 ints", "7 / -2", -3),
    ("Java", "-7 % 2", -1),
    ("Java", "7 % -2", 1),
    ("Java", "1 / 0", SelRuntimeError),
    ("Java", "1 % 0", SelRuntimeError),
    ("5.3 ints", "010", 10),
    ("5.3 ints", "0x10", SelSyntax),
    ("5.3 ints", "08", SelSyntax),
    ("grammar", "12L + 3l", 15),
    ("grammar", "9223372036854775808", SelSyntax),
    ("grammar", "1 + 2 * 3 - 8 / 4 % 3", 5),
    ("grammar", "(1 + 2) * 3", 9),
    ("grammar", "10 - 3 - 2", 5),
    ("grammar", "- -1", 1),
    ("grammar", "a--1", SelSyntax, {"a": 1}),
    ("grammar", "a++", SelSyntax, {"a": 1}),
    ("grammar", "1 & 2", SelSyntax),
    ("grammar", "1 << 2", SelSyntax),
)
def test_longs(row: Row) -> None:
    row.check()


@table(
    ("Java", "1.5 + 1", 2.5),
    ("Java", "1 + 1.5", 2.5),
    ("Java", "7 / 2.0", 3.5),
    ("Java", "1 / 0.0", float("inf")),
    ("Java", "-1 / 0.0", float("-inf")),
    ("Java", "1.0 / -0.0", float("-inf")),
    ("Java", "'' + 0.0 / 0", "NaN"),
    ("Java", "'' + 5.5 % 0", "NaN"),
    ("Java", "5.5 % 2", 1.5),
    ("Java", "-5.5 % 2", -1.5),
    ("Java", "1e308 * 10", float("inf")),
    ("grammar", "1f", 1.0),
    ("grammar", "1d + .5 + 2.", 3.5),
    ("grammar", "1e3", 1000.0),
    ("SelDouble", "+1.5", 1.5),
    ("SelDouble", "-1.5", -1.5),
    ("SelDouble", "!1.5", SelTypeError),
    ("Java", "m == 9223372036854775807.0", True, {"m": MAX - 1}),
    ("SelDouble", "1.0 == 1", True),
    ("SelDouble", "1.5 + null", SelTypeError),
    ("SelDouble", "1.5 + true", SelTypeError),
)
def test_doubles(row: Row) -> None:
    row.check()


@table(
    ("5.3 concatenation", "1 + 'a'", "1a"),
    ("5.3 concatenation", "'a' + true", "atrue"),
    ("5.3 concatenation", "true + 'a'", SelTypeError),
    ("5.3 concatenation", "null + 'a'", "nulla"),
    ("SelString", "'a' + 1 + 2", "a12"),
    ("SelString", "1 + 2 + 'a'", "3a"),
    ("SelString", "'a' + null", "anull"),
    ("SelString", "'a' + 1.0", "a1.0"),
    ("SelString", "1.50 + 'a'", "1.5a"),
    ("SelString", "'a' - 'b'", SelTypeError),
    ("SelString", "-'a'", SelTypeError),
    ("SelLong", "1 - '1'", SelTypeError),
    ("SelLong", "1 + null", SelTypeError),
    ("ours", "'' + new long[]{1, 2};", "[1, 2]"),
    ("Java", "'' + DateTimeZone.UTC", "UTC"),
)
def test_concatenation(row: Row) -> None:
    row.check()


@table(
    ("5.3 equality", "1 == '1'", True),
    ("5.3 equality", "'1' == 1", SelTypeError),
    ("5.3 equality", "s == 1", SelTypeError, {"s": "1"}),
    ("SelDouble", "1.0 == '1.0'", True),
    ("SelString", "'a' == 'a'", True),
    ("SelString", "'a' != 'b'", True),
    ("SelString", "'a' == null", False),
    ("SelString", "'a' < 'b'", SelTypeError),
    ("SelBoolean", "true == true", True),
    ("SelBoolean", "true == 1", SelTypeError),
    ("SelBoolean", "true != null", True),
    ("SelType", "null == null", True),
    ("SelType", "null != 1", True),
    ("SelType", "null == new Map()", False),
    ("SelMap", "new Map() == null", SelTypeError),
    ("SelArray", "new int[1] == new int[1]", SelTypeError),
    ("5.3 unknown variable", "zzz", None),
    ("5.3 unknown variable", "zzz < 1", False),
    ("5.3 unknown variable", "zzz > 1", False),
    ("5.3 unknown variable", "zzz <= 1", SelTypeError),
    ("5.3 unknown variable", "1 < zzz", SelTypeError),
    ("5.3 unknown variable", "zzz + 1", "null1"),
    ("SelLong", "2 >= 2", True),
    ("SelLong", "2 < 1.5", False),
    ("Java", "n < 1.0 || n > 1.0 || n == n", False, {"n": float("nan")}),
)
def test_comparison(row: Row) -> None:
    row.check()


@table(
    ("ours", "false && (1 / 0 > 0)", False),
    ("ours", "true || 1 / 0 > 0", True),
    ("Java", "true && 1 / 0 > 0", SelRuntimeError),
    ("SelBoolean", "true && false || true", True),
    ("SelBoolean", "true && null", SelTypeError),
    ("SelBoolean", "1 && true", SelTypeError),
    ("SelBoolean", "false || 'a'", SelTypeError),
    ("SelBoolean", "!true == false", True),
    ("SelBoolean", "!null", SelTypeError),
    ("5.1 operators", "1 < 2 ? 'a' : 1 / 0", "a"),
    ("5.1 operators", "false ? 1 : false ? 2 : 3", 3),
    ("5.1 operators", "1 ? 2 : 3", SelTypeError),
    ("evaluation tests", "x=1; x<=0 || x>=10 ? x : -x;", -1),
)
def test_logic(row: Row) -> None:
    row.check()


@table(
    ("5.1 operators", "x = 5; x += 2; x -= 1; x *= 3; x /= 4; x %= 3; x", 1),
    ("SelString", "s = 'a'; s += 1; s += 2.5; s", "a12.5"),
    ("SelString", "s = 'a'; s -= 'a'", SelTypeError),
    ("SelDouble", "d = 1.5; d += 1", SelTypeError),
    ("SelDouble", "d = 1.5; d += 1.0; d", 2.5),
    ("SelLong", "x = 1; x += 1.5", SelTypeError),
    ("SelLong", "x = 1; x = 'a'", SelTypeError),
    ("SelBoolean", "b = true; b = 1 > 2; b", False),
    ("SelBoolean", "b = true; b += true", SelTypeError),
    ("SelVisitorState", "x = null", SelTypeError),
    ("SelVisitorState", "x += 1", SelTypeError),
    ("ExprEvaluatorTest", "x = 1", 1, {"x": 10}),
    ("grammar", "x = y = 3; x + y", 6),
    ("grammar", "1 + x = 3", SelSyntax),
    ("Java", "x = 9223372036854775807; x += 1; x", MIN),
    ("ours", "x = 1; x + (x = 5)", 6),
    ("ours", "Integer = 5", SelTypeError),
    ("ours", "String += 'a'", SelTypeError),
    ("SelVisitorState", "int Days = 5; Days + 1", 6),
)
def test_assignment(row: Row) -> None:
    row.check()
