"""The value codec (PROTOCOL 26): a step's result as one JSON value, with a closed set of tagged types.

What is stored, by exact type: None, bool, int (64-bit), float (finite), str, list, tuple (comes back as a list), dict
with str keys, and as ``{"$t": tag, "v": text}``:

    datetime    ISO 8601 with its offset, if any (a named zone comes back as a fixed offset, without ``fold``)
    bytes       base64
    decimal     the digits, exactly (finite only)
    uuid        the usual 36 characters
    dict        ``v`` is an object taken literally: for a dict that has a key "$t" of its own

Everything else is refused, including subclasses of these: what comes back would not be what was given.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, NoReturn, TypeAlias
from uuid import UUID

import msgspec

from maestro_flow.errors import ValueNotStorable

__all__ = ["DEPTH_MAX", "decode_value", "encode_value"]

DEPTH_MAX = 100
"""Nesting depth of lists and dicts; a value that contains itself exceeds it too."""

_TAG = "$t"
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_FORMS = (
    "None, bool, int, float, str, list, dict with str keys, datetime, bytes, Decimal and UUID can be stored, "
    "each by its exact type"
)
_ADVICE = {
    "set": "return a list instead: sorted(...)",
    "frozenset": "return a list instead: sorted(...)",
    "date": "return a string instead: .isoformat()",
    "time": "return a string instead: .isoformat()",
    "timedelta": "return its seconds instead: .total_seconds()",
    "bytearray": "return bytes(...) instead",
    "memoryview": "return bytes(...) instead",
    "generator": "return a list instead: list(...)",
    "coroutine": "the function is async: it was called but never awaited",
}

_Path: TypeAlias = "tuple[_Path, str | int] | None"
"""The path to a value, as a linked list from its end, so that a step down costs one small tuple."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def encode_value(value: Any, *, limit_bytes: int, where: str) -> bytes:
    """A value as JSON of at most ``limit_bytes`` bytes; the size is checked as it grows, so a huge value fails early.

    ``where`` names the value in errors: ``result of step 'load'``.

    Raises:
        ValueNotStorable: a part is of another type, out of range or nested too deep, or the whole is too large.
    """
    walk = _Walk(limit_bytes, where)
    encoded = _encode(walk.plain(value, None, 0))
    if len(encoded) > limit_bytes:
        walk.refuse_size()
    return encoded


