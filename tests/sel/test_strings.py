"""Methods of strings, of their class, and of numbers."""

from __future__ import annotations

import math
from typing import Any

import pytest

from maestro_flow.errors import SelRuntimeError, SelTypeError
from maestro_flow.sel import evaluate
from tests.sel.rows import Row, table


@table(
    ("SelStringTest", "'FooBar '.toUpperCase()", "FOOBAR "),
    ("SelStringTest", "'FooBar '.toLowerCase()", "foobar "),
    ("SelStringTest", "'FooBar '.length()", 7),
    ("SelStringTest", "'FooBar '.isEmpty()", False),
    ("SelStringTest", "'FooBar '.trim()", "FooBar"),
    ("SelStringTest", "'FooBar '.lastIndexOf('oBa')", 2),
    ("SelStringTest", "'FooBar '.equals('oBa')", False),
    ("SelStringTest", "'FooBar '.compareTo('oBa')", -41),
    ("SelStringTest", "'FooBar '.startsWith('oBa')", False),
    ("SelStringTest", "'FooBar '.endsWith('r ')", True),
    ("SelStringTest", "'FooBar '.contains('oBa')", True),
    ("SelStringTest", "'a-B- c'.replace('-', '+')", "a+B+ c"),
    ("Java", "'abc'.replace('', '-')", "-a-b-c-"),
    ("SelStringTest", "'a b c'.substring(3)", " c"),
    ("SelStringTest", "'a b c'.substring(1, 3)", " b"),
    ("SelStringTest", "'a b c'.substring(4, 3)", SelRuntimeError),
    ("Java", "'abc'.substring(3)", ""),
    ("Java", "'abc'.substring(4)", SelRuntimeError),
    ("Java", "'abc'.substring(-1)", SelRuntimeError),
    ("Java", "'abc'.substring(0, 4)", SelRuntimeError),
    ("Java", "'abc'.substring(1.0)", SelTypeError),
    ("Java", "'abc'.substring(4294967296)", SelTypeError),
    ("Java", "'aXbX'.lastIndexOf('X')", 3),
    ("Java", "'abc'.lastIndexOf('')", 3),
    ("Java", "'abc'.lastIndexOf('d')", -1),
    ("Java", "'ab'.compareTo('abc')", -1),
    ("Java", "'b'.compareTo('a')", 1),
    ("Java", "'a'.compareTo(null)", SelTypeError),
    ("Java", "'a'.equals(1)", False),
    ("Java", "'a'.equals(null)", False),
    ("Java", "'straße'.toUpperCase()", "STRASSE"),
    ("Java", "' \\t a\u00a0'.trim()", "a\u00a0"),
    ("SelStringTest", "'{\"foo\"}'.escape()", '{\\"foo\\"}'),
    ("SelStringTest", "String.escape('a\\n\\t\\'')", "a\\n\\t'"),
    ("SelStringTest", "'x'.escape(1)", SelTypeError),
    ("SelStringTest", "'a b'.splits(' ')", SelTypeError),
    ("SelStringTest", "'a b'.isEmpty('x')", SelTypeError),
    ("SelStringTest", "String.split('a')", SelTypeError),
    ("Java", "'a'.indexOf('a')", SelTypeError),
    ("SelStringTest", "new String()", ""),
    ("SelStringTest", "new String('foo') + new String(12)", "foo12"),
    ("SelStringTest", "new String(123.2)", SelTypeError),
    ("SelStringTest", "new String('a', 'b')", SelTypeError),
)
def test_methods(row: Row) -> None:
    row.check()


