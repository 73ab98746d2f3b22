"""References to params inside literal texts, ``$name`` and ``${name}`` (LiteralEvaluator.java)."""

from __future__ import annotations

import re
from typing import Any

from maestro_flow.dsl.place import Place, shown

__all__ = ["unescape"]

_DOLLAR = re.compile(r"\$(?:(\$)|\{[a-zA-Z][-_./a-zA-Z0-9]*\}|[a-zA-Z][_a-zA-Z0-9]*)")


def unescape(value: Any, place: Place) -> Any:
    """The value with ``$$`` as ``$`` in all its texts and keys; a ``$`` that begins no name stays as it is.

    Raises:
        DefinitionError: a text refers to a param, which is not supported yet.
    """
    if isinstance(value, str):
        return _unescape_text(value, place)
    if isinstance(value, list):
        return [unescape(item, place[index]) for index, item in enumerate(value)]
    if isinstance(value, dict):
        return {_unescape_text(key, place): unescape(item, place / key) for key, item in value.items()}
    return value


def _unescape_text(text: str, place: Place) -> str:
    def replace(found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name = found[0]
        raise place.error(
            f"not supported yet: the text {shown(text)} refers to the param {name}; "
            f"write $${name[1:]} for the text itself"
        )

    return _DOLLAR.sub(replace, text)
