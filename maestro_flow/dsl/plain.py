"""Is this plain JSON, of a sane depth? The first look at everything that comes from outside."""

from __future__ import annotations

from math import isfinite
from typing import Any

from maestro_flow.dsl.limits import DEPTH_MAX
from maestro_flow.dsl.place import Place, shown

__all__ = ["Repeated", "plain"]

_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1


class Repeated(dict[str, Any]):
    """An object of a JSON text in which the key ``key`` was given twice: refused as soon as its place is known."""

    key = ""


def plain(value: Any, place: Place, depth: int = 0) -> Any:
    """A copy of a JSON value; tuples, which JSON has not, become lists.

    Raises:
        DefinitionError: a part of it is no JSON, out of range (64 bit integers, finite numbers), or nested too deep.
    """
    kind = type(value)
    if kind is str:
        return _text(value, place)
    if kind is int and not _INT_MIN <= value <= _INT_MAX:
        raise place.error(f"the number {shown(value)} is beyond 64 bits")
    if kind is float and not isfinite(value):
        raise place.error(f"{value} is no JSON number")
    if value is None or kind in (bool, int, float):
        return value
    if depth >= DEPTH_MAX:
        raise place.error(f"nested more than {DEPTH_MAX} levels deep")
    if kind in (list, tuple):
        return [plain(item, place[index], depth + 1) for index, item in enumerate(value)]
    if kind is Repeated:
        raise place.error(f"the key {shown(value.key)} is given twice")
    if isinstance(value, dict):
        return {_key(key, place): plain(item, place / str(key), depth + 1) for key, item in value.items()}
    raise place.error(
        f"a value of type {kind.__name__} cannot be used here; "
        "expected text, a number, true, false, a list or an object"
    )


def _key(key: Any, place: Place) -> str:
    if type(key) is not str:
        raise place.error(f"the key {shown(key)} is not text; put it in quotes")
    return _text(key, place)


def _text(text: str, place: Place) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise place.error(f"{shown(text)} is no valid text: it holds a lone surrogate") from None
    return text
