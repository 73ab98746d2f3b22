"""Java's numbers: 64-bit longs, text of doubles, parsing, and the arithmetic that differs from Python's."""

from __future__ import annotations

import math
import re

from maestro_flow.errors import SelLimit, SelRuntimeError

__all__ = ["INT_MAX", "INT_MIN", "LONG_MAX", "LONG_MIN", "divide", "double_text", "double_to_long", "fmod",
           "long_divide", "long_remainder", "parse_double", "parse_long", "power", "wrap"]  # fmt: skip

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1
INT_MIN, INT_MAX = -(2**31), 2**31 - 1

_LONG = re.compile(r"[+-]?\d{1,400}")
_DECIMAL = re.compile(r"[+-]?(NaN|Infinity|(\d++\.?\d*+|\.\d++)([eE][+-]?\d++)?[fFdD]?)", re.ASCII)
_HEX = re.compile(r"([+-]?0[xX](?:[0-9a-fA-F]++\.?[0-9a-fA-F]*+|\.[0-9a-fA-F]++)[pP][+-]?\d++)[fFdD]?", re.ASCII)
DIGITS_MAX = 1000
BLANKS = "".join(map(chr, range(33)))
"""What Java's ``trim`` removes."""


def wrap(value: int) -> int:
    """The low 64 bits as a signed number: what Java's arithmetic keeps."""
    return (value + 2**63) % 2**64 - 2**63


def long_divide(left: int, right: int) -> int:
    """Division that rounds towards zero."""
    if right == 0:
        raise SelRuntimeError("/ by zero")
    quotient = abs(left) // abs(right)
    return wrap(quotient if (left < 0) == (right < 0) else -quotient)


def long_remainder(left: int, right: int) -> int:
    """The remainder has the sign of the left side."""
    if right == 0:
        raise SelRuntimeError("% by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def divide(left: float, right: float) -> float:
    """IEEE division: by zero it yields infinity or NaN."""
    if right:
        return left / right
    if left == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.copysign(math.inf, math.copysign(1, left) * math.copysign(1, right))


def fmod(left: float, right: float) -> float:
    """Java's ``%`` of doubles: C's fmod without errors."""
    if math.isinf(left) or right == 0 or math.isnan(left) or math.isnan(right):
        return math.nan
    return math.fmod(left, right)


def power(base: float, exponent: float) -> float:
    """``Math.pow``: where C and Python return 1 or raise, Java returns NaN or infinity."""
    if exponent == 0:
        return 1.0
    if math.isnan(exponent) or (abs(base) == 1 and math.isinf(exponent)):
        return math.nan
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:
        if base == 0:  # to a negative power
            return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf
        return math.nan


def double_to_long(value: float) -> int:
    """A cast: rounds towards zero, NaN becomes 0, and a number that is too large becomes the largest."""
    if math.isnan(value):
        return 0
    return int(min(max(value, float(LONG_MIN)), 2.0**63 - 1024)) if abs(value) < 2.0**63 else saturated(value)


def saturated(value: float) -> int:
    return LONG_MAX if value > 0 else LONG_MIN


def double_text(value: float) -> str:
    """``Double.toString`` as Java specifies it since JDK 19: the shortest decimal that reads back as this double."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, digits, exponent = decimal_parts(value)
    if -3 <= exponent < 7:
        if exponent < 0:
            return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
        digits = digits.ljust(exponent + 2, "0")
        return f"{sign}{digits[: exponent + 1]}.{digits[exponent + 1 :]}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{exponent}"


def decimal_parts(value: float) -> tuple[str, str, int]:
    """Sign, digits and exponent of the first digit: 1234.5 is ("", "12345", 3). Not for 0, NaN and infinities."""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    first = int(exponent or 0) + (len(whole) - 1 if whole != "0" else -1 - (len(fraction) - len(digits)))
    digits = digits.rstrip("0")
    if len(digits) == 1:  # Java uses the nearest two-digit decimal even if one digit would do: 4.9E-324
        mantissa, _, exponent = f"{abs(value):.1e}".partition("e")
        digits, first = (mantissa[0] + mantissa[2]).rstrip("0"), int(exponent)
    return "-" if value < 0 else "", digits, first


def parse_long(text: object) -> int:
    """``Long.parseLong``.

    Raises:
        SelRuntimeError: the text is not a 64-bit integer.
    """
    if isinstance(text, str) and _LONG.fullmatch(text):
        value = int(text)
        if LONG_MIN <= value <= LONG_MAX:
            return value
    raise SelRuntimeError(f"not a LONG: {quoted(text)}")


def parse_double(text: object) -> float:
    """``Double.parseDouble``.

    Raises:
        SelRuntimeError: the text is not a number.
    """
    if isinstance(text, str):
        trimmed = text.strip(BLANKS)[: DIGITS_MAX + 1]
        if len(trimmed) > DIGITS_MAX:
            raise SelLimit(f"a number of more than {DIGITS_MAX:,} characters")
        if _DECIMAL.fullmatch(trimmed):
            return float(trimmed.removesuffix("f").removesuffix("F").removesuffix("d").removesuffix("D"))
        if found := _HEX.fullmatch(trimmed):
            try:
                return float.fromhex(found[1])
            except OverflowError:
                return -math.inf if trimmed.startswith("-") else math.inf
    raise SelRuntimeError(f"not a DOUBLE: {quoted(text)}")


def quoted(text: object) -> str:
    """Text for a message, in quotes and truncated."""
    return repr(text) if not isinstance(text, str) or len(text) <= 60 else f"{text[:57]!r}..."
