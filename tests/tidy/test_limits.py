"""How long a file and a function may be: what does not fit on a few screens has more than one subject."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, files_of_tests, modules, parse, place, scripts

FILE_LINES_MAX = 400
TEST_FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def long_functions(path: Path) -> list[str]:
    """Functions and methods of a file that are longer than the limit, docstring and decorators included."""
    found = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > FUNCTION_LINES_MAX:
                found.append(f"{place(path, node)}: {node.name} has {size} lines")
    return found


@pytest.mark.parametrize("path", [*modules().values(), *scripts()], ids=relative)
def test_a_source_file_and_its_functions_are_short(path: Path) -> None:
    assert line_count(path) <= FILE_LINES_MAX
    assert long_functions(path) == []


@pytest.mark.parametrize("path", files_of_tests(), ids=relative)
def test_a_test_file_is_not_too_long(path: Path) -> None:
    assert line_count(path) <= TEST_FILE_LINES_MAX
