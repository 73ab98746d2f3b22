"""Values by declared type: Maestro casts what fits, and rejects the rest (ParamsMergeHelper, Jackson's coercions)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import Any, TypeAlias

from maestro_flow.dsl.place import Place, guess, listing, shown
from maestro_flow.errors import DefinitionError, ValueNotStorable
from maestro_flow.model.params import ParamMode, ParamType, infer_param

__all__ = ["Nested", "cast", "infer_type", "read_mode", "read_type"]

Nested: TypeAlias = Callable[[str, Any, Place], Any]
"""Reads one entry of a MAP: its name, what is given, where it stands."""

_INTEGER = re.compile(r"[-+]?\d{1,19}", re.ASCII)
_DECIMAL = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", re.ASCII)
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_ITEMS = {
    ParamType.STRING_ARRAY: ParamType.STRING,
    ParamType.LONG_ARRAY: ParamType.LONG,
    ParamType.DOUBLE_ARRAY: ParamType.DOUBLE,
    ParamType.BOOLEAN_ARRAY: ParamType.BOOLEAN,
}


def read_type(given: Any, place: Place) -> ParamType:
    """A type by its name, in upper or lower case."""
    try:
        return ParamType(given.upper())
    except (AttributeError, ValueError):
        raise place.error(
            f"unknown type {shown(given)}{guess(given, ParamType)}; the types are {listing(list(ParamType))}"
        ) from None


def read_mode(given: Any, place: Place) -> ParamMode:
    """A mode by its name, in upper or lower case."""
    try:
        return ParamMode(given.upper())
    except (AttributeError, ValueError):
        raise place.error(
            f"unknown mode {shown(given)}{guess(given, ParamMode)}; the modes are {listing(list(ParamMode))}"
        ) from None


def infer_type(value: Any, place: Place) -> ParamType:
    """The type of a plain value that stands without one.

    Raises:
        DefinitionError: params have no such value: they know no null, and lists of one kind of scalar only.
    """
    try:
        return infer_param("", value).type
    except ValueNotStorable:
        raise place.error(
            f"{shown(value)} is no param; expected text, a number, true, false, a list with one type of these, "
            "or an object"
        ) from None


def cast(kind: ParamType, value: Any, place: Place, nested: Nested) -> Any:
    """The value as its declared type has it: text that holds a number becomes one, a number becomes text, and so on.

    Raises:
        DefinitionError: it does not fit; the message names the param (by its place), the type and the value.
    """
    match kind, value:
        case ParamType.MAP, dict():
            return {name: nested(name, item, place / name) for name, item in value.items()}
        case ParamType.STRING_MAP, dict():
            return {name: _scalar(ParamType.STRING, item, place / name) for name, item in value.items()}
        case (
            (ParamType.STRING_ARRAY | ParamType.LONG_ARRAY | ParamType.DOUBLE_ARRAY | ParamType.BOOLEAN_ARRAY),
            list(),
        ):
            return [_scalar(_ITEMS[kind], item, place[index]) for index, item in enumerate(value)]
        case _:
            return _scalar(kind, value, place)


def _scalar(kind: ParamType, value: Any, place: Place) -> Any:
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
            raise _misfit(kind, value, place)
        case ParamType.LONG, int() | float() | str():
            return _long(value, place)
        case ParamType.DOUBLE, int() | float():
            return float(value)
        case ParamType.DOUBLE, str() if _DECIMAL.fullmatch(value) and isfinite(float(value)):
            return float(value)
        case _:
            raise _misfit(kind, value, place)


def _long(value: float | str, place: Place) -> int:
    is_whole = _INTEGER.fullmatch(value) if isinstance(value, str) else value == value // 1
    if not is_whole or not _INT_MIN <= int(value) <= _INT_MAX:
        raise _misfit(ParamType.LONG, value, place)
    return int(value)


def _misfit(kind: ParamType, value: Any, place: Place) -> DefinitionError:
    return place.error(f"{shown(value)} does not fit the type {kind}")
