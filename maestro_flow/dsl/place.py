"""Where in a definition something stands, and how to talk about it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Any

from attrs import frozen

from maestro_flow.errors import DefinitionError

__all__ = ["ROOT", "Place", "guess", "listing", "shown"]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
_SHOWN_CHARS_MAX = 60
_LISTED_MAX = 20


@frozen
class Place:
    """A path in a definition: ``workflow.steps[2].step.type``; "" is the whole."""

    path: str = ""

    def __truediv__(self, key: str) -> Place:
        """The field ``key`` of the object at this place; a key that is no plain name is quoted in brackets."""
        if not _PLAIN_KEY.fullmatch(key):
            return Place(f"{self.path}[{shown(key)}]")
        return Place(f"{self.path}.{key}" if self.path else key)

    def __getitem__(self, index: int) -> Place:
        """The item ``index`` of the list at this place."""
        return Place(f"{self.path}[{index}]")

    def error(self, problem: str) -> DefinitionError:
        """What is wrong here, to be raised."""
        return DefinitionError(problem, path=self.path)


ROOT = Place()


def shown(value: Any) -> str:
    """A value as JSON on one line, cut: for messages."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _SHOWN_CHARS_MAX else f"{text[: _SHOWN_CHARS_MAX - 3]}..."


def guess(word: Any, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` when a known word is like this one, otherwise ""; it need not be text."""
    by_lower = {name.lower(): str(name) for name in known}
    near = get_close_matches(word[:200].lower(), by_lower, n=1) if isinstance(word, str) else ()
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""


def listing(names: Collection[str]) -> str:
    """Names for a message, in their order: ``a, b, c``; of very many only the first."""
    more = f" and {len(names) - _LISTED_MAX} more" if len(names) > _LISTED_MAX else ""
    return ", ".join(list(names)[:_LISTED_MAX]) + more if names else "none"
