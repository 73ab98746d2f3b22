"""Params of definitions: short and full forms, types and casts, modes, names, references."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.dsl.parse import parse_definition
from maestro_flow.errors import DefinitionError
from maestro_flow.model.params import Param, ParamMode, ParamType
from tests.dsl.documents import parse, request, step


def param(given: Any) -> Param:
    return parse(params={"p": given}).definition.params["p"]


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        ("a", "STRING"),
        (1, "LONG"),
        (1.5, "DOUBLE"),
        (True, "BOOLEAN"),
        (["a"], "STRING_ARRAY"),
        ([], "STRING_ARRAY"),
        ([1, 2], "LONG_ARRAY"),
        ([1.5], "DOUBLE_ARRAY"),
        ([True], "BOOLEAN_ARRAY"),
        ({"a": "b"}, "STRING_MAP"),
        ({}, "STRING_MAP"),
        ({"a": 1, "b": {"c": [True]}}, "MAP"),
        ({"type": "truck", "wheels": "4"}, "STRING_MAP"),
        ({"value": "x", "price": "4"}, "STRING_MAP"),
        ({"value": 3, "price": 4}, "MAP"),
    ],
)
def test_short_forms_have_the_type_of_their_value(literal: Any, kind: str) -> None:
    assert param(literal) == Param(ParamType(kind), literal)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("STRING", "a", "a"),
        ("STRING", 5, "5"),
        ("STRING", 1.5, "1.5"),
        ("STRING", True, "true"),
        ("LONG", "15", 15),
        ("lOnG", 15.0, 15),
        ("LONG", "-9223372036854775808", -(2**63)),
        ("DOUBLE", 1, 1.0),
        ("DOUBLE", "1e3", 1000.0),
        ("BOOLEAN", "True", True),
        ("BOOLEAN", "false", False),
        ("STRING_ARRAY", ["a", 1], ["a", "1"]),
        ("LONG_ARRAY", ["1", 2], [1, 2]),
        ("DOUBLE_ARRAY", [1, "2.5"], [1.0, 2.5]),
        ("BOOLEAN_ARRAY", ["true", False], [True, False]),
        ("STRING_MAP", {"a": 1}, {"a": "1"}),
        ("MAP", {"a": 1, "b": {"c": "d"}}, {"a": 1, "b": {"c": "d"}}),
        ("MAP", {"a": {"value": "7", "type": "LONG"}}, {"a": 7}),
        ("MAP", {"m": {"value": {"x": {"value": ["1"], "type": "long_array"}}, "type": "MAP"}}, {"m": {"x": [1]}}),
    ],
)
def test_a_value_is_cast_to_its_declared_type(kind: str, given: Any, value: Any) -> None:
    read = param({"type": kind, "value": given})
    assert read == Param(ParamType(kind.upper()), value)
    assert repr(read.value) == repr(value)


def test_a_mode_in_any_case() -> None:
    assert param({"type": "LONG", "value": 1, "mode": "constant"}).mode is ParamMode.CONSTANT


def test_a_full_form_without_a_type_has_the_type_of_its_value() -> None:
    assert param({"value": [1]}) == Param(ParamType.LONG_ARRAY, [1])
    assert param({"value": 1, "mode": "IMMUTABLE"}) == Param(ParamType.LONG, 1, ParamMode.IMMUTABLE)


def test_a_map_keeps_the_types_of_its_entries_in_what_is_stored() -> None:
    entries = {"a": {"value": 1, "type": "LONG", "mode": "CONSTANT"}}
    loaded = parse(params={"m": {"value": entries, "type": "MAP"}})
    assert loaded.definition.stored == {"workflow": {"params": {"m": {"value": entries}}}}
    assert loaded.warnings == (
        "workflow.params.m.value.a.mode: stored, but not acted on: the mode of the whole MAP counts",
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5$", "5$"),
        ("$5", "$5"),
        ("a$$b", "a$b"),
        ("$$name", "$name"),
        ("$${name}", "${name}"),
        ("$$$$", "$$"),
        ("${9}", "${9}"),
        ("${", "${"),
        ("$_a", "$_a"),
    ],
)
def test_dollars_that_are_no_references(text: str, value: str) -> None:
    assert param(text).value == value
    assert param([text]).value == [value]
    assert param({text: text}).value == {value: value}
    assert param({"type": "MAP", "value": {"a": {"type": "STRING", "value": text}}}).value == {"a": value}


LITERALS = "expected text, a number, true, false, a list with one type of these, or an object"
P = "workflow.params.p"

REFUSED = [
    (
        {"expression": "1 + 1", "type": "LONG"},
        f"{P}.expression: not supported yet: expressions; compute the value in a",
    ),
    ({"expression": "1 + 1"}, f"{P}.expression: not supported yet: expressions"),
    ({"type": "MAP", "value": {"a": {"expression": "1"}}}, f"{P}.value.a.expression: not supported yet: expressions"),
    ({"type": "LONG"}, f"{P}: a param needs a value"),
    ({"type": "LONG", "value": None}, f"{P}: a param needs a value"),
    ({"type": "LNG", "value": 1}, f"{P}.type: unknown type \"LNG\" (did you mean 'LONG'?); the types are STRING, LONG"),
    ({"type": ["LONG"], "value": 1}, f'{P}.type: unknown type ["LONG"]; the types are STRING'),
    (
        {"value": 1, "mode": "CONST"},
        f"{P}.mode: unknown mode \"CONST\" (did you mean 'CONSTANT'?); the modes are MUTABLE",
    ),
    ({"type": "LONG", "value": 1, "vlidator": ""}, f"{P}.vlidator: unknown field (did you mean 'validator'?)"),
    ({"type": "LONG", "value": "abc"}, f'{P}.value: "abc" does not fit the type LONG'),
    ({"type": "LONG", "value": 1.5}, f"{P}.value: 1.5 does not fit the type LONG"),
    ({"type": "LONG", "value": True}, f"{P}.value: true does not fit the type LONG"),
    ({"type": "LONG", "value": "9223372036854775808"}, f'{P}.value: "9223372036854775808" does not fit the type LONG'),
    ({"type": "LONG", "value": 1e300}, f"{P}.value: 1e+300 does not fit the type LONG"),
    ({"type": "LONG", "value": [1]}, f"{P}.value: [1] does not fit the type LONG"),
    ({"type": "DOUBLE", "value": "1e999"}, f'{P}.value: "1e999" does not fit the type DOUBLE'),
    ({"type": "DOUBLE", "value": False}, f"{P}.value: false does not fit the type DOUBLE"),
    ({"type": "BOOLEAN", "value": 1}, f"{P}.value: 1 does not fit the type BOOLEAN"),
    ({"type": "BOOLEAN", "value": "yes"}, f'{P}.value: "yes" does not fit the type BOOLEAN'),
    ({"type": "STRING", "value": {}}, f"{P}.value: {{}} does not fit the type STRING"),
    ({"type": "STRING_ARRAY", "value": "a"}, f'{P}.value: "a" does not fit the type STRING_ARRAY'),
    ({"type": "LONG_ARRAY", "value": [1, "x"]}, f'{P}.value[1]: "x" does not fit the type LONG'),
    ({"type": "LONG_ARRAY", "value": [None]}, f"{P}.value[0]: null does not fit the type LONG"),
    ({"type": "STRING_MAP", "value": {"a": ["b"]}}, f'{P}.value.a: ["b"] does not fit the type STRING'),
    ({"type": "MAP", "value": []}, f"{P}.value: [] does not fit the type MAP"),
    ({"type": "MAP", "value": {"a": {"type": "LONG", "value": "x"}}}, f'{P}.value.a.value: "x" does not fit the type'),
    (None, f"{P}: null is no param; {LITERALS}"),
    ([1, "a"], f'{P}: [1, "a"] is no param; {LITERALS}'),
    ([[1]], f"{P}: [[1]] is no param; {LITERALS}"),
    ({"a": None}, f'{P}: {{"a": null}} is no param; {LITERALS}'),
    (
        "run $day",
        f'{P}: not supported yet: the text "run $day" refers to the param $day; write $$day for the text itself',
    ),
    (
        ["${a.b/c-d}"],
        f'{P}[0]: not supported yet: the text "${{a.b/c-d}}" refers to the param ${{a.b/c-d}}; write $${{a',
    ),
    ({"$k": "v"}, f'{P}: not supported yet: the text "$k" refers to the param $k'),
    ({"a": "$$$v"}, f'{P}.a: not supported yet: the text "$$$v" refers to the param $v; write $$v for the text itself'),
    (
        {"type": "MAP", "value": {"a": {"type": "STRING", "value": "$x"}}},
        f"{P}.value.a.value: not supported yet: the text",
    ),
]


@pytest.mark.parametrize(("given", "message"), REFUSED, ids=[message[:70] for _, message in REFUSED])
def test_a_param_is_refused_with_its_place_and_the_reason(given: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(params={"p": given})
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "expected a non-empty text"),
        ("1a", "a param name starts with a letter or '_'"),
        ("a b", "a param name starts with a letter or '_', and goes on with letters, digits, '.', '-' and '_'"),
        ("a__b", "a param name must not contain '__'"),
        ("maestro_a", "reserved"),
        ("params", "the param name 'params' is reserved; choose another one"),
        ("AUTH_DATA", "the param name 'AUTH_DATA' is reserved"),
        ("n" * 129, "has 129 characters; at most 128 are allowed"),
    ],
)
def test_illegal_names(name: str, problem: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(params={name: 1})
    assert problem in refused.value.problem


def test_the_place_of_a_step_param() -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(step("a"), step("b", params={"n": {"type": "LONG", "value": "x"}}))
    assert refused.value.path == "workflow.steps[1].step.params.n.value"


def test_the_size_of_all_params_is_limited() -> None:
    big = {f"p{number}": "x" * 10_000 for number in range(76)}
    for document in (request(params=big), request(step(params=big))):
        with pytest.raises(DefinitionError, match="characters as JSON; at most 750,000 are allowed"):
            parse_definition(document)
