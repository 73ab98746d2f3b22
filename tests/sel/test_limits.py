"""Every resource runs out with an error, soon, and with nothing broken afterwards."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from maestro_flow.errors import SelLimit, SettingsError
from maestro_flow.sel import SelLimits, evaluate


@pytest.mark.parametrize(
    ("limit", "value", "expression"),
    [
        ("source_chars_max", 10, "12345678901"),
        ("depth_max", 5, "-(-(-(-(-1))))"),
        ("depth_max", 5, "if (true) { if (true) { if (true) { 1; } } }"),
        ("depth_max", 5, "m = new Map(); m.put('m', m); '' + m"),
        ("depth_max", 5, "m = new Map(); m.put('m', m); m"),
        ("visits_max", 100, "x = 0; for (i = 0; i < 50; i += 1) x += i; x"),
        ("visits_max", 100, "'a'.replaceAll('(a|b|c|d|e|f)*g', '')"),
        ("loop_turns_max", 10, "while (true) 1;"),
        ("loop_turns_max", 10, "for (i = 0; i < 11; i += 1) 1;"),
        ("array_items_max", 10, "new int[11]"),
        ("array_items_max", 3, "new int[]{1, 2, 3, 4};"),
        ("array_items_max", 10, "Util.intsBetween(0, 11, 1)"),
        ("array_items_max", 10, "Util.dateIntsBetween(20190101, 20190201, 1)"),
        ("array_items_max", 3, "'a,b,c,d'.split(',')"),
        ("string_chars_max", 10, "'abcdef' + 'abcdef'"),
        ("string_chars_max", 10, "s = 'abcdef'; s += s"),
        ("string_chars_max", 10, "'abc'.replace('', 'abc')"),
        ("string_chars_max", 10, "'abc'.replaceAll('', 'abc')"),
        ("string_chars_max", 10, "String.join('abcdef', 'a', 'b', 'c')"),
        ("string_chars_max", 10, "String.format('%20d', 1)"),
        ("string_chars_max", 10, "String.format('%.20f', 1.0)"),
        ("string_chars_max", 10, "String.valueOf(new DateTime())"),
        ("string_chars_max", 10, "'aaaaa\\n\\n\\n\\n\\n'.escape()"),
        ("memory_bytes_max", 1000, "s = ''; for (i = 0; i < 100; i += 1) s = s + 'a'; s"),
        ("memory_bytes_max", 1000, "m = new Map(); for (i = 0; i < 100; i += 1) m.put('' + i, i); m"),
        ("memory_bytes_max", 1000, "Util.intsBetween(0, 100, 1)"),
    ],
)
def test_each_limit(limit: str, value: int, expression: str) -> None:
    with pytest.raises(SelLimit, match=limit):
        evaluate(expression, limits=SelLimits(**{limit: value}))


@pytest.mark.parametrize(
    "expression",
    [
        "(" * 10_000_000,
        "(" * 9_999,
        "(" * 4_000 + "1" + ")" * 4_000,
        "!" * 9_000 + "true",
        "x=" * 4_000 + "1",
        "1 ? " * 2_000 + "1" + " : 1" * 2_000,
        "if(true)" * 1_200 + "1;",
        "if(false)1;else " * 600 + "1;",
        "{" * 4_000 + "}" * 4_000,
        "a[" * 3_000 + "1" + "]" * 3_000,
        "f(" * 3_000,
        "new String(" * 900 + ")" * 900,
        "'a'" + ".trim()" * 1_400,
        "1" + "+1" * 4_900,
        "'" + "\\" * 9_990,
        "/*" + "*" * 9_990,
        "1" * 9_999,
        "1" * 9_990 + ".5e",
        '"' * 9_999,
    ],
    ids=lambda text: f"{text[:12]}...{len(text)}",
)
def test_texts_made_to_break_a_parser(expression: str) -> None:
    try:
        evaluate(expression, limits=SelLimits(visits_max=100_000))
    except Exception as error:  # noqa: BLE001 - which error is not the point here, but that it is one of ours
        assert type(error).__name__ in {"SelLimit", "SelSyntax", "SelTypeError"}  # noqa: PT017
        assert "defect" not in str(error)  # noqa: PT017


def test_long_flat_texts_are_no_deep_ones() -> None:
    assert evaluate("1" + "+1" * 4_000) == 4_001
    assert evaluate("'a'" + ".trim()" * 1_000) == "a"
    assert evaluate("x = 1; " + "if (x == 0) 1; else " * 300 + "return 5;") == 5
    assert evaluate("false ? 1 : " * 500 + "7") == 7


@pytest.mark.parametrize(
    "expression",
    [
        "s='aaaaaaaaaa'; for(i=0;i<40;i+=1) s+=s; s",
        "s='a'; for(i=0;i<40;i+=1) s=s+s; s",
        "Util.intsBetween(0, 2000000000, 1)",
        "new int[2000000000]",
        "String.format('%999999999d', 1)",
        "String.format('%.999999999f', 1.0)",
        "s='a'; for(i=0;i<18;i+=1) s+=s; s.replace('', s)",
        "m=new Map(); m.put('a',1); for(i=0;i<90;i+=1){n=new Map(); n.put('l',m); n.put('r',m); m=n;} ''+m",
        "m=new Map(); m.put('a',1); for(i=0;i<90;i+=1){n=new Map(); n.put('l',m); n.put('r',m); m=n;} m",
    ],
)
def test_small_texts_with_huge_results(expression: str) -> None:
    with pytest.raises(SelLimit):
        evaluate(expression)


@pytest.mark.parametrize(
    "call",
    [
        "s.contains('b' + s)", "s.lastIndexOf('b' + s)", "Double.valueOf(s + 'x')", "Long.valueOf(s)",
        "s.split('(a|a)*b')",
        "s.replaceAll('(a+)+b', '')", "s.compareTo(s)", "new DateTime(s)", "DateTimeZone.forID(s)",
        "DateTimeFormat.forPattern(s)",
        "DateTimeFormat.forPattern('yyyy').parseDateTime(s)", "Util.timeoutForDateIntDeadline(20190101, s)",
        "Util.dateIntToTs(s)",
        "String.format(s)", "s.toUpperCase()", "new Boolean(s)",
    ],
)  # fmt: skip
def test_no_call_on_a_long_string_takes_long(call: str) -> None:
    """Each would take minutes in quadratic time; the suite's own timeout is what would tell."""
    try:
        evaluate(f"s='a'; for(i=0;i<18;i+=1) s+=s; {call}; 1", limits=SelLimits(visits_max=1_000_000))
    except Exception as error:  # noqa: BLE001
        assert type(error).__name__ in {"SelLimit", "SelRuntimeError"}  # noqa: PT017
        assert "defect" not in str(error)  # noqa: PT017


