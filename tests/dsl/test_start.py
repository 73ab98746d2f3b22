"""The params of a run: what may be given at its start."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.dsl.start import parse_param_text, parse_params
from maestro_flow.errors import DefinitionError
from maestro_flow.model.params import Param, ParamMode, ParamType

DECLARED = {
    "day": Param(ParamType.STRING, "2026-11-22"),
    "count": Param(ParamType.LONG, 3, ParamMode.MUTABLE_ON_START),
    "fixed": Param(ParamType.LONG, 3, ParamMode.CONSTANT),
    "firm": Param(ParamType.STRING, "x", ParamMode.IMMUTABLE),
    "labels": Param(ParamType.STRING_MAP, {"a": "1", "b": "2"}),
    "deep": Param(ParamType.MAP, {"n": 1, "m": {"x": 1.5, "y": "t"}}),
}


def test_without_anything_given_the_definition_counts() -> None:
    assert parse_params(DECLARED, {}) == DECLARED


def test_given_values_are_cast_to_the_declared_type_and_keep_its_mode() -> None:
    params = parse_params(DECLARED, {"count": "5", "day": 2026})
    assert params["count"] == Param(ParamType.LONG, 5, ParamMode.MUTABLE_ON_START)
    assert params["day"].value == "2026"
    assert list(params) == list(DECLARED)


def test_maps_are_merged_key_by_key_and_entries_keep_their_type() -> None:
    params = parse_params(DECLARED, {"labels": {"b": 3, "c": "4"}, "deep": {"m": {"x": 2, "z": [1]}}})
    assert params["labels"].value == {"a": "1", "b": "3", "c": "4"}
    assert params["deep"].value == {"n": 1, "m": {"x": 2.0, "y": "t", "z": [1]}}
    assert DECLARED["deep"].value == {"n": 1, "m": {"x": 1.5, "y": "t"}}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOLEAN"),
        (1, "LONG"),
        (1.5, "DOUBLE"),
        ("$x", "STRING"),
        ([1], "LONG_ARRAY"),
        ((1.5,), "DOUBLE_ARRAY"),
        ({"a": "b"}, "STRING_MAP"),
        ({"a": 1}, "MAP"),
    ],
)
def test_a_param_that_is_not_declared_has_the_type_of_its_value(value: Any, kind: str) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    assert parse_params({}, {"p": value}) == {"p": Param(ParamType(kind), expected)}


def test_a_param_that_may_not_be_changed_may_be_given_as_it_is() -> None:
    assert parse_params(DECLARED, {"fixed": 3, "firm": "x"}) == DECLARED


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fixed": 4}, "params.fixed: the param is CONSTANT and cannot be changed; its value is 3"),
        ({"firm": "y"}, 'params.firm: the param is IMMUTABLE and cannot be changed; its value is "x"'),
        ({"count": "many"}, 'params.count: "many" does not fit the type LONG'),
        ({"labels": [1]}, "params.labels: [1] does not fit the type STRING_MAP"),
        ({"deep": {"m": {"x": "y"}}}, 'params.deep.m.x: "y" does not fit the type DOUBLE'),
        ({"p": None}, "params.p: null is no param"),
        ({"p": {1}}, "params.p: a value of type set cannot be used here"),
        ({"p": 2**64}, "params.p: the number 18446744073709551616 is beyond 64 bits"),
        ({"p": float("inf")}, "params.p: inf is no JSON number"),
        ({"a__b": 1}, "params.a__b: \"a__b\" is not legal: a param name must not contain '__'"),
        ({"p": {1: 2}}, "params.p: the key 1 is not text"),
        ({f"p{n}": n for n in range(129)}, "params: 129 params are given; at most 128 are allowed"),
        ({"p": "x" * 750_001}, "params: the params have 750,"),
    ],
)
def test_what_cannot_be_given(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_params(DECLARED, given)
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("STRING", "5", "5"),
        ("LONG", "5", 5),
        ("BOOLEAN", "true", True),
        ("LONG_ARRAY", "[1, 2]", [1, 2]),
        ("LONG", "five", "five"),
        (None, "5", 5),
        (None, "2026-11-22", "2026-11-22"),
        (None, '"5"', "5"),
        (None, "9" * 5000, "9" * 5000),
        (None, "[" * 100_000, "[" * 100_000),
    ],
)
def test_text_of_the_command_line(kind: str | None, text: str, value: Any) -> None:
    assert parse_param_text(ParamType(kind) if kind else None, text) == value


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner),
)


@given(st.dictionaries(st.sampled_from([*DECLARED, "p", "q"]) | st.text(), ANYTHING, max_size=5))
def test_nothing_but_a_definition_error_comes_of_any_values(values: dict[str, Any]) -> None:
    try:
        params = parse_params(DECLARED, values)
    except DefinitionError:
        return
    assert params.keys() == {**DECLARED, **values}.keys()
