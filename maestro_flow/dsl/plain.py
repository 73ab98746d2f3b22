"""Checks that a value is plain JSON of a sane depth: the first check on everything that comes from outside."""

from __future__ import annotations

from math import isfinite
from typing import Any

from maestro_flow.core.params.messages import preview
from maestro_flow.dsl.limits import DEPTH_MAX
from maestro_flow.dsl.location import Location

__all__ = ["Repeated", "plain"]

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


class Repeated(dict[str, Any]):
    """A JSON object with the key ``key`` repeated: refused as soon as its location is known."""

    key = ""


def plain(value: Any, location: Location, depth: int = 0) -> Any:
    """A copy of a JSON value; tuples, which JSON does not have, become lists.

    Raises:
        DefinitionError: a part of it is not JSON, is out of range (64-bit integers, finite numbers), or is nested too
            deep.
    """
    kind = type(value)
    if kind is str:
        return _text(value, location)
    if kind is int and not _INT_MIN <= value <= _INT_MAX:
        raise location.error(f"the number {preview(value)} does not fit in 64 bits")
    if kind is float and not isfinite(value):
        raise location.error(f"{value} is not a valid JSON number")
    if value is None or kind in (bool, int, float):
        return value
    if depth >= DEPTH_MAX:
        raise location.error(f"nested more than {DEPTH_MAX} levels deep")
    if kind in (list, tuple):
        return [plain(item, location[index], depth + 1) for index, item in enumerate(value)]
    if kind is Repeated:
        raise location.error(f"the key {preview(value.key)} is given twice")
    if isinstance(value, dict):
        return {_key(key, location): plain(item, location / str(key), depth + 1) for key, item in value.items()}
    raise location.error(
        f"a value of type {kind.__name__} cannot be used here; "
        "expected text, a number, true, false, a list or an object"
    )


def _key(key: Any, location: Location) -> str:
    if type(key) is not str:
        raise location.error(f"the key {preview(key)} is not text; put it in quotes")
    return _text(key, location)


def _text(text: str, location: Location) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise location.error(f"{preview(text)} is not valid text: it contains a lone surrogate") from None
    return text
