"""Text that every store can hold: ids, kinds, outcomes. JSON (bodies, params, events) may contain anything.

PostgreSQL's text type cannot hold NUL, and UTF-8 cannot encode half of a surrogate pair. A store that replaced them
would hold a different id from the caller's, so such an id is refused before any store sees it, whatever the store.
"""

from __future__ import annotations

from typing import Any

from maestro_flow.errors import ValueNotStorable

__all__ = ["escaped", "is_storable", "storable"]


def is_storable(text: str) -> bool:
    """Whether the text contains neither NUL nor a lone surrogate."""
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
    """An attrs validator.

    Raises:
        ValueNotStorable: the text contains NUL or a lone surrogate.
    """
    if not is_storable(value):
        name = f"{type(record).__name__}.{attribute.name}"
        raise ValueNotStorable(f"{name} {value[:100]!r}: text with NUL or a lone surrogate cannot be stored")


def escaped(text: str) -> str:
    """Text for people to read, such as a traceback, with characters that cannot be stored escaped (``\\x00``)."""
    return text if is_storable(text) else text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()
