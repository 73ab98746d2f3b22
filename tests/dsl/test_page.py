"""The page about definitions says what the code does."""

from __future__ import annotations

import re

import pytest

from maestro_flow.dsl import limits
from maestro_flow.dsl.fields import KINDS, SCOPES, Scope, Treatment
from maestro_flow.dsl.parse import parse_definition
from maestro_flow.dsl.yaml_text import read_yaml
from tests.dsl.page import PAGE, rewrite


def test_the_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text()
    assert rewrite(page) == page, "run: python -m tests.dsl.page"


def test_the_example_of_a_file_loads() -> None:
    found = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    assert parse_definition(read_yaml(found[1]), known_types={"NoOp", "Sleep"}).warnings == ()


@pytest.mark.parametrize("number", [limits.FILE_BYTES_MAX, limits.EXPANDED_NODES_MAX, limits.PARAMS_CHARS_MAX])
def test_the_limits_are_those_of_the_code(number: int) -> None:
    assert f"{number:,}" in PAGE.read_text()


@pytest.mark.parametrize("scope", [*SCOPES.values(), KINDS], ids=lambda scope: str(scope.title))
def test_every_field_says_what_it_is_for(scope: Scope) -> None:
    for name, field in scope.fields.items():
        assert field.name == name
        assert field.note
        assert not field.warn or field.treatment is Treatment.STORED
