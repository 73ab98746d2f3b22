"""Splits source into tokens as Java 1.1 does: Unicode escapes first, then the longest token that matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count

from attrs import frozen

from maestro_flow.errors import SelSyntax
from maestro_flow.sel.numbers import quoted

__all__ = ["Lexeme", "lexemes", "unescape"]

_LETTER = (
    "$A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u3040-\u318f\u3300-\u337f\u3400-\u3d2d\u4e00-\u9fff\uf900-\ufaff"
)
_DIGIT = (
    "0-9\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\u09e6-\u09ef\u0a66-\u0a6f\u0ae6-\u0aef\u0b66-\u0b6f\u0be7-\u0bef"
    "\u0c66-\u0c6f\u0ce6-\u0cef\u0d66-\u0d6f\u0e50-\u0e59\u0ed0-\u0ed9\u1040-\u1049"
)
_EXPONENT = r"[eE][+-]?[0-9]+"
_TOKEN = re.compile(
    rf"""
    (?P<BLANK>[ \t\n\r\f]+|//[^\n\r]*|/\*(?:[^*]|\*(?!/))*+\*/)
    |(?P<FLOAT>[0-9]+\.[0-9]*(?:{_EXPONENT})?[fFdD]?|\.[0-9]+(?:{_EXPONENT})?[fFdD]?
        |[0-9]+{_EXPONENT}[fFdD]?|[0-9]+[fFdD])
    |(?P<INTEGER>0[xX][0-9a-fA-F]+[lL]?|[1-9][0-9]*[lL]?|0[0-7]*[lL]?)
    |(?P<STRING>"(?:[^"\\\n\r]|\\[ntbrf\\'"0-7])*+"|'(?:[^'\\\n\r]|\\[ntbrf\\'"0-7])*+')
    |(?P<WORD>[{_LETTER}][{_LETTER}{_DIGIT}]*)
    |(?P<SYMBOL>>>>=|>>>|>>=|<<=|\+\+|--|&&|\|\||<<|>>|[=!<>+\-*/%&|^]=|[(){{}}\[\];,.?:=<>!~+\-*/%&|^])
    """,
    re.VERBOSE,
)

_KEYWORDS = {
    **dict.fromkeys(("boolean", "int", "long", "float", "double"), "PRIMITIVE"),
    **{word: word.upper() for word in (
        "true", "false", "null", "new", "if", "else", "for", "while", "break", "continue", "return", "throw", "import",
        "static",
    )},
    **dict.fromkeys((
        "abstract", "byte", "case", "catch", "char", "class", "const", "default", "do", "extends", "final", "finally",
        "goto", "implements", "instanceof", "interface", "native", "package", "private", "protected", "public",
        "short", "super", "switch", "synchronized", "this", "throws", "transient", "try", "void", "volatile",
    ), "RESERVED"),
}  # fmt: skip

_SYMBOLS = {
    "(": "LPAR", ")": "RPAR", "{": "LBRACE", "}": "RBRACE", "[": "LSQB", "]": "RSQB", ";": "SEMICOLON", ",": "COMMA",
    ".": "DOT", "?": "HOOK", ":": "COLON", "||": "OR", "&&": "AND", "!": "BANG", "*": "STAR",
    **dict.fromkeys(("=", "+=", "-=", "*=", "/=", "%="), "ASSIGN"),
    **dict.fromkeys(("==", "!="), "EQUALITY"),
    **dict.fromkeys(("<", ">", "<=", ">="), "RELATION"),
    **dict.fromkeys(("+", "-"), "SIGN"),
    **dict.fromkeys(("/", "%"), "FACTOR"),
}  # fmt: skip
"""The symbols of SEL. Others, such as ``++`` or ``&``, are Java's but not part of SEL."""

_ESCAPES = {"b": "\b", "n": "\n", "t": "\t", "f": "\f", "r": "\r", "\\": "\\", '"': '"', "'": "'"}


@frozen
class Lexeme:
    """One token: its type in the grammar, its text, and where it starts in the source without Unicode escapes."""

    type: str
    text: str
    at: int


def lexemes(source: str) -> Iterator[Lexeme]:
    """All tokens except blanks and comments.

    Raises:
        SelSyntax: at some position no token of SEL starts.
    """
    at = 0
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise SelSyntax(f"{place(source, at)}: nothing in SEL starts with {quoted(source[at : at + 10])}")
        kind, text = found.lastgroup or "", found[0]
        if kind == "WORD":
            kind = _KEYWORDS.get(text, "NAME")
        elif kind == "SYMBOL":
            kind = _SYMBOLS.get(text, "RESERVED")
        if kind == "RESERVED":
            raise SelSyntax(f"{place(source, at)}: {text!r} is Java, but not SEL")
        if kind != "BLANK":
            yield Lexeme(kind, text, at)
        at = found.end()


def place(source: str, at: int) -> str:
    """``line 2, column 5``, for messages."""
    before = source[:at]
    return f"line {before.count(chr(10)) + 1}, column {at - before.rfind(chr(10))}"


def unescape(literal: str) -> str:
    """The text of a string literal, without its quotes.

    Raises:
        SelSyntax: it has an octal escape, which Maestro's grammar accepts but does not support.
    """
    if "\\" not in literal:
        return literal[1:-1]
    made, characters = [], iter(literal[1:-1])
    for character in characters:
        if character == "\\":
            escaped = next(characters)
            if escaped not in _ESCAPES:
                raise SelSyntax(f"an octal escape is not supported: \\{escaped}")
            made.append(_ESCAPES[escaped])
        else:
            made.append(character)
    return "".join(made)


def without_unicode_escapes(source: str) -> str:
    r"""The source with each ``\uXXXX`` replaced, anywhere in it, unless the backslash is itself escaped.

    Raises:
        SelSyntax: ``\u`` is not followed by four hexadecimal digits.
    """
    if "\\u" not in source:
        return source
    made: list[str] = []
    at = 0
    while True:
        start = source.find("\\", at)
        if start < 0:
            return "".join([*made, source[at:]])
        made.append(source[at:start])
        run = next(length for length in count(1) if source[start + length : start + length + 1] != "\\")
        end = start + run
        if run % 2 and source[end : end + 1] == "u":
            digits = next(place for place in count(end) if source[place : place + 1] != "u")
            code = source[digits : digits + 4]
            if not re.fullmatch("[0-9a-fA-F]{4}", code):
                raise SelSyntax(f"{place(source, start)}: \\u is followed by {code!r}, not by four hexadecimal digits")
            made.append("\\" * (run - 1) + chr(int(code, 16)))
            at = digits + 4
        else:
            made.append("\\" * run)
            at = end
