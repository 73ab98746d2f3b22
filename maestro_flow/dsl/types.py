"""Types, modes and values of params where they stand in a definition: the casts of the engine, with the place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maestro_flow.core.params.casts import Misfit
from maestro_flow.dsl.place import Place, guess, listing, shown
from maestro_flow.errors import DefinitionError, ValueNotStorable
from maestro_flow.model.params import ParamMode, ParamType, infer_param

__all__ = ["at_place", "cast_at", "infer_type", "read_mode", "read_type"]


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


def cast_at(cast: Callable[[ParamType, Any], Any], kind: ParamType, value: Any, place: Place) -> Any:
    """The value as its declared type has it: ``cast`` is one of ``core.params.casts``.

    Raises:
        DefinitionError: it does not fit; the message names the param (by its place), the type and the value.
    """
    try:
        return cast(kind, value)
    except Misfit as misfit:
        raise at_place(misfit, place) from None


def at_place(misfit: Misfit, place: Place) -> DefinitionError:
    """The error, where it is: the path inside the value continues the place of the value."""
    for part in misfit.path:
        place = place[part] if isinstance(part, int) else place / part
    return place.error(str(misfit))
