"""YAML text to a document: the JSON that most people would expect, and nothing more of YAML 1.1.

Only ``true`` and ``false`` are booleans (``yes``, ``on`` and ``no`` are text), ``12:30`` and ``2026-11-22`` are text,
``010`` is text; no tags (``!!python/...``), no merge keys, no repeated keys. Imported by the loader when it meets YAML.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from contextlib import suppress
from typing import Any

import yaml

from maestro_flow.dsl.limits import DEPTH_MAX, EXPANDED_NODES_MAX
from maestro_flow.errors import DefinitionError

__all__ = ["read_yaml"]


def read_yaml(text: str) -> Any:
    """The document in a YAML text.

    Raises:
        DefinitionError: a syntax error or a value that JSON does not have, with line and column as its path.
    """
    try:
        _check(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of CSafeLoader
    except _Refusal as refusal:
        raise DefinitionError(str(refusal.problem), path=_path(refusal)) from None
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(f"not valid YAML: {error.problem or error.context}", path=_path(error)) from None
    except yaml.reader.ReaderError as error:
        raise DefinitionError(f"not valid YAML: {error.reason}, at character {error.position + 1}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError(f"not valid YAML: {str(error).splitlines()[0]}") from None


class _Refusal(yaml.MarkedYAMLError):
    """Valid YAML that cannot be used here."""


def _refusal(problem: str, location: Any) -> _Refusal:
    return _Refusal(problem=problem, problem_mark=location.start_mark)  # an event or a node


def _path(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def _check(text: str) -> None:
    """Refuse what would be dangerous or surprising to build, before anything is built.

    libyaml's scanner is up to 1,024 characters ahead of the events, so an error of its own may hide what we refuse
    earlier in the text: from 0.2.6 on it counts levels too, to 1,000. The text before such an error is looked at again.
    """
    try:
        _check_events(text)
    except yaml.scanner.ScannerError as error:
        if error.problem_mark is not None:
            with suppress(yaml.scanner.ScannerError, yaml.parser.ParserError):  # the text breaks off
                _check_events(text[: error.problem_mark.index])
        raise


def _check_events(text: str) -> None:
    """Refuse tags, aliases inside themselves, and a document that is too deep or too large.

    Its size is counted with all aliases written out: nine lines can mean a billion values.
    """
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # the anchor of a collection, and the size before it
    size = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        tag = getattr(event, "tag", None)
        if tag:
            raise _refusal(f"the tag {tag} cannot be used here", event)
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, size))
            if len(open_nodes) > DEPTH_MAX:
                raise _refusal(f"nested more than {DEPTH_MAX} levels deep", event)
            size += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = size - before
        elif isinstance(event, yaml.AliasEvent):
            if any(anchor == event.anchor for anchor, _ in open_nodes):
                raise _refusal(f"the alias *{event.anchor} stands inside itself", event)
            size += sizes.get(event.anchor or "", 1)
        elif isinstance(event, yaml.ScalarEvent):
            size += 1
            if event.anchor:
                sizes[event.anchor] = 1
        if size > EXPANDED_NODES_MAX:
            raise _refusal(f"more than {EXPANDED_NODES_MAX:,} values, with the aliases written out", event)


class _Loader(yaml.CSafeLoader):
    """Builds plain JSON values only."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key, _ in node.value:
            word = key.value if isinstance(key, yaml.ScalarNode) else None
            if key.tag != "tag:yaml.org,2002:str":
                problem = f"{f'the key {word}' if word else 'this key'} is not text; put it in quotes"
            elif word == "<<":
                problem = "merge keys (<<) cannot be used here"
            elif word in seen:
                problem = f"the key {word!r} is given twice"
            else:
                seen.add(word)
                continue
            raise _refusal(problem, key)
        return super().construct_mapping(node, deep)


def _resolve(kind: str, pattern: str, first: str) -> None:
    """A plain scalar that matches the whole pattern, and so starts with one of these characters, is of this kind."""
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern})\Z"), [*first, ""])


_resolve("null", "~|null|Null|NULL|", "~nN")
_resolve("bool", "true|false", "tf")
_resolve("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789")
_resolve("float", r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?", "-+.0123456789")
