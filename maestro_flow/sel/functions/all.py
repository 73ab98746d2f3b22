"""All functions, indexed for the compiler: by name and number of arguments, then by type or class."""

from __future__ import annotations

from maestro_flow.sel.functions.containers import CONTAINERS
from maestro_flow.sel.functions.dates import DATES
from maestro_flow.sel.functions.numbers import NUMBERS
from maestro_flow.sel.functions.params import PARAMS
from maestro_flow.sel.functions.strings import STRINGS
from maestro_flow.sel.functions.table import Function, Table
from maestro_flow.sel.functions.util import UTIL
from maestro_flow.sel.values import ClassName, Kind

__all__ = ["FUNCTIONS"]

FUNCTIONS: dict[tuple[str, int], dict[Kind | ClassName, Function]] = {}

for (_owner, _name, _count), _function in Table.joined(
    [CONTAINERS, DATES, NUMBERS, PARAMS, STRINGS, UTIL]
).entries.items():
    FUNCTIONS.setdefault((_name, _count), {})[_owner] = _function
