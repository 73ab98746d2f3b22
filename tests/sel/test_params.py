"""What comes in and goes out: parameters, the host's functions, results, and names that an expression needs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from attrs import define, field

from maestro_flow.clock import Environment, ManualClock
from maestro_flow.errors import SelLimit, SelRuntimeError, SelTypeError
from maestro_flow.sel import PARAM_FUNCTIONS, SelError, evaluate, referenced_names
from tests.sel.rows import Row, table


@table(
    ("evaluation tests", "params['foo'];", "bar", {"foo": "bar"}),
    ("evaluation tests", "params['ab'];", None),
    ("SelParamsTest", "params.foo + params.get('foo') + foo", "barbarbar", {"foo": "bar"}),
    ("SelParamsTest", "params.containsKey('foo') && !params.containsKey('x')", True, {"foo": None}),
    ("SelParamsTest", "params.get(1)", SelTypeError),
    ("SelParams", "params.put('a', 1)", SelTypeError),
    ("SelParams", "params = 1", SelTypeError),
    ("SelParams", "'' + params", SelTypeError),
    ("SelTypeUtil", "Math", SelTypeError, {"Math": 1}),
    ("SelTypeUtil", "params.Math", 1, {"Math": 1}),
    ("SelTypeUtil", "long[] a = xs; a", [], {"xs": []}),
    ("SelTypeUtil", "double[] a = xs; a", [1.0, 2.5], {"xs": [1, 2.5]}),
    ("SelTypeUtil", "String[] a = xs; a[1] == null", True, {"xs": ["a", None]}),
    ("SelTypeUtil", "x", SelTypeError, {"x": [[1]]}),
    ("SelTypeUtil", "x", SelTypeError, {"x": [1, "a"]}),
    ("SelTypeUtil", "x", SelTypeError, {"x": [True, 1]}),
    ("SelTypeUtil", "x", SelTypeError, {"x": {1: 2}}),
    ("SelMapTest", "x", SelTypeError, {"x": {"a": None}}),
    ("SelTypeUtil", "x", SelTypeError, {"x": 2**63}),
    ("SelTypeUtil", "x", SelTypeError, {"x": datetime(2020, 1, 1, tzinfo=UTC)}),
    ("SelTypeUtil", "x", SelTypeError, {"x": b"a"}),
    ("5.1 lazily", "1", 1, {"x": object()}),
)
def test_params(row: Row) -> None:
    row.check()


def test_a_result_is_made_of_plain_values() -> None:
    expression = "m = new Map(); m.put('a', new long[]{1}); m.put('b', x); m.put('c', 1.5); m.put('d', true); m"
    assert evaluate(expression, {"x": "😀"}) == {"a": [1], "b": "😀", "c": 1.5, "d": True}


@pytest.mark.parametrize(
    "expression", ["DateTimeZone.UTC", "Days.daysBetween(new DateTime(), new DateTime())", "String", "params"]
)
def test_a_result_that_only_expressions_know_is_an_error(expression: str) -> None:
    with pytest.raises(SelTypeError):
        evaluate(expression)


def test_nothing_reaches_the_callers_objects() -> None:
    """The original's isolation tests."""
    given: dict[str, Any] = {"cfg": {"k": "original"}, "xs": [1, 2, 3]}
    evaluate(
        "params.get('cfg').put('k', 'x'); cfg.put('k', 'y'); long[] a = params.get('xs'); a[0] = 99; xs[1] = 7;", given
    )
    assert given == {"cfg": {"k": "original"}, "xs": [1, 2, 3]}
    result = evaluate("xs", given)
    assert result == given["xs"]
    assert result is not given["xs"]


def test_an_evaluation_leaves_nothing_behind() -> None:
    assert evaluate("x = 5; return x;") == 5
    assert evaluate("return x;") is None
    with pytest.raises(SelError):
        evaluate("Long = 5; Long")
    assert evaluate("Long.valueOf('7')") == 7


class Text(StrEnum):
    A = "a"


class Number(int):
    def __repr__(self) -> str:
        raise AssertionError("an expression made a subclass speak")


