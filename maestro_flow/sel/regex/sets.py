"""Tests of one character: Java's predefined classes and POSIX names, which are ASCII as in Java."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["ESCAPES", "NAMED", "Fits", "any_character", "either", "literal", "negated", "one_of"]

Fits: TypeAlias = Callable[[str], bool]

LINE_ENDS = frozenset("\n\r\u0085\u2028\u2029")


def one_of(characters: str) -> Fits:
    return frozenset(characters).__contains__


def literal(character: str, *, any_case: bool) -> Fits:
    if any_case and character.isascii():
        return one_of(character.lower() + character.upper())
    return character.__eq__


def negated(fits: Fits) -> Fits:
    return lambda character: not fits(character)


def either(tests: list[Fits]) -> Fits:
    return tests[0] if len(tests) == 1 else lambda character: any(fits(character) for fits in tests)


def any_character(character: str) -> bool:
    """``.``: anything but line terminators."""
    return character not in LINE_ENDS


_PREDEFINED = {
    "d": one_of(string.digits),
    "w": one_of(string.ascii_letters + string.digits + "_"),
    "s": one_of(" \t\n\x0b\f\r"),
    "h": one_of(
        " \t\xa0\u1680\u180e\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
    ),
    "v": one_of("\n\x0b\f\r\x85\u2028\u2029"),
}
ESCAPES = {
    **_PREDEFINED,
    **{letter.upper(): negated(fits) for letter, fits in _PREDEFINED.items()},
}  # fmt: skip
"""What a backslash and a letter stand for, one character each."""

NAMED: dict[str, Fits] = {
    "Lower": one_of(string.ascii_lowercase),
    "Upper": one_of(string.ascii_uppercase),
    "ASCII": str.isascii,
    "Alpha": one_of(string.ascii_letters),
    "Digit": one_of(string.digits),
    "Alnum": one_of(string.ascii_letters + string.digits),
    "Punct": one_of(string.punctuation),
    "Graph": one_of(string.ascii_letters + string.digits + string.punctuation),
    "Print": one_of(string.ascii_letters + string.digits + string.punctuation + " "),
    "Blank": one_of(" \t"),
    "Cntrl": one_of("".join(map(chr, [*range(32), 127]))),
    "XDigit": one_of(string.hexdigits),
    "Space": one_of(" \t\n\x0b\f\r"),
    **dict.fromkeys(("L", "IsL", "IsAlphabetic"), str.isalpha),
    **dict.fromkeys(("Lu", "IsLu", "IsUppercase"), str.isupper),
    **dict.fromkeys(("Ll", "IsLl", "IsLowercase"), str.islower),
    **dict.fromkeys(("N", "Nd", "IsDigit"), str.isdecimal),
}
"""Names for ``\\p{...}``."""
