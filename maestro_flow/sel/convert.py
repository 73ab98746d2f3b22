"""Conversion between plain Python values and values of SEL: always by copying, always counted."""

from __future__ import annotations

from maestro_flow.errors import SelLimit, SelTypeError
from maestro_flow.sel.frame import CHAR_BYTES, ENTRY_BYTES, Frame, to_characters, to_units
from maestro_flow.sel.numbers import LONG_MAX, LONG_MIN
from maestro_flow.sel.values import Array, Kind, SelMap, Unset, Value, kind_of

__all__ = ["from_python", "to_python"]


def from_python(frame: Frame, value: object, depth: int = 0) -> Value:
    """A plain Python value as a value of SEL; only exact types are accepted, never subclasses.

    Raises:
        SelTypeError: no type of SEL fits.
        SelLimit: the value is too deep or too large.
    """
    check_depth(frame, depth)
    match value:
        case None | bool() | float():
            pass
        case int():
            if not LONG_MIN <= value <= LONG_MAX:
                raise SelTypeError(f"{shown(value)} does not fit in a LONG (64 bits)")
        case str() if type(value) is str:
            return frame.string(to_units(value))
        case list() | tuple():
            return array_from_python(frame, list(value))
        case dict():
            return map_from_python(frame, value, depth)
        case _:
            raise SelTypeError(f"a {type(value).__name__} is not a valid SEL value")
    if type(value) not in {int, float, bool, type(None)}:
        raise SelTypeError(f"a {type(value).__name__} is not a valid SEL value")
    return value


def array_from_python(frame: Frame, items: list[object]) -> Array:
    frame.reserve_array(len(items))
    types = {type(item) for item in items}
    match sorted(found.__name__ for found in types):
        case []:
            kind = None
        case ["str"]:
            return Array([from_python(frame, item) for item in items], Kind.STRING_ARRAY)
        case ["NoneType", "str"]:  # as Maestro's foreach yields them: an iteration without the value
            return Array(
                [Unset(Kind.STRING) if item is None else from_python(frame, item) for item in items],
                Kind.STRING_ARRAY,
            )
        case ["int"]:
            kind = Kind.LONG_ARRAY
        case ["float"] | ["float", "int"]:
            kind = Kind.DOUBLE_ARRAY
            items = [as_double(item) for item in items]
        case ["bool"]:
            kind = Kind.BOOLEAN_ARRAY
        case names:
            raise SelTypeError(
                f"an array of {' and '.join(names)} is not a valid SEL value: items have one scalar type"
            )
    return Array([from_python(frame, item) for item in items], kind)


def as_double(item: object) -> float:
    try:
        return float(item)  # type: ignore[arg-type]  # the caller has checked that it is an int or a float
    except OverflowError:
        raise SelTypeError("an int is too large for a DOUBLE") from None


def map_from_python(frame: Frame, value: dict[object, object], depth: int) -> SelMap:
    made = SelMap()
    for key, item in value.items():
        if type(key) is not str:
            raise SelTypeError(f"a map has a key of type {type(key).__name__}: keys must be strings")
        if item is None:
            raise SelTypeError(f"the entry {shown(key)} of a map is null, which is not allowed in a map from outside")
        frame.spend(1)
        frame.put(made, to_units(key), from_python(frame, item, depth + 1))
    return made


def to_python(frame: Frame, value: Value, depth: int = 0) -> object:
    """The result of an evaluation as a plain Python value.

    Raises:
        SelTypeError: its type, such as DATETIME, exists only inside expressions.
    """
    check_depth(frame, depth)
    match value:
        case str():
            return to_characters(value)
        case Array(items=items):
            frame.allocate(32 * len(items))
            return [to_python(frame, item, depth + 1) for item in items]
        case SelMap():
            made = {}
            for key, item in value.items():
                if item is None:
                    raise SelTypeError(
                        f"the entry {shown(key)} of the result is null, which is not allowed in a result"
                    )
                frame.allocate(ENTRY_BYTES + CHAR_BYTES * len(key))
                made[to_characters(key)] = to_python(frame, item, depth + 1)
            return made
        case None | bool() | int() | float():
            return value
        case Unset(kind=Kind.STRING | Kind.MAP):
            return None
    raise SelTypeError(f"the result has the type {kind_of(value)}: an expression must end in a plain value")


def check_depth(frame: Frame, depth: int) -> None:
    if depth > frame.limits.depth_max:
        raise SelLimit(f"depth_max: a value nested deeper than {frame.limits.depth_max}")


def shown(value: object) -> str:
    """A value for a message, truncated."""
    text = repr(value) if isinstance(value, str) else f"{value:,}" if abs(int(value)) < 10**30 else "a huge number"  # type: ignore[call-overload]  # strings and ints only
    return text if len(text) <= 60 else f"{text[:57]}..."
