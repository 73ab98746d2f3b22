"""Params that a step type declares: cast, defaulted and refused, by name and with the value."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow import ParamSpec, ParamType
from maestro_flow.errors import ParamError
from maestro_flow.model.params import Param
from maestro_flow.steps.declared import declaration_problems, with_declared

SPECS = (
    ParamSpec("name", ParamType.STRING, required=True, description="the person to greet"),
    ParamSpec("times", ParamType.LONG, default=1),
    ParamSpec("wait_s", ParamType.DOUBLE),
    ParamSpec("rows", ParamType.LONG_ARRAY),
    ParamSpec("options", ParamType.MAP, default={"loud": True}),
)


def test_values_have_their_types_and_defaults_and_others_stay_as_they_are() -> None:
    made = with_declared(SPECS, {"name": "Ada", "times": "3", "wait_s": 2, "rows": "[1, 2]", "more": [None]}, "greet")
    assert made == {
        "name": "Ada",
        "times": 3,
        "wait_s": 2.0,
        "rows": [1, 2],
        "options": {"loud": True},
        "more": [None],
    }
    assert isinstance(made["wait_s"], float)
    assert "wait_s" not in with_declared(SPECS, {"name": "Ada"}, "greet")


def test_what_is_given_is_not_changed() -> None:
    given: dict[str, Any] = {"name": 1}
    assert with_declared(SPECS, given, "greet")["name"] == "1"
    assert given == {"name": 1}


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({}, "step 'greet' needs the param 'name' of type STRING: the person to greet"),
        ({"name": "Ada", "times": "many"}, "param 'times' of step 'greet' must be of type LONG, not \"many\""),
        ({"name": "Ada", "times": True}, "param 'times' of step 'greet' must be of type LONG, not true"),
        ({"name": "Ada", "rows": [1, "x"]}, "param 'rows' of step 'greet' must be of type LONG_ARRAY, not \"x\""),
        ({"name": ["Ada"]}, "param 'name' of step 'greet' must be of type STRING, not [\"Ada\"]"),
    ],
)
def test_what_does_not_fit_is_named_with_its_step_and_value(params: dict[str, Any], problem: str) -> None:
    with pytest.raises(ParamError) as refused:
        with_declared(SPECS, params, "greet")
    assert str(refused.value) == problem


def literal(value: Any) -> Param:
    kinds = {str: ParamType.STRING, int: ParamType.LONG, list: ParamType.LONG_ARRAY, dict: ParamType.STRING_MAP}
    return Param(kinds[type(value)], value)


def test_only_literals_are_checked_before_anything_runs() -> None:
    fine = {
        "name": literal("Ada"),
        "times": literal("${count}"),
        "wait_s": Param(ParamType.STRING, expression="unknown"),
        "rows": Param(ParamType.LONG_ARRAY, [1, "$first"]),
        "options": Param(ParamType.MAP, {"a": literal(1)}),
    }
    assert list(declaration_problems(SPECS, fine, "greet")) == []
    wrong = {"times": literal("many"), "rows": literal({"a": "b"})}
    assert [name for name, _ in declaration_problems(SPECS, wrong, "greet")] == ["", "times", "rows"]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"required": True, "default": 1}, "is required, so it cannot have a default"),
        ({"default": "x"}, "does not fit"),
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        ParamSpec("times", ParamType.LONG, **options)
