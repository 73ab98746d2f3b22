"""Types, modes and values of params in a definition: the casts of the engine, with the location in errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maestro_flow.core.params.casts import TypeMismatch
from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.location import Location, listing
from maestro_flow.errors import DefinitionError, ValueNotStorable
from maestro_flow.model.params import ParamMode, ParamType, infer_param

__all__ = ["at_place", "cast_at", "infer_type", "read_mode", "read_type"]


def read_type(given: Any, location: Location) -> ParamType:
    """A type by its name, in upper or lower case."""
    try:
        return ParamType(given.upper())
    except (AttributeError, ValueError):
        raise location.error(
            f"unknown type {preview(given)}{did_you_mean(given, ParamType)}; the types are {listing(list(ParamType))}"
        ) from None


def read_mode(given: Any, location: Location) -> ParamMode:
    """A mode by its name, in upper or lower case."""
    try:
        return ParamMode(given.upper())
    except (AttributeError, ValueError):
        raise location.error(
            f"unknown mode {preview(given)}{did_you_mean(given, ParamMode)}; the modes are {listing(list(ParamMode))}"
        ) from None


def infer_type(value: Any, location: Location) -> ParamType:
    """The type of a plain value that is given without one.

    Raises:
        DefinitionError: a param cannot have this value: null is not one, and a list has scalars of one type.
    """
    try:
        return infer_param("", value).type
    except ValueNotStorable:
        raise location.error(
            f"{preview(value)} is not a valid param; expected text, a number, true, false, a list with one type of "
            "these, or an object"
        ) from None


def cast_at(cast: Callable[[ParamType, Any], Any], kind: ParamType, value: Any, location: Location) -> Any:
    """The value in its declared type; ``cast`` is a function of ``core.params.casts``.

    Raises:
        DefinitionError: it does not fit; the message has the location of the param, the type and the value.
    """
    try:
        return cast(kind, value)
    except TypeMismatch as mismatch:
        raise at_place(mismatch, location) from None


def at_place(mismatch: TypeMismatch, location: Location) -> DefinitionError:
    """The error at its exact location: the path inside the value is appended to the location of the value."""
    for part in mismatch.path:
        location = location[part] if isinstance(part, int) else location / part
    return location.error(str(mismatch))
