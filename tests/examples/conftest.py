"""The plugin of examples/maestro-flow-sort as an installer leaves it, without an installer."""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command_line import CommandLine

SORT = Path(__file__).resolve().parents[2] / "examples" / "maestro-flow-sort"


@pytest.fixture
def sort_installed(tmp_path: Path) -> list[Path]:
    """Folders for ``sys.path``: the metadata that its pyproject.toml stands for, and its source."""
    project: dict[str, Any] = tomllib.loads((SORT / "pyproject.toml").read_text())["project"]
    metadata = tmp_path / "site" / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return [tmp_path / "site", SORT]


@pytest.fixture
def cli(tmp_path: Path, sort_installed: list[Path]) -> Iterator[CommandLine]:
    """A command line that finds the plugin."""
    with CommandLine(tmp_path) as line:
        line.environment["PYTHONPATH"] = os.pathsep.join(map(str, sort_installed))
        yield line


@pytest.fixture
def sort_module(sort_installed: list[Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The plugin's module, imported here."""
    for folder in sort_installed:
        monkeypatch.syspath_prepend(str(folder))
    yield import_module("maestro_flow_sort")
    del sys.modules["maestro_flow_sort"]
