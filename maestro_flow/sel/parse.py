"""Parses tokens to the grammar tree with lark's LALR parser: linear time, and no recursion whatever the source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from maestro_flow.errors import SelSyntax
from maestro_flow.sel.frame import to_units
from maestro_flow.sel.lexer import lexemes, place, without_unicode_escapes
from maestro_flow.sel.numbers import BLANKS
from maestro_flow.sel.tree import Program

if TYPE_CHECKING:
    from lark import Lark

__all__ = ["parse"]


@cache
def _parser() -> Lark:
    # Imported when the first expression is parsed: most programs that import maestro_flow parse none.
    from lark import Lark, Token  # noqa: PLC0415
    from lark.lexer import Lexer  # noqa: PLC0415

    from maestro_flow.sel.build import Build  # noqa: PLC0415

    class Tokens(Lexer):
        """Our tokens as lark's."""

        def __init__(self, _configuration: object) -> None: ...

        def lex(self, text: str) -> Iterator[Token]:  # type: ignore[override]  # lark passes text to custom lexers
            for lexeme in lexemes(text):
                yield Token(lexeme.type, lexeme.text, start_pos=lexeme.at)

    grammar = files("maestro_flow.sel").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", lexer=Tokens, transformer=Build(), maybe_placeholders=True)


def parse(source: str) -> Program:
    """The tree of a program. The last statement may omit its semicolon, as in Maestro's definitions.

    Raises:
        SelSyntax: the source is not valid SEL.
    """
    from lark.exceptions import UnexpectedToken, VisitError  # noqa: PLC0415

    text = without_unicode_escapes(to_units(with_last_semicolon(source)))
    try:
        program = _parser().parse(text)
    except UnexpectedToken as unexpected:
        raise SelSyntax(described(text, unexpected)) from None
    except VisitError as failed:
        raise failed.orig_exc from None
    if not isinstance(program, Program):  # the parser is built with Build, which creates nothing else
        raise SelSyntax(f"not a program: {program!r}")
    return program


def with_last_semicolon(source: str) -> str:
    """The source as Maestro's engine completes it before passing it to SEL."""
    text = source.strip(BLANKS)
    if not text or text.endswith(";") or (text.endswith("}") and not text.startswith('{"')):
        return text
    return f"{text};"


def described(text: str, unexpected: Any) -> str:
    token = unexpected.token
    if token.type == "$END":
        return "the text ends in the middle of a statement"
    return f"{place(text, token.start_pos)}: unexpected {str(token)[:40]!r}"
