"""The grammar tree of SEL: what ``parse`` creates and the compilers read."""

from __future__ import annotations

from typing import TypeAlias

from attrs import frozen

__all__ = [
    "Array", "Assignment", "Block", "Call", "Chain", "Constant", "Declaration", "Expression", "ExpressionStatement",
    "If", "Item", "Jump", "Loop", "Member", "Name", "New", "NewArray", "Program", "Return", "Statement", "Ternary",
    "Throw", "TypeName", "Unary",
]  # fmt: skip


@frozen
class Constant:
    """A literal; strings are unescaped, numbers parsed."""

    value: str | int | float | bool | None


@frozen
class Name:
    name: str


@frozen
class Item:
    """``of[index]``."""

    of: Expression
    index: Expression


@frozen
class Member:
    """``of.name``."""

    of: Expression
    name: str


@frozen
class Call:
    """``of.name(arguments)``."""

    of: Expression
    name: str
    arguments: tuple[Expression, ...]


@frozen
class New:
    type: str
    arguments: tuple[Expression, ...]


@frozen
class NewArray:
    """``new type[size]``."""

    type: str
    size: Expression


@frozen
class Array:
    """``new type[]{items}``."""

    type: str
    items: tuple[Expression, ...]


@frozen
class Unary:
    operator: str
    operand: Expression


@frozen
class Chain:
    """``first operator operand operator operand ...``: operators of equal precedence, evaluated from the left."""

    first: Expression
    rest: tuple[tuple[str, Expression], ...]


@frozen
class Ternary:
    """``condition ? value : ... : otherwise``: one or more branches."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression


@frozen
class Assignment:
    """``name = value`` or, with an index, ``name[index] = value``; the operator may be compound."""

    name: str
    index: Expression | None
    operator: str
    value: Expression


Expression: TypeAlias = (
    "Constant | Name | Item | Member | Call | New | NewArray | Array | Unary | Chain | Ternary | Assignment"
)


@frozen
class TypeName:
    name: str
    is_array: bool


@frozen
class Declaration:
    """``type name = value, name``: a value may be missing."""

    type: TypeName
    variables: tuple[tuple[str, Expression | None], ...]


@frozen
class ExpressionStatement:
    expression: Expression


@frozen
class Block:
    statements: tuple[Statement, ...]


@frozen
class If:
    """``if ... else if ... else ...``: one or more branches."""

    branches: tuple[tuple[Expression, Statement], ...]
    otherwise: Statement | None


@frozen
class Loop:
    """``for``, or ``while`` if it has neither ``start`` nor ``update``."""

    start: Declaration | ExpressionStatement | None
    condition: Expression | None
    update: Expression | None
    body: Statement


@frozen
class Jump:
    """``break`` or ``continue``."""

    word: str


@frozen
class Return:
    value: Expression


@frozen
class Throw:
    message: Expression


Statement: TypeAlias = "Declaration | ExpressionStatement | Block | If | Loop | Jump | Return | Throw"


@frozen
class Program:
    statements: tuple[Statement, ...]
