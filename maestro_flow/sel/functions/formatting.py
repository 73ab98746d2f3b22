"""``String.format``: Java's conversions ``% b c d e f g h n o s x`` and their upper-case variants."""

from __future__ import annotations

import math
import re
import struct
from decimal import ROUND_HALF_UP, Decimal

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.frame import Frame, to_units
from maestro_flow.sel.numbers import INT_MIN, double_text
from maestro_flow.sel.text import hash_code, text_of
from maestro_flow.sel.values import Unset, Value, kind_of

__all__ = ["formatted"]

_SPECIFIER = re.compile(r"%(\d{1,9}\$|<)?([-#+ 0,(<]*)(\d{1,9})?(\.\d{1,9})?([a-zA-Z%])", re.ASCII)
_WHOLE = re.compile("[0-9]+")
_FLAGS_OF = {
    "d": "-+ 0,(", "f": "-#+ 0,(", "e": "-#+ 0(", "g": "-+ 0,(", "x": "-#+ 0(", "o": "-#+ 0(", "s": "-", "b": "-",
    "c": "-", "h": "-", "%": "-", "n": "",
}  # fmt: skip


class _Bad(SelRuntimeError):
    def __init__(self, specifier: str, why: str) -> None:
        super().__init__(f"String.format: {specifier!r}: {why}")


def formatted(frame: Frame, pattern: str, given: list[Value]) -> str:
    """The result of a format string and its arguments.

    Raises:
        SelRuntimeError: the format is wrong, or an argument does not fit it.
    """
    frame.spend(5 * len(pattern))
    made: list[str] = []
    at, ordinary, last = 0, 0, -1
    while at < len(pattern):
        start = pattern.find("%", at)
        if start < 0:
            break
        found = _SPECIFIER.match(pattern, start)
        if found is None:
            raise _Bad(pattern[start : start + 8], "not a conversion of Java's")
        made.append(pattern[at:start])
        at = found.end()
        if found[5] in "%n":
            made.append(_fitted(frame, found, "%" if found[5] == "%" else "\n"))
            continue
        if found[1] == "<" or "<" in found[2]:
            index = last
        elif found[1]:
            index = int(found[1][:-1]) - 1
        else:
            index, ordinary = ordinary, ordinary + 1
        if not 0 <= index < len(given):
            raise _Bad(found[0], "there is no argument for it")
        last = index
        made.append(_converted(frame, found, given[index]))
    made.append(pattern[at:])
    return frame.string("".join(made))


def _converted(frame: Frame, found: re.Match[str], value: Value) -> str:
    letter, flags = found[5], found[2].replace("<", "")
    conversion = letter.lower()
    allowed = _FLAGS_OF.get(conversion)
    if allowed is None or (letter.isupper() and conversion in "dofn"):
        raise _Bad(found[0], "SEL does not support this conversion")
    check_flags(found, flags, allowed)
    precision = int(found[4][1:]) if found[4] else None
    if (precision or 0) > frame.limits.string_chars_max:
        frame.reserve(precision or 0)
    if precision is not None and conversion in "dcxo":
        raise _Bad(found[0], "a precision is not allowed")
    null = value is None or isinstance(value, Unset)
    if conversion in "bsh" or null:
        text = "null" if null and conversion != "b" else general(frame, conversion, value)
        text = text[:precision]
        numeric = False
    elif conversion == "c":
        text, numeric = character(found, value), False
    else:
        frame.reserve(precision or 0)
        text, numeric = number(found, conversion, flags, precision, value)
    text = _padded(frame, found, text, flags) if numeric else _fitted(frame, found, text)
    return text.upper() if letter.isupper() else text


def check_flags(found: re.Match[str], flags: str, allowed: str) -> None:
    if any(flag not in allowed for flag in flags) or len(set(flags)) != len(flags):
        raise _Bad(found[0], "a flag is not allowed or is repeated")
    if ("-" in flags and "0" in flags) or ("+" in flags and " " in flags):
        raise _Bad(found[0], "two flags contradict each other")
    if ("-" in flags or "0" in flags) and not found[3]:
        raise _Bad(found[0], "the width is missing")


def general(frame: Frame, conversion: str, value: Value) -> str:
    match conversion:
        case "b":
            return "false" if value is False or value is None or isinstance(value, Unset) else "true"
        case "s":
            return text_of(frame, value)
    return f"{hash_of(value) % 2**32:x}"


def hash_of(value: Value) -> int:
    """``hashCode`` of what ``%h`` may show."""
    match value:
        case str():
            return hash_code(value)
        case bool():
            return 1231 if value else 1237
        case int():
            return value if INT_MIN <= value < 2**31 else (value ^ value >> 32) % 2**32
        case float():
            bits = struct.unpack("<q", struct.pack("<d", value))[0] if value == value else 0x7FF8 << 48  # noqa: PLR0124
            return int(bits ^ (bits % 2**64) >> 32) % 2**32
    raise SelRuntimeError(f"String.format: %h of a {kind_of(value)} is not supported")