def test_python_recursion_is_a_limit_too() -> None:
    def deeper(levels: int) -> object:
        return (
            evaluate("((1 + (2 * (3 - (4 + (5))))))" + " + (1 - (2 * (3)))" * 3) if levels == 0 else deeper(levels - 1)
        )

    kept = sys.getrecursionlimit()
    frames, frame = 0, sys._getframe()
    while frame.f_back is not None:
        frames, frame = frames + 1, frame.f_back
    room = kept - frames
    outcomes = set()
    for left in range(10, 60):
        try:
            outcomes.add(type(deeper(room - left)))
        except SelLimit:
            outcomes.add(SelLimit)
        except RecursionError:  # before SEL was even called
            continue
    assert outcomes <= {int, SelLimit}
    assert SelLimit in outcomes


def test_a_limit_leaves_the_evaluator_as_it_was() -> None:
    for _ in range(3):
        with pytest.raises(SelLimit):
            evaluate("while (true) 1;")
        assert evaluate("1 + 1") == 2


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "10", 10**12])
def test_a_limit_is_a_whole_number(wrong: Any) -> None:
    with pytest.raises(SettingsError, match="loop_turns_max"):
        SelLimits(loop_turns_max=wrong)


def test_limits_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        SelLimits().depth_max = 7  # type: ignore[misc]
