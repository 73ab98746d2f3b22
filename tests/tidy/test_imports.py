"""Who may import whom: the table that keeps the layers apart. What is not listed is forbidden."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator

import pytest
from attrs import frozen

from tests.tidy.sources import ROOT, modules, parse, place

COMMON = ("attrs", "msgspec")
"""What every module may use: values are made of these."""

LAYERS = {
    # package              may import of ours                                            and of others, beside COMMON
    "errors":              ("",                                                          ""),
    "clock":               ("",                                                          ""),
    "model":               ("errors",                                                    ""),
    "sel":                 ("errors clock",                                              "lark"),
    "core":                ("errors clock model sel",                                    ""),
    "steps":               ("errors clock model core.params",                            ""),
    "storage":             ("errors clock model",                                        ""),
    "storage.conformance": ("errors clock model storage",                                "hypothesis pytest"),
    "dsl":                 ("errors model sel core.params steps",                        "yaml"),
    "reading":             ("errors model core storage.protocol",                        ""),
    "system":              ("errors model core verify",                                  ""),
    "views":               ("errors model core reading storage.protocol system verify",  ""),
    "verify":              ("errors model core reading storage.protocol",                ""),
    "actors":              ("errors clock model core storage.protocol steps config.settings", "pykka"),
    "config":              ("errors storage.url",                                        ""),
    "client":              ("errors clock model core storage dsl reading views verify config system", ""),
    "node":                ("errors clock model core storage steps reading actors config system", ""),
    "engine":              ("clock model storage.protocol steps dsl actors.runtime config client node", ""),
    "testing":             ("clock actors",                                              ""),
    "cli":                 ("errors clock model storage.url steps dsl views verify config client engine", "click rich"),
    "__main__":            ("cli",                                                       ""),
    "":                    ("errors model steps storage dsl views client engine",        ""),
}  # fmt: skip
"""Packages and modules of ``maestro_flow``; the longest name that fits counts, and each may import itself."""

BACKENDS = {
    "maestro_flow_redis": ("errors clock model storage", "redis tenacity"),
    "maestro_flow_sql": ("errors clock model storage", "psycopg sqlalchemy tenacity"),
}
"""Packages beside ``maestro_flow``, which never imports them: they are found by their entry points."""

PURE = ("maestro_flow.core", "maestro_flow.model")
IMPURE = """
    asyncio concurrent logging multiprocessing os queue random secrets select selectors signal socket sqlite3
    subprocess threading time
""".split()  # noqa: SIM905 - a list of words reads better without the quotes
"""Parts of the standard library that a pure function has no use for."""


@frozen
class Rule:
    """What the modules of one package may import: names of modules, which stand for all that is below them."""

    ours: frozenset[str]
    theirs: frozenset[str]

    def allows(self, imported: str) -> bool:
        top = imported.partition(".")[0]
        if top.startswith("maestro_flow"):
            return any(is_within(imported, name) for name in self.ours)
        return top in self.theirs or top in sys.stdlib_module_names


def rules() -> dict[str, Rule]:
    """Both tables as rules by the full name of a package."""
    full = {f"maestro_flow.{name}".rstrip("."): row for name, row in LAYERS.items()} | BACKENDS
    found = {}
    for package, (ours, theirs) in full.items():
        allowed = {package, *(f"maestro_flow.{name}" for name in ours.split())}
        found[package] = Rule(frozenset(allowed), frozenset({*COMMON, *theirs.split()}))
    return found


def rule_of(module: str) -> Rule:
    fitting = [package for package in rules() if is_within(module, package)]
    if module.startswith("maestro_flow.") and fitting == ["maestro_flow"]:
        raise LookupError(f"{module} is in no package that the table LAYERS knows: add a row")
    return rules()[max(fitting, key=len)]


def is_within(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def imports(tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """Every import in a module, inside functions too, as the dotted name of what is imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            # "from package import module" imports the module; only the whole name can be told apart by the table.
            yield from ((node, f"{base}.{alias.name}" if base in modules() else base) for alias in node.names)


def illegal_imports(module: str, tree: ast.Module) -> Iterator[tuple[ast.stmt, str]]:
    """The imports of a module that its row does not allow, with the reason."""
    rule = rule_of(module)
    for node, imported in imports(tree):
        if imported.startswith("."):
            yield node, f"relative import {imported}: write the whole name"
        elif not rule.allows(imported):
            yield node, f"{module} may not import {imported}"
        elif module.startswith(PURE) and imported.partition(".")[0] in IMPURE:
            yield node, f"{module} is pure and may not import {imported}"


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_its_layer_may(module: str) -> None:
    path = modules()[module]
    assert [f"{place(path, node)}: {why}" for node, why in illegal_imports(module, parse(path))] == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("maestro_flow.model.status", "from maestro_flow.core import state"),
        ("maestro_flow.core.decide", "import threading"),
        ("maestro_flow.core.decide", "def f():\n    from time import monotonic"),
        ("maestro_flow.engine", "import pykka"),
        ("maestro_flow.client.session", "from maestro_flow.actors.runtime import Runtime"),
        ("maestro_flow.client.session", "if TYPE_CHECKING:\n    from maestro_flow.node.node import Node"),
        ("maestro_flow.node.node", "from maestro_flow.client.session import Session"),
        ("maestro_flow.engine", "import maestro_flow_sql.sqlite"),
        ("maestro_flow.actors.flow", "from maestro_flow.storage.open import open_storage"),
        ("maestro_flow.storage.memory", "import sqlalchemy"),
        ("maestro_flow.cli.main", "from .options import store_option"),
        ("maestro_flow_sql.sqlite", "from maestro_flow.engine import Engine"),
    ],
)
def test_an_import_across_the_layers_is_found(module: str, source: str) -> None:
    assert len(list(illegal_imports(module, ast.parse(source)))) == 1


def test_the_architecture_page_has_a_row_for_each_package() -> None:
    page = (ROOT / "docs" / "internals" / "architecture.md").read_text(encoding="utf-8")
    rooms = page.partition("## The rooms")[2].partition("\n## ")[0]
    first_cells = " ".join(line.split("|")[1] for line in rooms.splitlines() if line.startswith("| `"))
    packages = {name.partition(".")[0] for name in LAYERS} - {"", "__main__"} | {
        f"backends/{name}" for name in BACKENDS
    }
    assert set(re.findall(r"`([^`]+)`", first_cells)) == packages


def test_a_new_package_needs_a_row_in_the_table() -> None:
    with pytest.raises(LookupError, match="add a row"):
        rule_of("maestro_flow.gadgets.lamp")
