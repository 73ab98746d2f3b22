"""The conditions under which one step follows another: a constant, or a text of SEL."""

from __future__ import annotations

import re
from typing import Any

from maestro_flow.core.params.plan import names_of
from maestro_flow.dsl.place import Place, shown
from maestro_flow.errors import SelError

__all__ = ["read_condition"]

_CONSTANT = re.compile(r"\s*(true|false)\s*(;\s*)*")


def read_condition(given: Any, place: Place) -> bool | str:
    """A constant as a bool, anything else as its text, which is SEL.

    Raises:
        DefinitionError: it is neither a boolean nor a text, or the text is empty or not SEL.
    """
    if isinstance(given, bool):
        return given
    if not isinstance(given, str):
        raise place.error(f"expected a condition: true, false or a SEL text, got {shown(given)}")
    constant = _CONSTANT.fullmatch(given)
    if constant:
        return constant[1] == "true"
    if not given.strip(" \t\r\n;"):
        raise place.error(f"the condition {shown(given)} says nothing; expected true, false or a SEL text")
    try:
        names_of(given)
    except SelError as error:
        raise place.error(f"the condition {shown(given)} is not SEL: {error}") from None
    return given