def test_subclasses_are_not_trusted() -> None:
    for value in (Text.A, Number(5), {"a": Text.A}, [Number(1)]):
        with pytest.raises(SelTypeError):
            evaluate("'' + x", {"x": value})


def test_a_parameter_that_contains_itself_is_too_deep() -> None:
    endless: dict[str, object] = {}
    endless["self"] = endless
    with pytest.raises(SelLimit):
        evaluate("x.size()", {"x": endless})


class Broken(Mapping[str, object]):
    """A mapping whose values cannot be had."""

    def __getitem__(self, key: str) -> object:
        raise OSError(f"no {key}")

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_what_the_host_raises_is_an_error_of_the_expression() -> None:
    with pytest.raises(SelRuntimeError, match="'x': OSError: no x"):
        evaluate("x", Broken())


@define
class Run:
    """A host that notes what it was asked."""

    answer: object = None
    asked: list[tuple[str, tuple[str, ...]]] = field(factory=list)

    def call(self, function: str, arguments: tuple[str, ...]) -> object:
        self.asked.append((function, arguments))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(("name", "count"), PARAM_FUNCTIONS)
def test_functions_of_the_host(name: str, count: int) -> None:
    run = Run([1, 2])
    arguments = ("step1", "é😀", "c")[:count]
    assert evaluate(f"params.{name}({', '.join(map(repr, arguments))})", functions=run) == [1, 2]
    assert run.asked == [(name, arguments)]


@pytest.mark.parametrize(
    ("expression", "answer", "error"),
    [
        ("params.getFromStep('a', 'b')", KeyError("no such step"), SelRuntimeError),
        ("params.getFromStep('a', 'b')", SelTypeError("mine"), SelTypeError),
        ("params.getFromStep('a', 'b')", object(), SelTypeError),
        ("params.getFromStep('a', 1)", 1, SelTypeError),
        ("params.getFromStep('a', 'b', 'c')", 1, SelTypeError),
        ("params.getFromForeach('a', 'b', 'c')", 1, SelTypeError),
        ("params.call('a', 'b')", 1, SelTypeError),
        ("params.getFromElsewhere('a')", 1, SelTypeError),
        ("for (i = 0; i < 20000; i += 1) params.nextUniqueId(); 1", 1, SelLimit),
    ],
)
def test_functions_of_the_host_that_fail(expression: str, answer: object, error: type[SelError]) -> None:
    with pytest.raises(error):
        evaluate(expression, functions=Run(answer))


def test_without_a_host_there_is_nobody_to_ask() -> None:
    with pytest.raises(SelRuntimeError, match=r"params\.getFromStep"):
        evaluate("params.getFromStep('a', 'b')")


def test_chance_and_time_can_be_given() -> None:
    def value() -> object:
        expression = "'' + Math.random() + UUID.randomUUID() + System.currentTimeMillis()"
        return evaluate(expression, environment=Environment(ManualClock(0.007), random.Random(1)))

    assert value() == value()
    assert str(value()).endswith("7")


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("int x = 1;", set()), ("x.length;", {"x"}), ("params.get('foo');", set()), ("a + b * a", {"a", "b"}),
        ("x = y; x", {"y"}),
        ("x += 1", set()), ("x; x = 1", {"x"}), ("int i = n; for (j = i; j < m; j += s) t = j;", {"n", "m", "s"}),
        ("if (c) return d; else throw e;", {"c", "d", "e"}),
        ("new Integer(k) + a[i] + f.g(h) + (p ? q : -r)", set("kaifhpqr")),
        ("Math.max(lo, hi)", {"lo", "hi"}), ("xs[i] = v", {"i", "v"}), ("new int[n]", {"n"}),
        ("new int[]{u, w};", {"u", "w"}),
    ],
)  # fmt: skip
def test_names_that_an_expression_needs(expression: str, names: set[str]) -> None:
    """As the original's validator tells them."""
    assert referenced_names(expression) == names


def test_names_of_an_invalid_expression() -> None:
    with pytest.raises(SelError):
        referenced_names("1 +")
    with pytest.raises(SelLimit):
        referenced_names("x" * 20_000)
