"""Whatever the text: a plain value or a ``SelError``, and never one that reports a defect."""

from __future__ import annotations

import contextlib
import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from maestro_flow.sel import SelError, SelLimits, evaluate, referenced_names
from maestro_flow.sel.functions.all import FUNCTIONS

LIMITS = SelLimits(visits_max=20_000, memory_bytes_max=1_000_000, loop_turns_max=50)
PARAMS: dict[str, object] = {
    "s": "a,b",
    "n": 5,
    "d": 1.5,
    "b": True,
    "xs": [1, 2],
    "ss": ["a", "b"],
    "m": {"k": 1, "j": [1.5]},
    "none": None,
    "e": [],
}

TOKENS = [
    *"+-*/%<>=!?:;,.(){}[]&|^~'\"\\#@$_ \n", "==", "!=", "<=", ">=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "++",
    "0", "1", "9223372036854775807",
    "1.5", "1e400", "0x1", "'a'", '"b"', "'\\u0041'", "'%s'", "'[a'", "true", "false", "null", "if", "else", "for",
    "while", "break", "continue",
    "return", "throw", "new", "int", "long", "double", "boolean", "String", "Map", "DateTime", "DateTimeZone",
    "Math", "Util", "params", "UUID",
    "Days", "import", "//", "/*", "*/", "x", "y", "length", "UTC", *PARAMS, *sorted({name for name, _ in FUNCTIONS}),
]  # fmt: skip

ATOMS = st.sampled_from([
    *PARAMS, "x", "params", "1", "0", "-1", "2147483648", "9223372036854775807", "1.5", "'a'", "''", "'20190101'",
    "'%5d'", "'(a'", "null", "true",
    "new Map()", "new int[2]", "new DateTime(n)", "DateTimeZone.UTC", "DateTimeFormat.forPattern('yyyyMMdd')",
    "String", "Util", "Math", "Days",
    "new DateTime(0).dayOfMonth()", "Long", "DateTime", "UUID.randomUUID()", "'2019-01-01'",
])  # fmt: skip
CALLS = st.sampled_from(sorted(FUNCTIONS))


def called(parts: tuple[str, tuple[str, int], list[str]]) -> str:
    receiver, (name, count), arguments = parts
    return f"({receiver}).{name}({', '.join((arguments * 10)[: min(count, 8)])})"


OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", ">=", "&&", "||"])
TARGETS = st.sampled_from(["x", "s", "n", "xs[0]", "m"])


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions made of smaller ones."""
    return st.one_of(
        st.tuples(inner, CALLS, st.lists(inner, min_size=1, max_size=3)).map(called),
        st.tuples(inner, OPERATORS, inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(inner, inner).map(lambda parts: f"({parts[0]})[{parts[1]}]"),
        st.tuples(inner, inner, inner).map(lambda parts: f"({parts[0]} ? {parts[1]} : {parts[2]})"),
        st.tuples(TARGETS, st.sampled_from(["=", "+=", "-="]), inner).map(lambda parts: f"({' '.join(parts)})"),
    )


EXPRESSIONS = st.recursive(ATOMS, larger, max_leaves=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=10,
)


def outcome(source: str, params: dict[str, object]) -> object:
    """The value, or the error, which must not be one that reports a defect."""
    try:
        return evaluate(source, params, limits=LIMITS)
    except SelError as error:
        if "defect" in str(error):
            raise AssertionError(f"{source!r}: {error}") from error
        return error


def check(source: str) -> None:
    value = outcome(source, PARAMS)
    if not isinstance(value, SelError):
        json.dumps(value)
    with contextlib.suppress(SelError):
        referenced_names(source, limits=LIMITS)


@given(st.text(max_size=80))
@example("'\ud800'")
@example("\\u")
@example("'\\ud800'")
@example("\x00")
def test_any_text(source: str) -> None:
    check(source)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(TOKENS), max_size=25))
def test_any_tokens(tokens: list[str]) -> None:
    check(" ".join(tokens))
    check("".join(tokens))


@settings(max_examples=800)
@given(EXPRESSIONS)
def test_any_expression_over_all_functions(source: str) -> None:
    check(source)
    check(f"for (i = 0; i < 3; i += 1) {{ y = {source}; }} return {source};")


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=10))
def test_any_argument(one: str, other: str, third: str) -> None:
    for call in (
        "a.split(b, n)", "a.replaceAll(b, c)", "String.format(a, b, n)", "new DateTime(a)",
        "DateTimeFormat.forPattern(a).parseDateTime(b)",
        "new DateTime(n).toString(a)", "DateTimeZone.forID(a)", "Util.timeoutForDateIntDeadline(20190101, a)",
        "Util.dateIntToTs(a)",
        "Double.valueOf(a)", "Long.valueOf(a)", "a.escape().toUpperCase().trim().compareTo(b)", "Util.toJson(a)",
    ):  # fmt: skip
        outcome(call, {"a": one, "b": other, "c": third, "n": 5})


@given(VALUES)
def test_any_parameter(value: object) -> None:
    for expression in ("x", "'' + x", "Util.toJson(x)", "x == x", "x + 1", "String.format('%s', x)"):
        outcome(expression, {"x": value})
