"""Params that are given when a run is started or restarted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.dsl.start import parse_param_text, parse_params, parse_step_params
from maestro_flow.errors import DefinitionError
from maestro_flow.model.definition import TypedStep, WorkflowDefinition
from maestro_flow.model.params import Param, ParamMode, ParamSource, ParamType

DECLARED = {
    "day": Param(ParamType.STRING, "2026-11-22"),
    "count": Param(ParamType.LONG, 3, ParamMode.MUTABLE_ON_START),
    "fixed": Param(ParamType.LONG, 3, ParamMode.CONSTANT),
    "firm": Param(ParamType.STRING, "x", ParamMode.IMMUTABLE),
    "labels": Param(ParamType.STRING_MAP, {"a": "1", "b": "2"}),
    "deep": Param(ParamType.MAP, {"n": 1, "m": {"x": 1.5, "y": Param(ParamType.STRING, "t", ParamMode.CONSTANT)}}),
    "next": Param(ParamType.LONG, expression="count + 1"),
}


def test_without_anything_given_nothing_is_changed() -> None:
    assert parse_params(DECLARED, {}) == {}


def test_plain_values_are_cast_to_the_declared_type() -> None:
    assert parse_params(DECLARED, {"count": "5", "day": 2026, "next": 7.0}) == {
        "count": Param(ParamType.LONG, 5),
        "day": Param(ParamType.STRING, "2026"),
        "next": Param(ParamType.LONG, 7),
    }


def test_entries_of_a_map_keep_their_type_and_only_those_given_are_changes() -> None:
    changes = parse_params(DECLARED, {"labels": {"b": 3, "c": "4"}, "deep": {"m": {"x": 2, "z": [1]}}})
    assert {name: change.plain for name, change in changes.items()} == {
        "labels": {"b": "3", "c": "4"},
        "deep": {"m": {"x": 2.0, "z": [1]}},
    }
    assert repr(changes["deep"].plain) == "{'m': {'x': 2.0, 'z': [1]}}"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, "BOOLEAN"),
        (1, "LONG"),
        (1.5, "DOUBLE"),
        ("x", "STRING"),
        ([1], "LONG_ARRAY"),
        ((1.5,), "DOUBLE_ARRAY"),
        ({"a": "b"}, "STRING_MAP"),
        ({"a": 1}, "MAP"),
    ],
)
def test_a_param_that_is_not_declared_has_the_type_of_its_value(value: Any, kind: str) -> None:
    expected = list(value) if isinstance(value, tuple) else value
    assert parse_params({}, {"p": value}) == {"p": Param(ParamType(kind), expected)}


def test_plain_texts_are_data_and_a_param_is_a_definition() -> None:
    given = {
        "a": "$x",
        "b": ["${x}", "$"],
        "c": {"$k": "$v"},
        "d": {"$k": {"e": "$v", "n": 1}},
        "p": Param(ParamType.STRING, "$x"),
        "q": Param(ParamType.LONG, "${x}"),
        "r": Param(ParamType.LONG, expression="x + 1", mode=ParamMode.CONSTANT),
    }
    changes = parse_params({}, given)
    assert [change.plain for change in changes.values()] == [
        "$$x",
        ["$${x}", "$$"],
        {"$$k": "$$v"},
        {"$k": {"e": "$$v", "n": 1}},
        "$x",
        "${x}",
        None,
    ]
    assert changes["r"] == given["r"]


def test_a_param_that_may_not_be_changed_may_be_given_as_it_is() -> None:
    assert parse_params(DECLARED, {"fixed": 3, "firm": "x"}).keys() == {"fixed", "firm"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fixed": 4}, "params.fixed: it is CONSTANT and cannot be changed at a start; its value is 3, not 4"),
        ({"firm": "y"}, 'params.firm: it is IMMUTABLE and cannot be changed at a start; its value is "x", not "y"'),
        ({"deep": {"m": {"y": "u"}}}, "params.deep.m.y: it is CONSTANT and cannot be changed at a start"),
        ({"count": "many"}, 'params.count: "many" does not fit the type LONG'),
        ({"count": "${day}"}, 'params.count: "${day}" does not fit the type LONG'),
        ({"labels": [1]}, "params.labels: [1] does not fit the type STRING_MAP"),
        ({"deep": {"m": {"x": "y"}}}, 'params.deep.m.x: "y" does not fit the type DOUBLE'),
        ({"p": None}, "params.p: null is not a valid param"),
        ({"p": {1}}, "params.p: a value of type set cannot be used here"),
        ({"p": 2**64}, "params.p: the number 18446744073709551616 does not fit in 64 bits"),
        ({"p": float("inf")}, "params.p: inf is not a valid JSON number"),
        ({"a__b": 1}, "params.a__b: \"a__b\" is not legal: a param name must not contain '__'"),
        ({"p": {1: 2}}, "params.p: the key 1 is not text"),
        ({"p": Param(ParamType.LONG)}, "params.p: a param has either a value or an expression"),
        ({"p": Param(ParamType.LONG, 1, expression="1")}, "params.p: a param has either a value or an expression"),
        ({"p": Param(ParamType.LONG, "x")}, 'params.p: "x" does not fit the type LONG'),
        ({"p": Param(ParamType.LONG, expression="1 +")}, 'params.p.expression: "1 +" is not SEL: '),
        ({"p": Param("LONG", 1)}, "params.p: expected a ParamType and a ParamMode"),  # type: ignore[arg-type]
        ({"count": Param(ParamType.STRING, "x")}, 'params.count: a change "x" does not fit the type LONG'),
        (
            {"firm": Param(ParamType.STRING, "x", ParamMode.MUTABLE_ON_START)},
            "params.firm: it is IMMUTABLE and cannot become MUTABLE_ON_START, which is looser",
        ),
        ({f"p{n}": n for n in range(129)}, "params: 129 params were given; at most 128 are allowed"),
        ({"p": "x" * 750_001}, "params: the params have 750,"),
    ],
)
def test_what_cannot_be_given(given: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_params(DECLARED, given)
    assert str(refused.value).startswith(message)


def test_a_restart_may_change_less_than_a_start() -> None:
    with pytest.raises(DefinitionError, match=r"params\.count: it is MUTABLE_ON_START and .* changed at a restart"):
        parse_params(DECLARED, {"count": 4}, ParamSource.RESTART)
    assert parse_params(DECLARED, {"day": "x"}, ParamSource.RESTART) == {"day": Param(ParamType.STRING, "x")}


WORKFLOW = WorkflowDefinition("w", (TypedStep("load", "NoOp", params=DECLARED),))


def test_params_of_steps() -> None:
    assert parse_step_params(WORKFLOW, {"load": {"count": "5", "new": "$"}}) == {
        "load": {"count": Param(ParamType.LONG, 5), "new": Param(ParamType.STRING, "$$")}
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"laod": {}}, "step_params.laod: there is no step \"laod\" (did you mean 'load'?)"),
        ({"load": {"fixed": 4}}, "step_params.load.fixed: it is CONSTANT and cannot be changed at a start"),
        ({"load": [1]}, "step_params.load: expected a mapping of names to values, got [1]"),
        ([1], "step_params: expected a mapping of step ids to params, got [1]"),
    ],
)
def test_params_of_steps_that_cannot_be_given(given: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse_step_params(WORKFLOW, given)
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
        changes = parse_params(DECLARED, values)
    except DefinitionError:
        return
    assert changes.keys() == values.keys()
