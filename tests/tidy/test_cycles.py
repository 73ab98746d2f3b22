"""No module depends on itself: imports have no cycle, including those for annotations and inside functions."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from tests.tidy.sources import modules, parse
from tests.tidy.test_imports import imports


def import_graph() -> dict[str, set[str]]:
    """Each module of the wheel with those of them that it imports, at any place."""
    return {
        module: {module_of(name) for _, name in imports(parse(path))} & modules().keys() - {module}
        for module, path in modules().items()
    }


def module_of(imported: str) -> str:
    """The module of an imported name, which is one itself or something in one."""
    return imported if imported in modules() else imported.rpartition(".")[0]


def cycles(graph: Mapping[str, AbstractSet[str]]) -> list[list[str]]:
    """The strongly connected components of more than one node, by Tarjan's algorithm; each in order of names."""
    found: list[list[str]] = []
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> None:
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in order:
                visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], order[other])
        if lowest[node] == order[node]:
            component = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(component) > 1:
                found.append(sorted(component))

    for node in sorted(graph):
        if node not in order:
            visit(node)
    return sorted(found)


def test_no_module_depends_on_itself() -> None:
    assert cycles(import_graph()) == []


def test_a_cycle_is_found() -> None:
    graph = {"a": {"b", "e"}, "b": {"c"}, "c": {"a", "d"}, "d": {"e"}, "e": {"d"}, "f": {"a"}}
    assert cycles(graph) == [["a", "b", "c"], ["d", "e"]]
