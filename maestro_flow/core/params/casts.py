"""Values by declared type: as in Maestro, what fits is cast, the rest rejected (ParamHelper, Jackson's coercions)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any

import msgspec

from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.references import has_reference
from maestro_flow.errors import ValueNotStorable
from maestro_flow.model.params import Param, ParamType, infer_param

__all__ = ["ITEM_TYPES", "TypeMismatch", "cast", "cast_literal"]

_INTEGER = re.compile(r"[-+]?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1

ITEM_TYPES = {
    ParamType.STRING_ARRAY: ParamType.STRING,
    ParamType.LONG_ARRAY: ParamType.LONG,
    ParamType.DOUBLE_ARRAY: ParamType.DOUBLE,
    ParamType.BOOLEAN_ARRAY: ParamType.BOOLEAN,
}
"""The type of an array's items."""
_CONTAINERS: dict[ParamType, type] = {
    **dict.fromkeys(ITEM_TYPES, list),
    ParamType.STRING_MAP: dict,
    ParamType.MAP: dict,
}


class TypeMismatch(ValueError):
    """A value does not fit its type. ``path`` leads to the offending part: names of entries, indices of items."""

    def __init__(self, kind: ParamType, value: Any, path: tuple[str | int, ...] = ()) -> None:
        self.kind, self.value, self.path = kind, value, path
        super().__init__(f"{preview(value)} does not fit the type {kind}")


def cast(kind: ParamType, value: Any) -> Any:
    """The value in its declared type: a string that holds a number becomes one, a number becomes a string, and so on.

    Entries of a MAP have the types of their values. A string in place of a container is read as JSON: this is how a
    reference yields a container.

    Raises:
        TypeMismatch: the value does not fit.
    """
    container = _CONTAINERS.get(kind)
    if container is None:
        return _scalar(kind, value)
    if isinstance(value, str):
        value = _from_json(kind, value)
    if not isinstance(value, container):
        raise TypeMismatch(kind, value)
    return _container(kind, value, _scalar)


def cast_literal(kind: ParamType, value: Any) -> Any:
    """``cast`` for a literal of a definition: a string with references is left as it is, and cast once these are known.

    Raises:
        TypeMismatch: the value does not fit; a string without references never fits a container.
    """
    container = _CONTAINERS.get(kind)
    if isinstance(value, str) and kind is not ParamType.STRING and has_reference(value):
        return value
    if container is None:
        return _scalar(kind, value)
    if not isinstance(value, container):
        raise TypeMismatch(kind, value)
    return _container(kind, value, cast_literal)


def _container(kind: ParamType, value: Any, scalar: Callable[[ParamType, Any], Any]) -> Any:
    if isinstance(value, list):
        return [_part(scalar, ITEM_TYPES[kind], item, index) for index, item in enumerate(value)]
    if kind is ParamType.MAP:
        return {name: _part(_entry, kind, item, name) for name, item in value.items()}
    return {name: _part(scalar, ParamType.STRING, item, name) for name, item in value.items()}


def _part(caster: Callable[[ParamType, Any], Any], kind: ParamType, part: Any, at: str | int) -> Any:
    try:
        return caster(kind, part)
    except TypeMismatch as mismatch:
        raise TypeMismatch(mismatch.kind, mismatch.value, (at, *mismatch.path)) from None


def _entry(_map: ParamType, item: Any) -> Param:
    if isinstance(item, Param):
        return item
    try:
        return infer_param("", item)
    except ValueNotStorable:
        raise TypeMismatch(ParamType.MAP, item) from None


def _from_json(kind: ParamType, text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise TypeMismatch(kind, text) from None


def _scalar(kind: ParamType, value: Any) -> Any:
    match kind, value:
        case ParamType.STRING, str():
            return value
        case ParamType.STRING, bool() | int() | float():
            return json.dumps(value)
        case ParamType.BOOLEAN, bool():
            return value
        case ParamType.BOOLEAN, str() if value.lower() in {"true", "false"}:
            return value.lower() == "true"
        case ((ParamType.LONG | ParamType.DOUBLE), bool()):
            raise TypeMismatch(kind, value)
        case ParamType.LONG, int() | float() | str():
            return _long(value)
        case ParamType.DOUBLE, int() | float() if isfinite(value):
            return float(value)
        case ParamType.DOUBLE, str() if _DECIMAL.fullmatch(value) and isfinite(float(value)):
            return float(value)
        case _:
            raise TypeMismatch(kind, value)


def _long(value: float | str) -> int:
    if isinstance(value, str):
        is_whole = _INTEGER.fullmatch(value) is not None
    else:
        is_whole = isfinite(value) and value == value // 1
    if not is_whole or not _INT_MIN <= int(value) <= _INT_MAX:
        raise TypeMismatch(ParamType.LONG, value)
    return int(value)
