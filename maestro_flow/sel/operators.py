"""The operators: which types each accepts, and the result. Java's arithmetic, Maestro's table of types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from maestro_flow.errors import SelTypeError
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.numbers import (
    LONG_MAX,
    LONG_MIN,
    divide,
    double_text,
    fmod,
    long_divide,
    long_remainder,
    wrap,
)
from maestro_flow.sel.text import text_of
from maestro_flow.sel.values import ClassName, Kind, Unset, Uuid, Value, kind_of

__all__ = ["BINARY", "Binary", "assign", "condition", "equal", "unary"]

Binary: TypeAlias = Callable[[Frame, Value, Value], Value]

_LONGS: dict[str, Callable[[int, int], int]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": long_divide,
    "%": long_remainder,
}
_DOUBLES: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": divide,
    "%": fmod,
}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}


def unsupported(operator: str, left: Value, right: Value) -> SelTypeError:
    return SelTypeError(f"{kind_of(left)} {operator} {kind_of(right)} is not supported")


def _arithmetic(operator: str) -> Binary:
    of_longs, of_doubles = _LONGS[operator], _DOUBLES[operator]

    def calculate(frame: Frame, left: Value, right: Value) -> Value:
        if type(left) is int and type(right) is int:
            result = of_longs(left, right)
            return result if LONG_MIN <= result <= LONG_MAX else wrap(result)
        if type(left) in _NUMBERS and type(right) in _NUMBERS:
            return of_doubles(float(left), float(right))  # type: ignore[arg-type]
        if operator == "+":
            return _concatenated(frame, left, right)
        raise unsupported(operator, left, right)

    return calculate


_NUMBERS = frozenset({int, float})


def _concatenated(frame: Frame, left: Value, right: Value) -> str:
    """A string or null accepts anything on its right; a number accepts a string."""
    match kind_of(left), kind_of(right):
        case (Kind.STRING, _) | (Kind.LONG | Kind.DOUBLE, Kind.STRING):
            pass
        case (Kind.NULL, _):
            pass
        case _:
            raise unsupported("+", left, right)
    start, end = text_of(frame, left), text_of(frame, right)
    frame.reserve(len(start) + len(end))
    return start + end


def _comparison(operator: str) -> Binary:
    compare = _COMPARISONS[operator]

    def calculate(_frame: Frame, left: Value, right: Value) -> Value:
        if type(left) is int and type(right) is int:
            return compare(left, right)
        if type(left) in _NUMBERS and type(right) in _NUMBERS:
            return compare(float(left), float(right))  # type: ignore[arg-type]
        if left is None and operator in {"<", ">"}:
            return False
        raise unsupported(operator, left, right)

    return calculate


def equal(frame: Frame, left: Value, right: Value) -> bool:
    """``==``: within a type, between numbers, between a number on the left and a string, and with null."""
    kind, other = kind_of(left), kind_of(right)
    match kind, other:
        case (Kind.LONG, Kind.LONG) | (Kind.BOOLEAN, Kind.BOOLEAN):
            return left == right
        case (Kind.LONG | Kind.DOUBLE, Kind.LONG | Kind.DOUBLE):
            return float(left) == float(right)  # type: ignore[arg-type]
        case (Kind.STRING, Kind.STRING):
            if type(left) is str:
                frame.scan(len(left))
            return left == right
        case (Kind.LONG, Kind.STRING):
            return str(left) == right
        case (Kind.DOUBLE, Kind.STRING):
            return double_text(left) == right  # type: ignore[arg-type]
        case (Kind.STRING | Kind.LONG | Kind.DOUBLE | Kind.BOOLEAN, Kind.NULL):
            return isinstance(left, Unset)
        case (Kind.NULL, _) if not isinstance(right, Uuid | ClassName):
            return right is None or isinstance(right, Unset)
    raise unsupported("==", left, right)


def _and(_frame: Frame, left: Value, right: Value) -> Value:
    if type(left) is not bool or type(right) is not bool:
        raise unsupported("&&", left, right)
    return left and right


def _or(_frame: Frame, left: Value, right: Value) -> Value:
    if type(left) is not bool or type(right) is not bool:
        raise unsupported("||", left, right)
    return left or right


BINARY: dict[str, Binary] = {
    **{operator: _arithmetic(operator) for operator in _LONGS},
    **{operator: _comparison(operator) for operator in _COMPARISONS},
    "==": equal,
    "!=": lambda frame, left, right: not equal(frame, left, right),
    "&&": _and,
    "||": _or,
}


def unary(operator: str, value: Value) -> Value:
    match operator, value:
        case ("!", bool()):
            return not value
        case ("-", int()) if type(value) is int:
            return wrap(-value)
        case ("-", float()):
            return -value
        case ("+", int() | float()) if type(value) is not bool:
            return value
    raise SelTypeError(f"{operator} {kind_of(value)} is not supported")


def assign(frame: Frame, operator: str, old: Value, new: Value) -> Value:
    """The value of a variable after an assignment to it; the type stays the same.

    Raises:
        SelTypeError: ``new`` has another type, or one without this operator.
    """
    kind, other = kind_of(old), kind_of(new)
    if operator == "=":
        if kind != other or kind in {Kind.NULL, Kind.CLASS}:
            raise SelTypeError(f"a {other} cannot be assigned to a {kind}")
        return new
    if kind is Kind.STRING and operator == "+=":
        added = text_of(frame, new)
        before = text_of(frame, old)
        frame.reserve(len(before) + len(added))
        frame.allocate(-2 * len(before))  # the old string is gone, unlike with "a = a + b"
        return before + added
    if kind == other and kind in {Kind.LONG, Kind.DOUBLE}:
        return BINARY[operator[0]](frame, old, new)
    raise SelTypeError(f"{kind} {operator} {other} is not supported")


def condition(value: Value) -> bool:
    if type(value) is not bool:
        raise SelTypeError(f"a condition must be a BOOLEAN, not {kind_of(value)}")
    return value
