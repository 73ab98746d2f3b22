"""Text that every store can hold: ids, kinds, outcomes. What is JSON (bodies, params, events) may contain anything.

NUL is no character of PostgreSQL's text, and half of a surrogate pair is none of UTF-8. A store that replaced them
would hold another id than the caller has, so an id with one is refused before any store sees it, on every store the
same.
"""

from __future__ import annotations

from typing import Any

from maestro_flow.errors import ValueNotStorable

__all__ = ["escaped", "is_storable", "storable"]


def is_storable(text: str) -> bool:
    """Neither NUL nor a lone surrogate is in it."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(record: object, attribute: Any, value: str) -> None:
    """A validator of attrs.

    Raises:
        ValueNotStorable: the text cannot be stored as it is.
    """
    if not is_storable(value):
        name = f"{type(record).__name__}.{attribute.name}"
        raise ValueNotStorable(f"{name} {value[:100]!r}: text with NUL or a lone surrogate cannot be stored")


def escaped(text: str) -> str:
    """Text for people to read, such as a traceback, with what cannot be stored spelled out as in Python (``\\x00``)."""
    return text if is_storable(text) else text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
