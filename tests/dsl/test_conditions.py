"""Conditions of transitions: constants and texts of SEL."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_flow.dsl.conditions import read_condition
from maestro_flow.dsl.location import Location
from maestro_flow.errors import DefinitionError, SelError
from maestro_flow.sel import referenced_names

HERE = Location("here")
SOURCES = st.text("truefals ;()!=&|<>0'x\n", max_size=12)
CONSTANT = re.compile(r"\s*(true|false)[\s;]*")


@pytest.mark.parametrize(
    "text", ["param2 < 0", "params.getFromStep('job.3', 'param2') > 0", "return a__b == 'x';", "TRUE"]
)
def test_a_condition_is_kept_as_its_text(text: str) -> None:
    assert read_condition(text, HERE) == text


@given(SOURCES)
def test_a_condition_is_accepted_when_it_is_sel_and_says_something(text: str) -> None:
    try:
        referenced_names(text)
    except SelError:
        is_sel = False
    else:
        is_sel = bool(text.strip(" \n;"))
    if is_sel or CONSTANT.fullmatch(text):
        assert read_condition(text, HERE) == {"true": True, "false": False}.get(text.strip(" \n;"), text)
        return
    with pytest.raises(DefinitionError) as refused:
        read_condition(text, HERE)
    assert refused.value.path == "here"
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", [0, 1.5, None, [], {}])
def test_anything_else_is_not_a_condition(given: Any) -> None:
    with pytest.raises(DefinitionError, match="expected a condition: true, false or a SEL expression"):
        read_condition(given, HERE)


def test_a_long_condition_is_beyond_the_limit_of_expressions() -> None:
    with pytest.raises(DefinitionError, match=r"is not SEL: .*source_chars_max"):
        read_condition("x == '" + "a" * 100_000 + "'", HERE)