@table(
    ("SelStringTest", "String.valueOf(123)", "123"),
    ("SelStringTest", "String.valueOf(true)", "true"),
    ("SelStringTest", "String.valueOf(1.1)", "1.1"),
    ("SelStringTest", "String.valueOf(9223372036854775807)", "9223372036854775807"),
    ("ours", "String.valueOf(-3000000000)", "-3000000000"),
    ("Java", "String.valueOf(null)", "null"),
    ("Java", "'abc'.valueOf(1)", SelTypeError),
    ("SelStringTest", "String.join(',', 'ab', 'c')", "ab,c"),
    ("SelStringTest", "String.join(',')", ""),
    ("SelStringTest", "'abc'.join(',', 'ab', 'c')", "ab,c"),
    ("SelStringTest", "String.join(',', new String[]{'z', 'ab', 'c'})", "z,ab,c"),
    ("Java", "String.join(',', 1)", SelTypeError),
    ("Java", "String.join(',', new int[1])", SelTypeError),
    ("SelStringTest", "String.format('%s-%s', 'ab', 'c')", "ab-c"),
    ("SelStringTest", "String.format('%s-%d', 'ab', 123)", "ab-123"),
)
def test_static_methods(row: Row) -> None:
    row.check()


@table(
    ("Java", "'a😀b'.length()", 4),
    ("Java", "'a😀b'.substring(1, 3)", "😀"),
    ("Java", "'a😀b'.lastIndexOf('b')", 3),
    ("Java", "'😀'.compareTo('\uffff')", 0xD83D - 0xFFFF),
    ("Java", "'𐐨'.toUpperCase()", "𐐀"),
    ("Java", "s.substring(0, 1) + s.substring(1)", "😀", {"s": "😀"}),
    ("ours", "'a😀b'.substring(0, 2)", SelRuntimeError),
    ("Java", "'\\ud83d\\ude00'", "😀"),
)
def test_characters_beyond_16_bits_are_two_units(row: Row) -> None:
    row.check()


@table(
    ("SelLongTest", "Long.valueOf('123') + Integer.valueOf(1)", 124),
    ("SelLongTest", "Long.parseLong('+5')", 5),
    ("Java", "Long.parseLong(' 5')", SelRuntimeError),
    ("Java", "Long.valueOf('9223372036854775808')", SelRuntimeError),
    ("Java", "Long.valueOf('1_0')", SelRuntimeError),
    ("Java", "Integer.parseInt('1')", SelTypeError),
    ("SelLongTest", "(5).toString() + Long.toString(6)", "56"),
    ("SelLongTest", "(5).intValue()", 5),
    ("SelLongTest", "new Integer('7') + new Long(1)", 8),
    ("SelLongTest", "new Long(1.5)", SelTypeError),
    ("SelDoubleTest", "Double.valueOf('1.5') + Double.parseDouble(' 2e1f ')", 21.5),
    ("SelDoubleTest", "Double.valueOf(1)", SelTypeError),
    ("Java", "Double.valueOf('inf')", SelRuntimeError),
    ("Java", "Double.valueOf('0x1p3')", 8.0),
    ("SelDoubleTest", "Double.toString(1.0) + (2.5).toString()", "1.02.5"),
    ("Java", "(2.9).intValue() + (-2.9).longValue()", 0),
    ("Java", "(1e30).longValue()", 2**63 - 1),
    ("Java", "(0.0 / 0).longValue()", 0),
    ("SelBooleanTest", "new Boolean('TRUE') && !new Boolean('yes')", True),
    ("SelBoolean", "Boolean.valueOf('true')", SelTypeError),
    ("SelJavaMathTest", "Math.min(1, 2) + Math.max(1, 2)", 3),
    ("5.3 Math", "Math.max(1.0, 2)", SelTypeError),
    ("SelJavaMathTest", "Math.pow(2, 3)", 8.0),
    ("Java", "Math.pow(2.0, 0.5)", math.sqrt(2)),
    ("Java", "'' + Math.pow(-1, 0.5)", "NaN"),
    ("Java", "'' + Math.pow(1.0, 1e400)", "NaN"),
    ("Java", "Math.pow(0.0, -1)", math.inf),
    ("Java", "Math.pow(10, 400)", math.inf),
    ("Java", "Math.sqrt(2.0)", SelTypeError),
    ("SelJavaMathTest", "x = Math.random(); x >= 0 && x < 1", True),
    ("SelJavaUUIDTest", "UUID.randomUUID().toString().length()", 36),
    ("SelJavaUUIDTest", "UUID u = UUID.randomUUID(); u.toString() == u.toString()", True),
)
def test_numbers(row: Row) -> None:
    row.check()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"), (-0.0, "-0.0"), (1.0, "1.0"), (100.0, "100.0"), (0.1 + 0.2, "0.30000000000000004"),
        (0.001, "0.001"), (0.0009999, "9.999E-4"), (9999999.0, "9999999.0"), (1e7, "1.0E7"), (1.5e10, "1.5E10"),
        (123456789.125, "1.23456789125E8"), (1e21, "1.0E21"), (1e23, "1.0E23"), (5e-324, "4.9E-324"),
        (2e-323, "2.0E-323"), (1.7976931348623157e308, "1.7976931348623157E308"), (-1.25, "-1.25"),
        (float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity"),
    ],
)  # fmt: skip
def test_the_text_of_a_double_is_javas(value: float, text: str) -> None:
    assert evaluate("'' + v", {"v": value}) == text


