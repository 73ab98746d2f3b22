"""Types, modes and values of params in a definition: the casts of the engine, with the place in errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from maestro_flow.core.params.casts import TypeMismatch
from maestro_flow.core.params.messages import did_you_mean, preview
from maestro_flow.dsl.place import Place, listing
from maestro_flow.errors import DefinitionError, ValueNotStorable
from maestro_flow.model.params import ParamMode, ParamType, infer_param

__all__ = ["at_place", "cast_at", "infer_type", "read_mode", "read_type"]


def read_type(given: Any, place: Place) -> ParamType:
    """A type by its name, in upper or lower case."""
    try:
        return ParamType(given.upper())
    except (AttributeError, ValueError):
        raise place.error(
            f"unknown type {preview(given)}{did_you_mean(given, ParamType)}; the types are {listing(list(ParamType))}"
        ) from None


def read_mode(given: Any, place: Place) -> ParamMode:
    """A mode by its name, in upper or lower case."""
    try:
        return ParamMode(given.upper())
    except (AttributeError, ValueError):
        raise place.error(
            f"unknown mode {preview(given)}{did_you_mean(given, ParamMode)}; the modes are {listing(list(ParamMode))}"
        ) from None


def infer_type(value: Any, place: Place) -> ParamType:
    """The type of a plain value that is given without one.

    Raises:
        DefinitionError: a param cannot have this value: null is not one, and a list has scalars of one type.
    """
    try:
        return infer_param("", value).type
    except ValueNotStorable:
        raise place.error(
            f"{preview(value)} is not a valid param; expected text, a number, true, false, a list with one type of "
            "these, or an object"
        ) from None


def cast_at(cast: Callable[[ParamType, Any], Any], kind: ParamType, value: Any, place: Place) -> Any:
    """The value in its declared type; ``cast`` is a function of ``core.params.casts``.

    Raises:
        DefinitionError: it does not fit; the message has the place of the param, the type and the value.
    """
    try:
        return cast(kind, value)
    except TypeMismatch as mismatch:
        raise at_place(mismatch, place) from None


def at_place(mismatch: TypeMismatch, place: Place) -> DefinitionError:
    """The error at its exact place: the path inside the value is appended to the place of the value."""
    for part in mismatch.path:
        place = place[part] if isinstance(part, int) else place / part
    return place.error(str(mismatch))
