"""Parts of error messages: a value in short, and a suggestion for a misspelled name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from maestro_flow.model.params import Param

__all__ = ["did_you_mean", "preview"]

_PREVIEW_CHARS_MAX = 60
_COMPARED_CHARS_MAX = 200


def preview(value: Any) -> str:
    """A value as JSON on one line, truncated."""
    try:
        text = json.dumps(_plain(value), ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _PREVIEW_CHARS_MAX else f"{text[: _PREVIEW_CHARS_MAX - 3]}..."


def _plain(value: Any) -> Any:
    if isinstance(value, Param):
        return value.plain
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, Mapping) else value


def did_you_mean(word: Any, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` if a known name is close to the word, otherwise ""; a word that is not text has none."""
    by_lower = {name.lower(): str(name) for name in known}
    near = get_close_matches(word[:_COMPARED_CHARS_MAX].lower(), by_lower, n=1) if isinstance(word, str) else ()
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""
