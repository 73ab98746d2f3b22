"""Typed parameters, as Maestro knows them: a name has a type, a mode, and a value or the expression that gives it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from attrs import frozen

from maestro_flow.errors import ValueNotStorable

__all__ = ["Param", "ParamMode", "ParamSource", "ParamType", "decode_params", "encode_params", "infer_param"]


class ParamType(StrEnum):
    """The closed list of types. MAP nests typed params; the other containers hold one type each."""

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
    """Who may still change a param, from anyone to no one."""

    MUTABLE = "MUTABLE"
    MUTABLE_ON_START_RESTART = "MUTABLE_ON_START_RESTART"
    MUTABLE_ON_START = "MUTABLE_ON_START"
    IMMUTABLE = "IMMUTABLE"
    CONSTANT = "CONSTANT"


class ParamSource(StrEnum):
    """Where the value of a param came from (ParamSource.java); those that nothing here gives yet are left out."""

    SYSTEM_DEFAULT = "SYSTEM_DEFAULT"
    DEFINITION = "DEFINITION"
    OUTPUT_PARAMETER = "OUTPUT_PARAMETER"
    LAUNCH = "LAUNCH"
    RESTART = "RESTART"


@frozen
class Param:
    """One param: a literal ``value`` of the shape that ``type`` says, or the SEL ``expression`` that gives it.

    In a definition the texts of a value may refer to other params (``$name``, ``${name}``, and ``$$`` for a dollar);
    in an evaluated param, such as one of an event, they are what they are.
    """

    type: ParamType
    value: Any = None
    mode: ParamMode = ParamMode.MUTABLE
    expression: str | None = None
    source: ParamSource = ParamSource.DEFINITION


def encode_params(params: dict[str, Param]) -> bytes:
    """Params as JSON, in their order."""
    return msgspec.json.encode(params)


_decoder = msgspec.json.Decoder(dict[str, Param])


def decode_params(data: bytes) -> dict[str, Param]:
    """The inverse of ``encode_params``."""
    return _decoder.decode(data)


_SCALARS = {bool: ParamType.BOOLEAN, int: ParamType.LONG, float: ParamType.DOUBLE, str: ParamType.STRING}
_ARRAYS = {
    bool: ParamType.BOOLEAN_ARRAY,
    int: ParamType.LONG_ARRAY,
    float: ParamType.DOUBLE_ARRAY,
    str: ParamType.STRING_ARRAY,
}


def infer_param(name: str, value: Any) -> Param:
    """The param that a plain value is: a scalar, a list of one kind of scalar (an empty one is of strings), or a map.

    Raises:
        ValueNotStorable: Maestro's params have no such value (they know no null, and no nesting but in a MAP).
    """
    if type(value) in _SCALARS:
        return Param(_SCALARS[type(value)], value)
    if isinstance(value, list | tuple):
        kinds = {type(item) for item in value} or {str}
        if len(kinds) == 1 and (kind := kinds.pop()) in _ARRAYS:
            return Param(_ARRAYS[kind], list(value))
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        if all(isinstance(item, str) for item in value.values()):
            return Param(ParamType.STRING_MAP, dict(value))
        nested = {key: infer_param(f"{name}.{key}", item).value for key, item in value.items()}
        return Param(ParamType.MAP, nested)
    raise ValueNotStorable(
        f"param {name!r}: a {type(value).__name__} is no Maestro param; expected a string, an int, a float, a bool, "
        "a list of one of these, or a dict with string keys"
    )
