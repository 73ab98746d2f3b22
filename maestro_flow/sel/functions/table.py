"""The closed table of what can be called: (type or class, name, number of arguments) to one function.

Nothing else is ever looked up by a name from an expression, so it cannot reach any Python attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from attrs import frozen

from maestro_flow.errors import SelTypeError
from maestro_flow.sel.dates.values import DateTime, Zone
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.numbers import INT_MAX, INT_MIN
from maestro_flow.sel.values import ClassName, Kind, Value, kind_of

__all__ = ["Arguments", "Function", "Table", "date_argument", "int_argument", "long_argument", "string_argument",
           "zone_argument"]  # fmt: skip

Arguments: TypeAlias = list[Value]
Function: TypeAlias = Callable[[Frame, Value, Arguments], Value]
"""A method gets its receiver and as many arguments as its entry says; a static one gets the class as receiver."""


@frozen
class Table:
    """The functions of one file."""

    entries: dict[tuple[Kind | ClassName, str, int], Function]

    @staticmethod
    def of(owner: Kind | ClassName, functions: dict[tuple[str, int], Function]) -> Table:
        return Table({(owner, name, count): function for (name, count), function in functions.items()})

    @staticmethod
    def joined(tables: Iterable[Table]) -> Table:
        return Table({key: function for table in tables for key, function in table.entries.items()})


def string_argument(value: Value) -> str:
    if type(value) is not str:
        raise SelTypeError(f"a STRING is expected here, not {kind_of(value)}")
    return value


def long_argument(value: Value) -> int:
    if type(value) is not int:
        raise SelTypeError(f"a LONG is expected here, not {kind_of(value)}")
    return value


def int_argument(value: Value) -> int:
    """A LONG that fits 32 bits, as Java's ``int`` does."""
    number = long_argument(value)
    if not INT_MIN <= number <= INT_MAX:
        raise SelTypeError(f"{number} does not fit in an int (32 bits)")
    return number


def date_argument(value: Value) -> DateTime:
    if not isinstance(value, DateTime):
        raise SelTypeError(f"a DATETIME is expected here, not {kind_of(value)}")
    return value


def zone_argument(value: Value) -> Zone:
    if not isinstance(value, Zone):
        raise SelTypeError(f"a DATETIME_ZONE is expected here, not {kind_of(value)}")
    return value
