"""References to params in the fields of a definition: ``${name}``, ``$name``."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["find_references", "has_references"]

_REFERENCE = re.compile(r"\$(?:\$|\{([a-zA-Z][-_./a-zA-Z0-9]*)\}|([a-zA-Z][_a-zA-Z0-9]*))")


def find_references(text: str) -> tuple[str, ...]:
    """The names that a text refers to, in their order (LiteralEvaluator.java); ``$$`` is a dollar, and none."""
    return tuple(found[1] or found[2] for found in _REFERENCE.finditer(text) if found[0] != "$$")


def has_references(given: Any) -> bool:
    """It is a text that refers to params, so what it means is known in a run only."""
    return isinstance(given, str) and bool(find_references(given))
