"""Random expressions against an oracle that is written apart: C's own 64-bit arithmetic, and Python's strings."""

from __future__ import annotations

import ctypes
import math
import operator
from collections.abc import Callable
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel import SelError, evaluate

Plain: TypeAlias = int | float | str | bool
Pair: TypeAlias = tuple[str, Plain | type[SelError]]
"""An expression, and what it gives."""

LONGS = st.integers(-(2**63) + 1, 2**63 - 1) | st.integers(-20, 20)


def c_long(value: int) -> int:
    return ctypes.c_int64(value).value


def c_divide(left: int, right: int) -> int:
    return c_long(int(math.copysign(1, left) * math.copysign(1, right)) * (abs(left) // abs(right)))


def c_remainder(left: int, right: int) -> int:
    return left - right * (abs(left) // abs(right)) * (1 if (left < 0) == (right < 0) else -1)


ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": c_divide, "%": c_remainder,
}  # fmt: skip


def combined(left: Pair, sign: str, right: Pair) -> Pair:
    text = f"({left[0]} {sign} {right[0]})"
    for _, value in (left, right):
        if not isinstance(value, int):
            return text, SelRuntimeError
    if sign in "/%" and right[1] == 0:
        return text, SelRuntimeError
    return text, c_long(ARITHMETIC[sign](left[1], right[1]))  # type: ignore[arg-type]


LONG_EXPRESSIONS: st.SearchStrategy[Pair] = st.recursive(
    LONGS.map(lambda number: (f"({number})", number)),
    lambda inner: (
        st.builds(combined, inner, st.sampled_from(sorted(ARITHMETIC)), inner)
        | inner.map(lambda pair: (f"(-{pair[0]})", c_long(-pair[1]) if isinstance(pair[1], int) else pair[1]))
    ),
    max_leaves=12,
)


def agree(pair: Pair) -> None:
    text, expected = pair
    if isinstance(expected, type):
        try:
            value = evaluate(text)
        except SelRuntimeError:
            return
        raise AssertionError(f"{text} = {value!r}, not an error")
    value = evaluate(text)
    assert (type(value), value) == (type(expected), expected)


@given(LONG_EXPRESSIONS)
def test_longs(pair: Pair) -> None:
    agree(pair)


COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def compared(left: int, sign: str, right: int) -> Pair:
    return f"({left} {sign} {right})", COMPARISONS[sign](left, right)


def both(left: Pair, sign: str, right: Pair) -> Pair:
    value = left[1] and right[1] if sign == "&&" else left[1] or right[1]
    return f"({left[0]} {sign} {right[0]})", value


BOOLEANS: st.SearchStrategy[Pair] = st.recursive(
    st.builds(compared, LONGS, st.sampled_from(sorted(COMPARISONS)), LONGS),
    lambda inner: st.builds(both, inner, st.sampled_from(["&&", "||"]), inner)
    | inner.map(lambda pair: (f"(!{pair[0]})", not pair[1]))
    | st.builds(lambda c, a, b: (f"({c[0]} ? {a[0]} : {b[0]})", a[1] if c[1] else b[1]), inner, inner, inner),
    max_leaves=10,
)  # fmt: skip


@given(BOOLEANS)
def test_booleans(pair: Pair) -> None:
    agree(pair)


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)


@given(TEXTS, TEXTS, TEXTS)
def test_strings(one: str, other: str, third: str) -> None:
    given_ = {"b": other, "c": third}
    start = quoted(one)
    assert evaluate(start) == one
    assert evaluate(f"{start} + b + c", given_) == one + other + third
    assert evaluate(f"{start}.length()") == len(one.encode("utf-16-le")) // 2
    assert evaluate(f"{start}.contains(b)", given_) is (other in one)
    assert evaluate(f"{start}.startsWith(b) == {start}.equals(b)", given_) is (one.startswith(other) == (one == other))
    ordered = (one.encode("utf-16-be") > other.encode("utf-16-be")) - (
        one.encode("utf-16-be") < other.encode("utf-16-be")
    )
    assert evaluate(f"n = {start}.compareTo(b); n > 0 ? 1 : n < 0 ? -1 : 0", given_) == ordered


@given(st.floats(), st.floats())
def test_doubles(left: float, right: float) -> None:
    for sign, expected in (("+", left + right), ("-", left - right), ("*", left * right)):
        value = evaluate(f"a {sign} b", {"a": left, "b": right})
        assert isinstance(value, float)
        assert value == expected or (math.isnan(value) and math.isnan(expected))
    assert evaluate("a < b", {"a": left, "b": right}) is (left < right)
    text = evaluate("'' + a", {"a": left})
    assert isinstance(text, str)
    read_back = evaluate("Double.valueOf(t)", {"t": text})
    assert isinstance(read_back, float)
    assert read_back == left or math.isnan(left)


@given(st.lists(LONGS, max_size=10))
def test_programs_over_arrays(numbers: list[int]) -> None:
    loop = "for (i = 0; i < a.length; i += 1) { if (a[i] % 2 == 0) continue; t += a[i]; }"
    assert evaluate(f"long[] a = xs; t = 0; {loop} t", {"xs": numbers}) == c_long(
        sum(number for number in numbers if number % 2)
    )
