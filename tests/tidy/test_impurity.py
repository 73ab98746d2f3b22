"""Clocks, randomness and ids come from ``clock.py`` alone (law 7), and some things are used nowhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tidy.sources import ROOT, modules, parse, place, scripts

INJECTED = {
    "time": frozenset({"sleep", "strftime", "localtime", "gmtime", "struct_time"}),
    "random": frozenset({"Random"}),
    "uuid": frozenset({"UUID"}),
    "secrets": frozenset(),
}
"""Modules that read a clock or draw a number, and the names in them that do neither."""

CLOCK_READINGS = frozenset({"now", "utcnow", "today"})
UNSAFE_MODULES = frozenset({"dill", "marshal", "pickle", "shelve"})
UNSAFE_CALLS = frozenset({"eval", "exec"})
UNSAFE_YAML = frozenset(
    {"CFullLoader", "CLoader", "CUnsafeLoader", "FullLoader", "Loader", "UnsafeLoader", "full_load", "unsafe_load"}
)


def injected_elsewhere(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Uses of a clock, of randomness and of new ids."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in INJECTED:
                if name not in INJECTED[module]:
                    yield node, f"{module}.{name}"
            case ast.ImportFrom(module=str(module), names=names) if module in INJECTED:
                yield from ((node, f"{module}.{a.name}") for a in names if a.name not in INJECTED[module])
            case ast.Call(func=ast.Attribute(value=ast.Name(id="random"), attr="Random"), args=[]):
                yield node, "random.Random() without a seed"
            case ast.Call(func=ast.Attribute(value=ast.Name(id="os"), attr="urandom")):
                yield node, "os.urandom()"
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in CLOCK_READINGS:
                if ast.unparse(value) in {"datetime", "datetime.datetime", "date", "datetime.date"}:
                    yield node, f"{ast.unparse(value)}.{name}()"


def unsafe(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """What can run code out of data, and what hides every error."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((node, a.name) for a in names if a.name.partition(".")[0] in UNSAFE_MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in UNSAFE_MODULES:
                yield node, module
            case ast.Call(func=ast.Name(id=name)) if name in UNSAFE_CALLS:
                yield node, f"{name}()"
            case ast.ExceptHandler(type=None):
                yield node, "bare except"
            case ast.Attribute(value=ast.Name(id="yaml"), attr=name) if name in UNSAFE_YAML:
                yield node, f"yaml.{name}"
            case ast.ImportFrom(module="yaml", names=names):
                yield from ((node, f"yaml.{a.name}") for a in names if a.name in UNSAFE_YAML)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="yaml"), attr="load"), args=args, keywords=keywords):
                if len(args) < 2 and "Loader" not in {keyword.arg for keyword in keywords}:
                    yield node, "yaml.load() without a safe loader"


def test_only_clock_py_reads_clocks_and_draws_numbers() -> None:
    outside = [path for name, path in modules().items() if name != "maestro_flow.clock"]
    assert [f"{place(path, node)}: {what}" for path in outside for node, what in injected_elsewhere(parse(path))] == []


def test_clock_py_is_where_they_are() -> None:
    found = {what for _, what in injected_elsewhere(parse(modules()["maestro_flow.clock"]))}
    assert {"time.time", "time.monotonic", "random.SystemRandom"} <= found


@pytest.mark.parametrize("path", [*modules().values(), *scripts()], ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_runs_code_out_of_data_or_hides_errors(path: Path) -> None:
    assert [f"{place(path, node)}: {what}" for node, what in unsafe(parse(path))] == []


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import monotonic",
        "import random\nrandom.choice([1])",
        "import random\nrandom.Random()",
        "import uuid\nuuid.uuid4()",
        "from uuid import uuid4",
        "import secrets\nsecrets.token_hex()",
        "import os\nos.urandom(8)",
        "from datetime import datetime\ndatetime.now()",
        "import datetime\ndatetime.datetime.now(datetime.UTC)",
        "from datetime import date\ndate.today()",
    ],
)
def test_a_reading_of_the_clock_or_of_chance_is_found(source: str) -> None:
    assert list(injected_elsewhere(ast.parse(source))) != []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "eval('1')",
        "exec('x = 1')",
        "try:\n    pass\nexcept:\n    pass",
        "import yaml\nyaml.load('a')",
        "import yaml\nyaml.load('a', Loader=yaml.FullLoader)",
        "from yaml import unsafe_load",
    ],
)
def test_an_unsafe_construct_is_found(source: str) -> None:
    assert list(unsafe(ast.parse(source))) != []
