"""Typed parameters, as in Maestro: a name has a type, a mode, and a value or the expression that yields it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec.structs import force_setattr, replace

from maestro_flow.errors import ValueNotStorable

__all__ = ["Param", "ParamMode", "ParamSource", "ParamType", "as_data", "encode_params", "infer_param"]


class ParamType(StrEnum):
    """The closed list of types. MAP nests typed params; each of the other containers holds one type."""

    STRING = "STRING"
    LONG = "LONG"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    STRING_MAP = "STRING_MAP"
    STRING_ARRAY = "STRING_ARRAY"
    LONG_ARRAY = "LONG_ARRAY"
    DOUBLE_ARRAY = "DOUBLE_ARRAY"
    BOOLEAN_ARRAY = "BOOLEAN_ARRAY"
    MAP = "MAP"


class ParamMode(StrEnum):
    """What may still change a param, from anything to nothing: each mode is stricter than the one before."""

    MUTABLE = "MUTABLE"
    MUTABLE_ON_START_RESTART = "MUTABLE_ON_START_RESTART"
    MUTABLE_ON_START = "MUTABLE_ON_START"
    IMMUTABLE = "IMMUTABLE"
    CONSTANT = "CONSTANT"


class ParamSource(StrEnum):
    """Where the value of a param came from (ParamSource.java), without the sources that this version does not have."""

    SYSTEM_DEFAULT = "SYSTEM_DEFAULT"
    DEFINITION = "DEFINITION"
    OUTPUT_PARAMETER = "OUTPUT_PARAMETER"
    LAUNCH = "LAUNCH"
    RESTART = "RESTART"


class Param(msgspec.Struct, frozen=True, omit_defaults=True):
    """One param: a literal ``value`` of the shape that ``type`` prescribes, or the SEL ``expression`` that yields it.

    In a definition the strings of a value may refer to other params (``$name``, ``${name}``, and ``$$`` for a dollar
    sign), and a value of any type may be given as such a string if a reference yields all of it. In an evaluated param,
    such as one in an event, strings are literal. A value is never changed in place: params share values.

    The value of a MAP is a dict of params. An entry given as a plain value, as event schema 1 wrote them, is the param
    that ``infer_param`` makes of it.
    """

    type: ParamType
    value: Any = None
    mode: ParamMode = ParamMode.MUTABLE
    expression: str | None = None
    source: ParamSource = ParamSource.DEFINITION

    def __post_init__(self) -> None:
        if self.type is ParamType.MAP and isinstance(self.value, dict):
            if all(isinstance(entry, Param) for entry in self.value.values()):
                return
            force_setattr(self, "value", {name: _entry(name, entry) for name, entry in self.value.items()})

    @property
    def plain(self) -> Any:
        """The value as plain Python data: that of a MAP without the types and modes of its entries."""
        if self.type is ParamType.MAP and isinstance(self.value, dict):
            return {name: entry.plain for name, entry in self.value.items()}
        return self.value


def _entry(name: str, given: Any) -> Param:
    """An entry of a MAP: a param, one that was decoded as plain JSON, or a plain value."""
    if isinstance(given, dict) and given.get("type") in _TYPE_NAMES and given.keys() <= _FIELDS:
        return msgspec.convert(given, Param)
    return infer_param(name, given)


_TYPE_NAMES = frozenset(ParamType)
_FIELDS = frozenset(Param.__struct_fields__)


def as_data(param: Param) -> Param:
    """The param with every ``$`` in its strings doubled: evaluated as a definition, it yields the same value."""
    if param.expression is not None:
        return param
    value = _doubled(param.value)
    return param if value is param.value else replace(param, value=value)


def _doubled(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$") if "$" in value else value
    if isinstance(value, list):
        return (
            [_doubled(item) for item in value]
            if any(isinstance(item, str) and "$" in item for item in value)
            else value
        )
    if isinstance(value, dict) and value:
        if all(isinstance(entry, Param) for entry in value.values()):  # the names of a MAP's entries hold no references
            return {name: as_data(entry) for name, entry in value.items()}
        return {_doubled(name): _doubled(item) for name, item in value.items()}
    return value


def encode_params(params: dict[str, Param]) -> bytes:
    """Params as JSON, in order."""
    return msgspec.json.encode(params)


_SCALARS = {bool: ParamType.BOOLEAN, int: ParamType.LONG, float: ParamType.DOUBLE, str: ParamType.STRING}
_ARRAYS = {
    bool: ParamType.BOOLEAN_ARRAY,
    int: ParamType.LONG_ARRAY,
    float: ParamType.DOUBLE_ARRAY,
    str: ParamType.STRING_ARRAY,
}


def infer_param(name: str, value: Any) -> Param:
    """The param for a plain value: a scalar, a list of one type of scalar (an empty one is of strings), or a map.

    A value that is a param already, also as an entry of a map, is left as it is.

    Raises:
        ValueNotStorable: a param cannot have this value (null, or a nested value outside a MAP).
    """
    if isinstance(value, Param):
        return value
    if type(value) in _SCALARS:
        return Param(_SCALARS[type(value)], value)
    if isinstance(value, list | tuple):
        kinds = {type(item) for item in value} or {str}
        if len(kinds) == 1 and (kind := kinds.pop()) in _ARRAYS:
            return Param(_ARRAYS[kind], list(value))
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        if all(isinstance(item, str) for item in value.values()):
            return Param(ParamType.STRING_MAP, dict(value))
        return Param(ParamType.MAP, {key: infer_param(f"{name}.{key}", item) for key, item in value.items()})
    raise ValueNotStorable(
        f"param {name!r}: a {type(value).__name__} is not a valid param; expected a string, an int, a float, a bool, "
        "a list of one of these, or a dict with string keys"
    )
