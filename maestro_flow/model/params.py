"""Typed parameters, as Maestro knows them: a name has a type, a mode and a literal value."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from attrs import frozen

__all__ = ["Param", "ParamMode", "ParamType"]


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


@frozen
class Param:
    """One literal param. ``value`` is plain JSON of the shape that ``type`` says; for MAP a dict of plain values."""

    type: ParamType
    value: Any
    mode: ParamMode = ParamMode.MUTABLE