def character(found: re.Match[str], value: Value) -> str:
    if type(value) is not int:
        raise _Bad(found[0], f"a {kind_of(value)} is not a character")
    if not 0 <= value <= 0x10FFFF:
        raise _Bad(found[0], f"there is no character {value}")
    return to_units(chr(value))


def number(found: re.Match[str], conversion: str, flags: str, precision: int | None, value: Value) -> tuple[str, bool]:
    """The digits of a number with its sign, and whether zeros may fill the width."""
    if conversion in "dxo":
        if type(value) is not int:
            raise _Bad(found[0], f"a {kind_of(value)} is not a LONG")
        if conversion == "d":
            return signed(str(abs(value)), value < 0, flags), True
        if set(flags) & set("+ ("):
            raise _Bad(found[0], "a flag is not allowed")
        unsigned = value % (2**32 if INT_MIN <= value < 2**31 else 2**64)
        digits = f"{unsigned:{conversion}}"
        return (("0x" if conversion == "x" else "0") if "#" in flags else "") + digits, True
    if not isinstance(value, float):
        raise _Bad(found[0], f"a {kind_of(value)} is not a DOUBLE")
    if not math.isfinite(value):
        return signed("NaN" if math.isnan(value) else "Infinity", value < 0, flags, word=math.isnan(value)), False
    if conversion == "g" and "#" in flags:
        raise _Bad(found[0], "a flag is not allowed")
    digits = digits_of(abs(value), conversion, 6 if precision is None else precision)
    if "#" in flags and "." not in digits:
        digits = digits.replace("e", ".e") if "e" in digits else f"{digits}."
    return signed(digits, math.copysign(1, value) < 0, flags), True


def digits_of(value: float, conversion: str, precision: int) -> str:
    """Java rounds the shortest decimal of the double half up, not the double itself."""
    exact = Decimal(double_text(value).replace("E", "e"))
    if conversion == "f":
        return f"{rounded(exact, precision):f}"
    if conversion == "e":
        return scientific(exact, precision)
    precision = precision or 1
    if exact == 0:
        return f"{rounded(exact, precision - 1):f}"
    near = rounded(exact, precision - 1 - exact.adjusted())
    if Decimal("0.0001") <= near < Decimal(10) ** precision:
        return f"{rounded(near, max(0, precision - 1 - near.adjusted())):f}"
    return scientific(exact, precision - 1)


def rounded(value: Decimal, places: int) -> Decimal:
    """Rounded half up to this many decimal places; exact, whatever the number of digits."""
    digits = int(value.scaleb(places).to_integral_value(ROUND_HALF_UP)) if places <= 400 else None
    if digits is None:  # no double has that many places: only zeros are missing
        return Decimal(f"{value:f}" + ("" if "." in f"{value:f}" else ".") + "0" * (places - max(0, -_exponent(value))))
    return Decimal((0, tuple(map(int, str(digits))), -places))


def _exponent(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def scientific(value: Decimal, precision: int) -> str:
    if value == 0:
        mantissa, exponent = rounded(value, precision), 0
    else:
        exponent = value.adjusted()
        mantissa = rounded(value.scaleb(-exponent), precision)
        if mantissa >= 10:
            exponent += 1
            mantissa = rounded(value.scaleb(-exponent), precision)
    return f"{mantissa:f}e{'-' if exponent < 0 else '+'}{abs(exponent):02}"


def signed(digits: str, negative: bool, flags: str, *, word: bool = False) -> str:
    if "," in flags and (whole := _WHOLE.match(digits)):
        digits = f"{int(whole[0]):,}{digits[whole.end() :]}"
    if word:
        return digits
    if negative:
        return f"({digits})" if "(" in flags else f"-{digits}"
    return f"+{digits}" if "+" in flags else f" {digits}" if " " in flags else digits


def _fitted(frame: Frame, found: re.Match[str], text: str) -> str:
    """Text padded with blanks to the width."""
    width = int(found[3] or 0)
    if found[5] in "%n":
        check_flags(found, found[2], _FLAGS_OF[found[5]])
        if found[4] or (found[5] == "n" and width):
            raise _Bad(found[0], "a width or a precision is not allowed")
    if width > len(text):
        frame.reserve(width)
    return text.ljust(width) if "-" in found[2] else text.rjust(width)


def _padded(frame: Frame, found: re.Match[str], text: str, flags: str) -> str:
    if "0" not in flags:
        return _fitted(frame, found, text)
    width = int(found[3] or 0)
    frame.reserve(width)
    start = next((index for index, unit in enumerate(text) if unit not in "+- ("), 0)
    start += 2 if text.startswith("0x") and "#" in flags else 0
    return text[:start] + "0" * (width - len(text)) + text[start:]
