"""The project's own files, parsed: what the tests of this folder look at."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SOURCE_ROOTS = (ROOT, ROOT / "backends", ROOT / "plugins")
"""Folders whose packages named ``maestro_flow*`` go into the wheel."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the wheel by its dotted name; a package has the name without ``__init__``."""
    found = {}
    for root in SOURCE_ROOTS:
        for path in sorted(root.glob("maestro_flow*/**/*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def scripts() -> list[Path]:
    """Python files that are ours, but in no package: examples, benchmarks and ``dev.py``."""
    return [ROOT / "dev.py", *sorted(ROOT.glob("examples/**/*.py")), *sorted(ROOT.glob("benchmarks/**/*.py"))]


def files_of_tests() -> list[Path]:
    return sorted(ROOT.glob("tests/**/*.py"))


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, node: ast.AST) -> str:
    """``file:line`` relative to the project, for messages."""
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"