@pytest.mark.parametrize(
    ("pattern", "value", "text"),
    [
        ("%5d|", 42, "   42|"), ("%-5d|", 42, "42   |"), ("%05d", -42, "-0042"), ("%+d", 42, "+42"), ("% d", 42, " 42"),
        ("%(d", -42, "(42)"), ("%,d", 1234567, "1,234,567"), ("%x", 255, "ff"), ("%X", -1, "FFFFFFFF"),
        ("%x", -(2**40), "ffffff0000000000"), ("%#x", 255, "0xff"), ("%o", 8, "10"),
        ("%.2f", 2.005, "2.01"), ("%.1f", 0.15, "0.2"), ("%.0f", 2.5, "3"), ("%f", 1.5, "1.500000"),
        ("%,.2f", 12345.678, "12,345.68"), ("%08.2f", -3.14159, "-0003.14"), ("%e", 12345.678, "1.234568e+04"),
        ("%.3E", 0.00012, "1.200E-04"), ("%g", 0.0001, "0.000100000"), ("%g", 1e-5, "1.00000e-05"),
        ("%s", 1.0, "1.0"), ("%10s|", "ab", "        ab|"), ("%-10s|", "ab", "ab        |"), ("%.1s", "ab", "a"),
        ("%S", "ab", "AB"), ("%b", True, "true"), ("%b", "x", "true"), ("%c", 65, "A"), ("%%%s%n", 1, "%1\n"),
        ("%1$s%1$s", "a", "aa"), ("%s%<s", "a", "aa"), ("%s", [1, 2], "[1, 2]"), ("%s", {"a": 1}, "{a=1}"),
        ("%h", "abc", "17862"), ("%f", float("inf"), "Infinity"), ("%s", None, "null"), ("%d", None, "null"),
    ],
)  # fmt: skip
def test_format(pattern: str, value: Any, text: str) -> None:
    assert evaluate("String.format(f, v)", {"f": pattern, "v": value}) == text


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("%d", 1.5), ("%d", "1"), ("%f", 1), ("%x", 1.0), ("%c", "a"), ("%q", 1), ("%", 1), ("%5", 1), ("%-d", 1),
        ("%+s", "a"), ("%s %s", "a"), ("%2$s", "a"), ("%<s", "a"), ("%.2d", 1), ("%-05d", 1), ("%++d", 1), ("%D", 1),
        ("%99999999999d", 1),
    ],
)  # fmt: skip
def test_a_format_that_does_not_fit(pattern: str, value: Any) -> None:
    with pytest.raises(SelRuntimeError):
        evaluate("String.format(f, v)", {"f": pattern, "v": value})
