"""References to params in literal strings: ``$name`` and ``${name}``, and ``$$`` for a dollar sign.

Any other ``$`` stands for itself (LiteralEvaluator.java).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import msgspec
from attrs import frozen

from maestro_flow.model.params import Param

__all__ = ["Reference", "has_reference", "interpolate", "names_in"]

_DOLLAR = re.compile(r"\$(?:(\$)|\{([a-zA-Z][-_./a-zA-Z0-9]*)\}|([a-zA-Z][_a-zA-Z0-9]*))")
_CACHED_CHARS_MAX = 1000


@frozen
class Reference:
    """A name in a string, and how it is spelled there."""

    name: str
    spelling: str


def _parts(text: str) -> tuple[str | Reference, ...]:
    """The pieces of a string: literal ones, with ``$$`` turned into ``$``, and references."""
    parts: list[str | Reference] = []
    end = 0
    for found in _DOLLAR.finditer(text):
        literal = text[end : found.start()] + ("$" if found[1] else "")
        if literal:
            parts.append(literal)
        if not found[1]:
            parts.append(Reference(found[2] or found[3], found[0]))
        end = found.end()
    if end < len(text):
        parts.append(text[end:])
    return tuple(parts)


_cached_parts = lru_cache(maxsize=4096)(_parts)


def _parts_of(text: str) -> tuple[str | Reference, ...]:
    return _cached_parts(text) if len(text) <= _CACHED_CHARS_MAX else _parts(text)


def has_reference(text: str) -> bool:
    """Whether a string refers to a param."""
    return "$" in text and any(isinstance(part, Reference) for part in _parts_of(text))


def interpolate(text: str, value_of: Callable[[Reference], Any]) -> str:
    """The text with each reference replaced by its value: strings as they are, everything else as JSON."""
    if "$" not in text:
        return text
    return "".join(part if isinstance(part, str) else _spell(value_of(part)) for part in _parts_of(text))


def _spell(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def names_in(value: Any) -> Iterator[str]:
    """The names that the strings of a literal refer to, with repetitions; without those of params inside a MAP."""
    if isinstance(value, str):
        if "$" in value:
            yield from (part.name for part in _parts_of(value) if isinstance(part, Reference))
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(item, Param):
                yield from names_in(key)
                yield from names_in(item)
