"""YAML text to a document: the JSON that most people would expect, and nothing else of YAML 1.1.

Only ``true`` and ``false`` are booleans (``yes``, ``on`` and ``no`` are text), ``12:30`` and ``2026-11-22`` are text,
``010`` is text; no tags (``!!python/...``), no merge keys, no repeated keys. Imported by the loader when it meets YAML.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from maestro_flow.dsl.limits import DEPTH_MAX, EXPANDED_NODES_MAX
from maestro_flow.errors import DefinitionError

__all__ = ["read_yaml"]


def read_yaml(text: str) -> Any:
    """The document in a YAML text.

    Raises:
        DefinitionError: a syntax error, with line and column as its path, or something that is not JSON.
    """
    try:
        _check_events(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of CSafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        path = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise DefinitionError(f"no YAML: {error.problem or error.context}", path=path) from None
    except yaml.reader.ReaderError as error:
        raise DefinitionError(f"no YAML: {error.reason}, at character {error.position + 1}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError(f"no YAML that can be read: {str(error).splitlines()[0]}") from None


def _check_events(text: str) -> None:
    """Refuse what would be dangerous or surprising to build, before anything is built.

    The size of a document with all aliases written out is counted here: nine lines can mean a billion values.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # the anchor of a collection, and the size before it
    size = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        tag = getattr(event, "tag", None)
        if tag:
            raise _problem(event, f"the tag {tag} cannot be used here")
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, size))
            if len(open_nodes) > DEPTH_MAX:
                raise _problem(event, f"nested more than {DEPTH_MAX} levels deep")
            size += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = size - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise _problem(event, f"the alias *{event.anchor} stands inside itself")
            size += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            size += 1
            if event.anchor:
                sizes[event.anchor] = 1
        if size > EXPANDED_NODES_MAX:
            raise _problem(event, f"more than {EXPANDED_NODES_MAX:,} values, with the aliases written out")


def _problem(event: Any, text: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=text, problem_mark=event.start_mark)


class _Loader(yaml.CSafeLoader):
    """Builds plain JSON values only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else None
            if key.tag != "tag:yaml.org,2002:str":
                problem = f"the key {word or ''} is not text; put it in quotes"
            elif word == "<<":
                problem = "merge keys (<<) cannot be used here"
            elif word in seen:
                problem = f"the key {word!r} is given twice"
            else:
                seen.add(word)
                continue
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)


def _resolve(kind: str, pattern: str, first: str) -> None:
    """A plain scalar that is the whole of the pattern, and so starts with one of these characters, is of this kind."""
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})\Z"), [*first, ""])


_resolve("null", "~|null|Null|NULL|", "~nN")
_resolve("bool", "true|false", "tf")
_resolve("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789")
_resolve("float", r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+.0123456789")
