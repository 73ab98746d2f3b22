"""Flow ids are parsed and printed in ``model/flow_id.py`` alone; the SQL and Lua that must print one say so."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.tidy.sources import modules, parse, place, scripts

HOME = "maestro_flow.model.flow_id"
CUTS = frozenset({"partition", "rpartition", "rsplit", "split"})
NUMBERS = ("instance_id", "run_id")
PERMITS = frozenset({"maestro_flow.model.permits"})
"""A claim is a flow id with a step and an attempt, and has its own printer and parser there."""


def handmade(tree: ast.Module) -> Iterator[ast.AST]:
    """Texts that are cut at slashes, and texts put together of the parts of a flow id."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name), args=[ast.Constant(value="/"), *_]) if name in CUTS:
                yield node
            case ast.JoinedStr(values=values):
                names = [ast.unparse(each.value) for each in values if isinstance(each, ast.FormattedValue)]
                separators = [each.value for each in values if isinstance(each, ast.Constant)]
                if "/" in separators and any(name.endswith(NUMBERS) for name in names):
                    yield node
            case ast.Constant(value=str(text)) if "{instance_id}/{" in text:
                yield node


def test_flow_ids_are_parsed_and_printed_in_one_place() -> None:
    paths = [path for name, path in modules().items() if name not in {HOME, *PERMITS}] + scripts()
    assert [place(path, node) for path in paths for node in handmade(parse(path))] == []


@pytest.mark.parametrize(
    "source",
    [
        'flow_id.rsplit("/", 2)',
        'flow_id.partition("/")[0]',
        'f"{workflow_id}/{instance_id}/{run_id}"',
        'f"{entry.workflow_id}/{entry.instance_id}/1"',
        '"{workflow_id}/{instance_id}/{run_id}".format_map(of)',
    ],
)
def test_what_is_made_by_hand_is_found(source: str) -> None:
    assert list(handmade(ast.parse(source)))


def test_their_home_is_where_they_are() -> None:
    assert list(handmade(parse(modules()[HOME])))
