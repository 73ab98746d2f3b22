"""The condition under which one step follows another: a constant, or a SEL expression."""

from __future__ import annotations

import re
from typing import Any

from maestro_flow.core.params.messages import preview
from maestro_flow.core.params.plan import names_of
from maestro_flow.dsl.location import Location
from maestro_flow.errors import SelError

__all__ = ["read_condition"]

_CONSTANT = re.compile(r"\s*(true|false)\s*(;\s*)*")


def read_condition(given: Any, location: Location) -> bool | str:
    """A constant as a bool, anything else as the source of a SEL expression.

    Raises:
        DefinitionError: it is neither a boolean nor a string, or the string is empty or not SEL.
    """
    if isinstance(given, bool):
        return given
    if not isinstance(given, str):
        raise location.error(f"expected a condition: true, false or a SEL expression, got {preview(given)}")
    constant = _CONSTANT.fullmatch(given)
    if constant:
        return constant[1] == "true"
    if not given.strip(" \t\r\n;"):
        raise location.error(f"the condition {preview(given)} is empty; expected true, false or a SEL expression")
    try:
        names_of(given)
    except SelError as error:
        raise location.error(f"the condition {preview(given)} is not SEL: {error}") from None
    return given
