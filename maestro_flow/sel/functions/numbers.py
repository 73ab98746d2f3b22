"""Methods of LONG, DOUBLE and BOOLEAN and of their classes, and ``Math``."""

from __future__ import annotations

from maestro_flow.errors import SelTypeError
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.classes import CLASSES
from maestro_flow.sel.functions.table import Arguments, Table, long_argument, string_argument
from maestro_flow.sel.numbers import double_text, double_to_long, parse_double, parse_long, power
from maestro_flow.sel.values import Kind, Value, kind_of

__all__ = ["NUMBERS", "long_of"]


def long_of(value: Value) -> int:
    """A LONG, or a STRING that contains one."""
    return value if type(value) is int else parse_long(string_argument(value))


def double_of(value: Value) -> float:
    return value if isinstance(value, float) else parse_double(string_argument(value))


def boolean_of(value: Value) -> bool:
    """A BOOLEAN, or a STRING: true if it is "true" in upper or lower case, otherwise false."""
    return value if isinstance(value, bool) else string_argument(value).lower() == "true"


def number(value: Value) -> float:
    if type(value) is int or isinstance(value, float):
        return float(value)
    raise SelTypeError(f"a number is expected here, not {kind_of(value)}")


def double_argument(value: Value) -> float:
    if not isinstance(value, float):
        raise SelTypeError(f"a DOUBLE is expected here, not {kind_of(value)}")
    return value


def _long_text(_frame: Frame, receiver: Value, _: Arguments) -> str:
    return str(receiver)


def _double_text(_frame: Frame, receiver: Value, _: Arguments) -> str:
    return double_text(double_argument(receiver))


def _double_long(_frame: Frame, receiver: Value, _: Arguments) -> int:
    return double_to_long(double_argument(receiver))


_LONG_STATIC = {
    ("toString", 1): lambda _, __, given: str(long_argument(given[0])),
    ("valueOf", 1): lambda _, __, given: long_of(given[0]),
    ("parseLong", 1): lambda _, __, given: parse_long(string_argument(given[0])),
}
_DOUBLE_STATIC = {
    ("toString", 1): lambda _, __, given: double_text(double_argument(given[0])),
    ("valueOf", 1): lambda _, __, given: double_of(given[0]),
    ("parseDouble", 1): lambda _, __, given: parse_double(string_argument(given[0])),
}

NUMBERS = Table.joined(
    [
        Table.of(CLASSES["Long"], {**_LONG_STATIC, ("new", 1): lambda _, __, given: long_of(given[0])}),
        Table.of(Kind.LONG, {**_LONG_STATIC, ("toString", 0): _long_text, ("intValue", 0): lambda _, own, __: own}),
        Table.of(CLASSES["Double"], {**_DOUBLE_STATIC, ("new", 1): lambda _, __, given: double_of(given[0])}),
        Table.of(
            Kind.DOUBLE,
            {
                **_DOUBLE_STATIC,
                ("toString", 0): _double_text,
                ("intValue", 0): _double_long,
                ("longValue", 0): _double_long,
            },
        ),
        Table.of(CLASSES["Boolean"], {("new", 1): lambda _, __, given: boolean_of(given[0])}),
        Table.of(
            CLASSES["Math"],
            {
                ("min", 2): lambda _, __, given: min(long_argument(given[0]), long_argument(given[1])),
                ("max", 2): lambda _, __, given: max(long_argument(given[0]), long_argument(given[1])),
                ("pow", 2): lambda _, __, given: power(number(given[0]), number(given[1])),
                ("random", 0): lambda frame, _, __: frame.environment.random.random(),
            },
        ),
    ]
)
