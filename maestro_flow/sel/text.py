"""Values as text: what ``+`` appends, what ``String.valueOf`` and ``%s`` return, and JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator

from maestro_flow.errors import SelLimit, SelTypeError
from maestro_flow.sel.dates.iso import iso_text
from maestro_flow.sel.dates.values import DateTime, Days, Property, Zone
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.numbers import double_text
from maestro_flow.sel.values import Array, SelMap, Unset, Uuid, Value, kind_of

__all__ = ["hash_code", "in_java_order", "json_text", "text_of"]

_JSON_ESCAPES = {
    **{code: f"\\u{code:04X}" for code in range(32)},
    **dict(zip(map(ord, '"\\\b\f\n\r\t'), ('\\"', r"\\", r"\b", r"\f", r"\n", r"\r", r"\t"), strict=True)),
}


def text_of(frame: Frame, value: Value, depth: int = 0) -> str:
    """A value as Java prints it; arrays are printed like Java's lists.

    Raises:
        SelTypeError: a value of this type cannot be printed.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return double_text(value)
        case None | Unset():
            return "null"
        case Array(items=items):
            parts = (text_of(frame, item, depth + 1) for item in items)
            return f"[{_joined(frame, parts, ', ', depth)}]"
        case SelMap():
            entries = in_java_order(frame, value)  # where null is "NULL", as in Maestro
            parts = (f"{key}={'NULL' if item is None else text_of(frame, item, depth + 1)}" for key, item in entries)
            return f"{{{_joined(frame, parts, ', ', depth)}}}"
        case DateTime():
            return iso_text(value)
        case Zone():
            return value.id
        case Days():
            return f"P{value.days}D"
        case Property():
            return f"Property[{value.field}]"
        case Uuid():
            return str(value.value)
    raise SelTypeError(f"a {kind_of(value)} cannot be converted to text")


def json_text(frame: Frame, value: Value, depth: int = 0) -> str:
    """A plain value as JSON without blanks, in the order of Java's maps.

    Raises:
        SelTypeError: the value is not plain.
    """
    match value:
        case str():
            return f'"{value.translate(_JSON_ESCAPES)}"'
        case float() if not math.isfinite(value):
            return f'"{double_text(value)}"'
        case None | bool() | int() | float() | Unset():
            return text_of(frame, value)
        case Array(items=items):
            parts = (json_text(frame, item, depth + 1) for item in items)
            return f"[{_joined(frame, parts, ',', depth)}]"
        case SelMap():
            entries = in_java_order(frame, value)
            parts = (f"{json_text(frame, key)}:{json_text(frame, item, depth + 1)}" for key, item in entries)
            return f"{{{_joined(frame, parts, ',', depth)}}}"
    raise SelTypeError(f"a {kind_of(value)} cannot be converted to JSON")


def _joined(frame: Frame, parts: Iterator[str], comma: str, depth: int) -> str:
    """The parts of a value, counted as they are created: a small map can print as a huge string."""
    if depth > frame.limits.depth_max:
        raise SelLimit(f"depth_max: a value nested deeper than {frame.limits.depth_max}")
    made = []
    for part in parts:
        frame.reserve(len(part) + len(comma))
        made.append(part)
    return frame.string(comma.join(made))


def in_java_order(frame: Frame, mapping: SelMap) -> list[tuple[str, Value]]:
    """The entries in the iteration order of a ``java.util.HashMap`` of this size that has only grown."""
    frame.spend(sum(map(len, mapping.entries)) + len(mapping.entries))
    slots = 16
    while len(mapping.entries) > slots * 3 // 4:
        slots *= 2

    def slot(entry: tuple[str, Value]) -> int:
        code = hash_code(entry[0]) % 2**32
        return (code ^ code >> 16) % slots

    return sorted(mapping.items(), key=slot)


def hash_code(text: str) -> int:
    """``String.hashCode``: a signed 32-bit integer."""
    code = 0
    for unit in text:
        code = (31 * code + ord(unit)) % 2**32
    return code - 2**32 if code >= 2**31 else code
