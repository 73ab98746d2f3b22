"""The values of SEL. Scalars are Python's own ``int``, ``float``, ``bool``, ``str``; null is ``None``.

Strings hold UTF-16 units, as in Java: a character beyond U+FFFF is two of them. ``convert`` converts in both
directions, so that length, indices, comparison and hashes are Java's without further effort.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from attrs import define, field, frozen

if TYPE_CHECKING:
    from uuid import UUID

__all__ = ["ELEMENT_KINDS", "Array", "ClassName", "Kind", "SelMap", "Unset", "Uuid", "Value", "Variable", "kind_of"]

Value: TypeAlias = object
"""Any value of SEL. Its type is found with ``kind_of``, never through an attribute named by an expression."""


class Kind(StrEnum):
    """SEL's types under Maestro's names; messages show them."""

    STRING = "STRING"
    LONG = "LONG"
    DOUBLE = "DOUBLE"
    BOOLEAN = "BOOLEAN"
    STRING_ARRAY = "STRING_ARRAY"
    LONG_ARRAY = "LONG_ARRAY"
    DOUBLE_ARRAY = "DOUBLE_ARRAY"
    BOOLEAN_ARRAY = "BOOLEAN_ARRAY"
    MAP = "MAP"
    NULL = "NULL"
    DATETIME = "DATETIME"
    DATETIME_ZONE = "DATETIME_ZONE"
    DATETIME_FORMATTER = "DATETIME_FORMATTER"
    DATETIME_PROPERTY = "DATETIME_PROPERTY"
    DATETIME_DAYS = "DATETIME_DAYS"
    UUID = "UUID"
    CLASS = "CLASS"


ELEMENT_KINDS = {
    Kind.STRING_ARRAY: Kind.STRING,
    Kind.LONG_ARRAY: Kind.LONG,
    Kind.DOUBLE_ARRAY: Kind.DOUBLE,
    Kind.BOOLEAN_ARRAY: Kind.BOOLEAN,
}


@define(eq=False)
class Array:
    """A one-dimensional array. ``kind`` is None for an empty one from Python, whose type is unknown."""

    items: list[Value]
    kind: Kind | None


@define(eq=False)
class SelMap:
    """A map with string keys in insertion order. A variable passed to ``put`` is stored as a variable."""

    kind: ClassVar[Kind] = Kind.MAP
    entries: dict[str, Value] = field(factory=dict)

    def items(self) -> Iterator[tuple[str, Value]]:
        return ((key, value.value if isinstance(value, Variable) else value) for key, value in self.entries.items())

    def get(self, key: str) -> Value:
        value = self.entries[key]
        return value.value if isinstance(value, Variable) else value


@frozen
class Unset:
    """The value of a variable that was declared without one: a null with a type."""

    kind: Kind


@frozen
class Uuid:
    kind: ClassVar[Kind] = Kind.UUID
    value: UUID


@frozen(eq=False)
class ClassName:
    """A class: only its static methods, fields and constructor can be used. ``params`` is one too."""

    kind: ClassVar[Kind] = Kind.CLASS
    name: str


@define(eq=False)
class Variable:
    """A local variable, or a param that has been read."""

    value: Value


_KINDS_OF_PYTHON = {
    str: Kind.STRING,
    int: Kind.LONG,
    float: Kind.DOUBLE,
    bool: Kind.BOOLEAN,
    type(None): Kind.NULL,
}


def kind_of(value: Value) -> Kind:
    """The type of a value; an empty array from Python counts as one of strings."""
    kind = _KINDS_OF_PYTHON.get(type(value))
    if kind is None:
        kind = value.kind  # type: ignore[attr-defined]  # all our classes have it
    return kind or Kind.STRING_ARRAY
