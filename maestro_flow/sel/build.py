"""Reductions of the parser to nodes of the tree: one method per grammar rule, with the name of the rule."""

from __future__ import annotations

from typing import Any

from lark import Token, Transformer, v_args

from maestro_flow.errors import SelRuntimeError, SelSyntax
from maestro_flow.sel import tree
from maestro_flow.sel.lexer import unescape
from maestro_flow.sel.numbers import parse_double, parse_long, quoted

__all__ = ["Build"]

_WORDS = {"TRUE": True, "FALSE": False, "NULL": None}


def literal_of(token: Token) -> tree.Constant:
    match token.type:
        case "INTEGER":
            digits = token.rstrip("lL")
            if digits[:2] in {"0x", "0X"}:
                raise SelSyntax(f"a hexadecimal number is not supported: {quoted(str(token))}")
            try:
                return tree.Constant(parse_long(digits))
            except SelRuntimeError as error:
                raise SelSyntax(str(error)) from None
        case "FLOAT":
            return tree.Constant(parse_double(str(token)))
        case "STRING":
            return tree.Constant(unescape(str(token)))
        case word:
            return tree.Constant(_WORDS[word])


class Build(Transformer[Token, tree.Program]):
    """Called by the parser for each reduction, from the leaves up, so nothing here is recursive."""

    def literal(self, children: list[Token]) -> tree.Constant:
        return literal_of(children[0])

    @v_args(inline=True)
    def name(self, name: Token) -> tree.Name:
        return tree.Name(str(name))

    def inner(self, children: list[Any]) -> Any:
        return children[1]

    def first_argument(self, children: list[Any]) -> list[Any]:
        return children

    def next_argument(self, children: list[Any]) -> list[Any]:
        arguments: list[Any] = children[0]
        arguments.append(children[2])
        return arguments

    def element(self, children: list[Any]) -> tree.Item:
        return tree.Item(tree.Name(str(children[0])), children[2])

    def item(self, children: list[Any]) -> tree.Item:
        return tree.Item(children[0], children[2])

    def member(self, children: list[Any]) -> tree.Member:
        return tree.Member(receiver(children[0]), str(children[2]))

    def call(self, children: list[Any]) -> tree.Call:
        return tree.Call(receiver(children[0]), str(children[2]), tuple(children[4] or ()))

    def new_object(self, children: list[Any]) -> tree.New:
        return tree.New(str(children[1]), tuple(children[3] or ()))

    def new_array(self, children: list[Any]) -> tree.NewArray:
        return tree.NewArray(str(children[1]), children[3])

    def array_of(self, children: list[Any]) -> tree.Array:
        return tree.Array(str(children[1]), tuple(children[5] or ()))

    def unary(self, children: list[Any]) -> tree.Unary:
        return tree.Unary(str(children[0]), children[1])

    def chain(self, children: list[Any]) -> tree.Chain:
        operators = [str(operator) for operator in children[1::2]]
        return tree.Chain(children[0], tuple(zip(operators, children[2::2], strict=True)))

    def ternary(self, children: list[Any]) -> tree.Ternary:
        condition, _, value, _, otherwise = children
        if isinstance(otherwise, tree.Ternary):
            return tree.Ternary(((condition, value), *otherwise.branches), otherwise.otherwise)
        return tree.Ternary(((condition, value),), otherwise)

    def assignment(self, children: list[Any]) -> tree.Assignment:
        target, operator, value = children
        if isinstance(target, tree.Item) and isinstance(target.of, tree.Name):
            return tree.Assignment(target.of.name, target.index, str(operator), value)
        return tree.Assignment(str(target), None, str(operator), value)

    def type(self, children: list[Any]) -> tree.TypeName:
        return tree.TypeName(str(children[0]), is_array=children[1] is not None)

    def declarator(self, children: list[Any]) -> tuple[str, tree.Expression | None]:
        name, operator, value = children
        if operator is not None and operator != "=":
            raise SelSyntax(f"the declaration of {name} has {str(operator)!r} where only '=' is allowed")
        return str(name), value

    def declaration(self, children: list[Any]) -> tree.Declaration:
        return tree.Declaration(children[0], tuple(children[1::2]))

    def block_statement(self, children: list[Any]) -> Any:
        return children[0]  # a declaration, without its semicolon

    def expression_statement(self, children: list[Any]) -> tree.ExpressionStatement:
        return tree.ExpressionStatement(children[0])

    def block(self, children: list[Any]) -> tree.Block:
        return tree.Block(tuple(children[1:-1]))

    def if_only(self, children: list[Any]) -> tree.If:
        return tree.If(((children[2], children[4]),), None)

    def if_else(self, children: list[Any]) -> tree.If:
        condition, then, otherwise = children[2], children[4], children[6]
        if isinstance(otherwise, tree.If):
            return tree.If(((condition, then), *otherwise.branches), otherwise.otherwise)
        return tree.If(((condition, then),), otherwise)

    def while_loop(self, children: list[Any]) -> tree.Loop:
        return tree.Loop(None, children[2], None, children[4])

    def for_loop(self, children: list[Any]) -> tree.Loop:
        _, _, start, _, condition, _, update, _, body = children
        return tree.Loop(start, condition, update, body)

    def for_init(self, children: list[Any]) -> tree.Declaration | tree.ExpressionStatement:
        start = children[0]
        return start if isinstance(start, tree.Declaration) else tree.ExpressionStatement(start)

    def for_test(self, children: list[Any]) -> Any:
        return children[0]

    def for_update(self, children: list[Any]) -> Any:
        return children[0]

    def break_loop(self, _children: list[Any]) -> tree.Jump:
        return tree.Jump("break")

    def continue_loop(self, _children: list[Any]) -> tree.Jump:
        return tree.Jump("continue")

    def return_value(self, children: list[Any]) -> tree.Return:
        return tree.Return(children[1])

    def throw_error(self, children: list[Any]) -> tree.Throw:
        return tree.Throw(children[1])

    def nothing(self, _children: list[Any]) -> None:
        return None

    def program(self, children: list[Any]) -> tree.Program:
        return tree.Program(tuple(statement for statement in children if statement is not None))


def receiver(of: Any) -> Any:
    """What comes before a dot: a bare name is still a token there."""
    return tree.Name(str(of)) if isinstance(of, Token) else of
