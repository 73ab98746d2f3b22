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
    assert (read.type, read.mode) == (ParamType(kind.upper()), ParamMode.MUTABLE)
    assert repr(read.plain) == repr(value)


def test_a_mode_in_any_case() -> None:
    assert param({"type": "LONG", "value": 1, "mode": "constant"}).mode is ParamMode.CONSTANT


def test_a_full_form_without_a_type_has_the_type_of_its_value() -> None:
    assert param({"value": [1]}) == Param(ParamType.LONG_ARRAY, [1])
    assert param({"value": 1, "mode": "IMMUTABLE"}) == Param(ParamType.LONG, 1, ParamMode.IMMUTABLE)


def test_the_entries_of_a_map_are_params_of_their_own() -> None:
    entries = {"a": {"value": "1", "type": "LONG", "mode": "CONSTANT"}, "b": {"expression": "n + 1", "type": "LONG"}}
    loaded = parse(params={"n": 1, "m": {"value": entries | {"c": "x", "d": {"e": 2}}, "type": "MAP"}})
    assert loaded.definition.params["m"].value == {
        "a": Param(ParamType.LONG, 1, ParamMode.CONSTANT),
        "b": Param(ParamType.LONG, expression="n + 1"),
        "c": Param(ParamType.STRING, "x"),
        "d": Param(ParamType.MAP, {"e": Param(ParamType.LONG, 2)}),
    }
    assert (loaded.definition.stored, loaded.warnings) == ({}, ())


def test_what_is_only_stored_of_an_entry_is_found_at_its_name() -> None:
    entries = {"a": {"value": 1, "type": "LONG", "source": "LAUNCH"}}
    loaded = parse(params={"m": {"value": entries, "type": "MAP", "name": "m"}})
    stored = {"name": "m", "value": {"a": {"source": "LAUNCH"}}}
    assert loaded.definition.stored == {"workflow": {"params": {"m": stored}}}


def test_an_expression() -> None:
    read = param({"type": "long", "expression": "params['x'] + y;", "mode": "immutable"})
    assert read == Param(ParamType.LONG, mode=ParamMode.IMMUTABLE, expression="params['x'] + y;")


@pytest.mark.parametrize("text", ["5$", "a$$b", "$x", "${a.b/c-d} and $y", "${"])
def test_texts_stay_as_they_are_until_they_are_evaluated(text: str) -> None:
    assert param(text).value == text
    assert param([text]).value == [text]
    assert param({text: text}).value == {text: text}
    assert param({"type": "MAP", "value": {"a": {"type": "STRING", "value": text}}}).plain == {"a": text}


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("LONG", "${x}"),
        ("DOUBLE", "1.$x"),
        ("BOOLEAN", "$x"),
        ("LONG_ARRAY", "${xs}"),
        ("LONG_ARRAY", ["1", "${x}", 2]),
        ("STRING_ARRAY", "$xs"),
        ("STRING_MAP", "$m"),
        ("MAP", "$m"),
    ],
)
def test_a_reference_may_stand_for_a_value_of_any_type(kind: str, given: Any) -> None:
    expected = [1, "${x}", 2] if isinstance(given, list) else given
    assert param({"type": kind, "value": given}) == Param(ParamType(kind), expected)


def test_params_that_need_each_other() -> None:
    circle = {"a": "$b", "b": {"type": "LONG", "expression": "1 + c"}, "c": {"d": {"e": "${a}"}}, "free": "$a"}
    for document in (request(params=circle), request(step(params=circle))):
        with pytest.raises(DefinitionError, match=r"params\.a: the param depends on itself: a -> b -> c -> a$"):
            parse_definition(document)


def test_a_param_that_reads_its_own_name() -> None:
    with pytest.raises(DefinitionError, match=r"workflow\.params\.a: the param depends on itself: a -> a"):
        parse(params={"a": "${a}"})
    assert parse(step(params={"a": "${a}"})).definition.steps[0].params["a"].value == "${a}"  # that of the run


def test_a_long_circle_is_told_by_its_ends_and_a_long_chain_is_none() -> None:
    chain = {f"p{n}": f"${{p{n + 1}}}" for n in range(10_000)}
    assert len(parse(params=chain).definition.params) == 10_000
    with pytest.raises(DefinitionError, match=r"p0 -> p1 -> .* -> \.\.\. 9990 more \.\.\. -> .* -> p10000 -> p0$"):
        parse(params=chain | {"p10000": "$p0"})


LITERALS = "expected text, a number, true, false, a list with one type of these, or an object"
P = "workflow.params.p"

REFUSED = [
    ({"expression": "1 + 1"}, f"{P}: an expression needs the type of its value: add the field 'type'"),
    (
        {"expression": "1", "value": 1, "type": "LONG"},
        f"{P}: a param has either a value or an expression; remove one of them",
    ),
    ({"expression": 1, "type": "LONG"}, f"{P}.expression: expected a SEL expression as text, got 1"),
    ({"expression": " ; ", "type": "LONG"}, f'{P}.expression: expected a SEL expression as text, got " ; "'),
    ({"expression": "1 +", "type": "LONG"}, f'{P}.expression: "1 +" is not SEL: '),
    ({"expression": "x" * 10_001, "type": "LONG"}, f'{P}.expression: "xxx'),
    ({"type": "MAP", "value": {"a": {"expression": "(", "type": "LONG"}}}, f'{P}.value.a.expression: "(" is not SEL'),
    ({"type": "LONG"}, f"{P}: a param needs a value or an expression"),
    ({"type": "LONG", "value": None}, f"{P}: a param needs a value or an expression"),
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
    (None, f"{P}: null is not a valid param; {LITERALS}"),
    ([1, "a"], f'{P}: [1, "a"] is not a valid param; {LITERALS}'),
    ([[1]], f"{P}: [[1]] is not a valid param; {LITERALS}"),
    ({"a": None}, f'{P}: {{"a": null}} is not a valid param; {LITERALS}'),
    ({"type": "LONG_ARRAY", "value": "[1]"}, f'{P}.value: "[1]" does not fit the type LONG_ARRAY'),
    ({"type": "LONG", "value": "$$x"}, f'{P}.value: "$$x" does not fit the type LONG'),
]


@pytest.mark.parametrize(("given", "message"), REFUSED, ids=[message[:70] for _, message in REFUSED])
def test_a_param_is_refused_with_its_place_and_the_reason(given: Any, message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(params={"p": given})
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "expected non-empty text"),
        ("1a", "a param name starts with a letter or '_'"),
        ("a b", "a param name starts with a letter or '_', and contains only letters, digits, '.', '-' and '_'"),
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
