"""Apply the mutant that the environment names to this process, whose modules are not imported yet.

``site/sitecustomize.py`` calls this at the start of every Python process that has the folder ``site`` on its path, so
the processes that a test starts are mutated as it is.
"""

from __future__ import annotations

import os
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from typing import Any

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Edit

__all__ = ["MARK_VARIABLE", "VARIABLE", "apply_named"]

VARIABLE = "TESTS_MUTANT"
"""Name of the mutant."""
MARK_VARIABLE = "TESTS_MUTANT_MARK"
"""File to which each applied edit is added: a mutant that was never loaded has proved nothing."""


def apply_named() -> None:
    """From now on this process reads the mutated texts, if the environment names a mutant."""
    name = os.environ.get(VARIABLE)
    if not name:
        return
    edits: dict[Path, list[Edit]] = {}
    for edit in MUTANTS[name].edits:
        edits.setdefault(edit.path, []).append(edit)
    sys.meta_path.insert(0, _Finder(edits))
    _mutate_scripts({path: own for path, own in edits.items() if path.suffix == ".lua"})


def _mutated(text: str, edits: list[Edit]) -> str:
    for edit in edits:
        text = edit.apply(text)
    with Path(os.environ[MARK_VARIABLE]).open("a", encoding="utf-8") as mark:
        mark.writelines(f"{edit.file}\n" for edit in edits)
    return text


class _Finder(MetaPathFinder):
    """Finds modules as usual, and loads mutated ones from their source."""

    def __init__(self, edits: dict[Path, list[Edit]]) -> None:
        self._edits = edits

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or Path(spec.origin) not in self._edits:
            return None
        spec.loader = _Loader(name, spec.origin, self._edits[Path(spec.origin)])
        return spec


class _Loader(SourceFileLoader):
    """Bypasses the cache of compiled files: other processes must not see mutated code."""

    def __init__(self, name: str, path: str, edits: list[Edit]) -> None:
        super().__init__(name, path)
        self._edits = edits

    def get_code(self, fullname: str) -> Any:
        text = _mutated(Path(self.path).read_text(encoding="utf-8"), self._edits)
        return compile(text, self.path, "exec", dont_inherit=True)


def _mutate_scripts(edits: dict[Path, list[Edit]]) -> None:
    """The scripts of a store are read as files of its package."""
    if not edits:
        return
    read_text = Path.read_text

    def read_mutated(self: Path, *arguments: Any, **options: Any) -> str:
        text = read_text(self, *arguments, **options)
        return _mutated(text, edits[self]) if self in edits else text

    Path.read_text = read_mutated  # type: ignore[method-assign]