class _Walk:
    """One pass over a value that builds plain JSON data and keeps a lower bound on its size in bytes."""

    __slots__ = ("left", "limit", "where")

    def __init__(self, limit: int, where: str) -> None:
        self.limit, self.left, self.where = limit, limit, where

    def plain(self, value: Any, path: _Path, depth: int) -> Any:
        kind = type(value)
        if kind is int:
            if not _INT_MIN <= value <= _INT_MAX:
                self.refuse(path, "an int of more than 64 bits cannot be stored; return it as str or Decimal")
        elif kind is str:
            self.text(value, path)
        elif kind is float:
            if not isfinite(value):
                self.refuse(path, f"{value} is not a valid JSON number; return None or a string instead")
        elif kind is list or kind is tuple:
            return self.items(value, path, depth)
        elif kind is dict:
            return self.entries(value, path, depth)
        elif kind in _TAGGED:
            return self.tagged(value, path)
        elif value is not None and kind is not bool:
            self.refuse_type(value, path)
        return value

    def items(self, value: list[Any] | tuple[Any, ...], path: _Path, depth: int) -> list[Any]:
        self.enter(len(value), path, depth)
        return [self.plain(item, (path, index), depth + 1) for index, item in enumerate(value)]

    def entries(self, value: dict[Any, Any], path: _Path, depth: int) -> dict[str, Any]:
        self.enter(len(value), path, depth)
        plain = {}
        for key, item in list(value.items()):  # a copy: user code may still be changing it in another thread
            if type(key) is not str:
                self.refuse(path, f"the key {_short(key)} is not a str; convert it: str(...)")
            self.text(key, path)
            plain[key] = self.plain(item, (path, key), depth + 1)
        return {_TAG: "dict", "v": plain} if _TAG in plain else plain

    def enter(self, size: int, path: _Path, depth: int) -> None:
        if depth >= DEPTH_MAX:
            self.refuse(
                path, f"nested more than {DEPTH_MAX} levels deep, or it contains itself; return a flatter value"
            )
        self.spend(2 * size)  # each item is at least one character and a comma

    def text(self, value: str, path: _Path) -> None:
        self.spend(len(value))
        if not value.isascii():
            try:
                value.encode()
            except UnicodeEncodeError:
                self.refuse(path, "a str with a lone surrogate is not valid text; return it as bytes")

    def tagged(self, value: Any, path: _Path) -> dict[str, Any]:
        tag, to_text, _ = _TAGGED[type(value)]
        if tag == "bytes":
            self.spend(len(value))
        elif tag == "decimal" and not value.is_finite():
            self.refuse(path, f"the Decimal {value} is not a number; return None or a string instead")
        try:
            text = to_text(value)
        except Exception as error:  # noqa: BLE001 - the tzinfo of a datetime is user code
            self.refuse(path, f"this {tag} cannot be written as text: {error!r}")
        self.spend(len(text))
        return {_TAG: tag, "v": text}

    def spend(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            self.refuse_size()

    def refuse_type(self, value: Any, path: _Path) -> NoReturn:
        kind = type(value)
        base = next((base for base in _PLAIN if issubclass(kind, base)), None)
        advice = f"convert it: {base.__name__}(...)" if base else _ADVICE.get(kind.__name__, _FORMS)
        self.refuse(path, f"a value of type {kind.__module__}.{kind.__qualname__} cannot be stored; {advice}")

    def refuse_size(self) -> NoReturn:
        advice = "keep it elsewhere (a file, an object store) and return its location"
        raise ValueNotStorable(f"{self.where}: larger than the limit of {self.limit:,} bytes as JSON; {advice}")

    def refuse(self, path: _Path, problem: str) -> NoReturn:
        place = f" at {_spell(path)}" if path else ""
        raise ValueNotStorable(f"{self.where}{place}: {problem}")


def decode_value(data: bytes) -> Any:
    """The value that ``encode_value`` wrote, with lists in place of tuples.

    Raises:
        ValueNotStorable: ``encode_value`` did not write these bytes, or a newer version did.
    """
    try:
        value = _decode(data)
        return _revive(value) if b'"$t"' in data else value
    except (
        msgspec.MsgspecError,
        ArithmeticError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ValueNotStorable(f"a stored value cannot be read: {error!r}") from error


def _revive(value: Any) -> Any:
    if type(value) is list:
        return [_revive(item) for item in value]
    if type(value) is not dict:
        return value
    if _TAG not in value:
        return {key: _revive(item) for key, item in value.items()}
    tag, content = value[_TAG], value["v"]
    if tag == "dict":
        return {key: _revive(item) for key, item in content.items()}
    if tag not in _FROM_TEXT:
        raise ValueNotStorable(f"a stored value has the tag {tag!r}, which this version does not know")
    return _FROM_TEXT[tag](content)


def _from_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


_TAGGED: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    datetime: ("datetime", datetime.isoformat, datetime.fromisoformat),
    bytes: ("bytes", _to_base64, _from_base64),
    Decimal: ("decimal", str, Decimal),
    UUID: ("uuid", str, UUID),
}
_FROM_TEXT = {tag: from_text for tag, _, from_text in _TAGGED.values()}
_PLAIN = (bool, int, float, str, bytes, list, tuple, dict)


def _spell(path: _Path) -> str:
    """The path as ``$.a[3]``; a key that is not an identifier is quoted."""
    parts: list[str] = []
    while path:
        path, key = path
        if isinstance(key, int):
            parts.append(f"[{key}]")
        else:
            parts.append(f".{key}" if re.fullmatch(r"[A-Za-z_]\w{0,60}", key, re.ASCII) else f"[{_short(key)}]")
    spelled = "".join(reversed(parts))
    return "$" + (spelled if len(spelled) <= 200 else f"{spelled[:120]}...{spelled[-60:]}")


def _short(value: Any) -> str:
    """The ``repr`` of a value, truncated; the key of a dict may be anything, even something whose ``repr`` fails."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a __repr__ is user code
        text = f"of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."
