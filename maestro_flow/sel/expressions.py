"""Compiles expressions to Python closures: names, methods and types are resolved once, not at each evaluation."""

from __future__ import annotations

from maestro_flow.errors import SelLimit
from maestro_flow.sel import tree
from maestro_flow.sel.access import (
    Evaluate,
    Suffix,
    array_of,
    assign_element,
    assign_variable,
    call,
    item,
    member,
    new_array,
    new_object,
    place_of,
    read,
)
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.operators import BINARY, condition, unary
from maestro_flow.sel.values import Value

__all__ = ["ExpressionCompiler"]


class ExpressionCompiler:
    """Compiles expressions. ``size`` counts the nodes so far, which is what visiting them costs."""

    def __init__(self, depth_max: int) -> None:
        self.depth_max = depth_max
        self.size = 0

    def enter(self, depth: int) -> int:
        """Count a node; returns the depth below it.

        Raises:
            SelLimit: the tree is deeper than ``depth_max``.
        """
        if depth >= self.depth_max:
            raise SelLimit(f"depth_max: nested deeper than {self.depth_max}")
        self.size += 1
        return depth + 1

    def expression(self, node: tree.Expression, depth: int) -> Evaluate:
        below = self.enter(depth)
        match node:
            case tree.Constant(value=value):
                return lambda _frame: value
            case tree.Name(name=name):
                return read(name)
            case tree.Member() | tree.Call() | tree.Item():
                return self.suffixes(node, below)
            case tree.New(type=name, arguments=arguments):
                return new_object(name, [self.expression(argument, below) for argument in arguments])
            case tree.NewArray(type=name, size=size):
                return new_array(name, self.expression(size, below))
            case tree.Array(type=name, items=items):
                return array_of(name, [self.expression(item, below) for item in items])
            case tree.Unary(operator=operator, operand=operand):
                evaluate = self.expression(operand, below)
                return lambda frame: unary(operator, evaluate(frame))
            case tree.Chain():
                return self.chain(node, below)
            case tree.Ternary():
                return self.ternary(node, below)
            case tree.Assignment():
                return self.assignment(node, below)

    def chain(self, node: tree.Chain, depth: int) -> Evaluate:
        first = self.expression(node.first, depth)
        rest = [(operator, self.expression(operand, depth)) for operator, operand in node.rest]
        self.size += len(rest)
        if rest[0][0] in {"&&", "||"}:
            return logical(first, rest[0][0], [operand for _, operand in rest])
        if len(rest) == 1:
            combine, second = BINARY[rest[0][0]], rest[0][1]
            return lambda frame: combine(frame, first(frame), second(frame))
        steps = [(BINARY[operator], operand) for operator, operand in rest]

        def evaluate(frame: Frame) -> Value:
            value = first(frame)
            for combine, operand in steps:
                value = combine(frame, value, operand(frame))
            return value

        return evaluate

    def ternary(self, node: tree.Ternary, depth: int) -> Evaluate:
        branches = [(self.expression(test, depth), self.expression(value, depth)) for test, value in node.branches]
        otherwise = self.expression(node.otherwise, depth)

        def evaluate(frame: Frame) -> Value:
            for test, value in branches:
                if condition(test(frame)):
                    return value(frame)
            return otherwise(frame)

        return evaluate

    def assignment(self, node: tree.Assignment, depth: int) -> Evaluate:
        value = self.expression(node.value, depth)
        if node.index is None:
            return assign_variable(node.name, node.operator, value)
        return assign_element(node.name, self.expression(node.index, depth), node.operator, value)

    def suffixes(self, node: tree.Member | tree.Call | tree.Item, depth: int) -> Evaluate:
        """``a.b().c[1]``: a chain of suffixes counts as one level."""
        chain: list[tree.Member | tree.Call | tree.Item] = []
        of: tree.Expression = node
        while isinstance(of, tree.Member | tree.Call | tree.Item):
            chain.append(of)
            of = of.of
        self.size += len(chain)
        start = self.expression(of, depth)
        steps = [self.suffix(suffix, depth) for suffix in reversed(chain)]
        if len(steps) == 1:
            only = steps[0]
            return lambda frame: only(frame, start(frame))

        def evaluate(frame: Frame) -> Value:
            value = start(frame)
            for step in steps:
                value = step(frame, value)
            return value

        return evaluate

    def suffix(self, node: tree.Member | tree.Call | tree.Item, depth: int) -> Suffix:
        match node:
            case tree.Member(name=name):
                return member(name)
            case tree.Item(index=index):
                return item(self.expression(index, depth))
            case tree.Call(name=name, arguments=arguments):
                compiled = [self.expression(argument, depth) for argument in arguments]
                if name == "put" and len(arguments) == 2 and isinstance(arguments[1], tree.Name):
                    compiled[1] = place_of(arguments[1].name, compiled[1])
                return call(name, compiled)


def logical(first: Evaluate, operator: str, rest: list[Evaluate]) -> Evaluate:
    """``&&`` and ``||`` with short-circuit evaluation."""
    decided_by, combine = operator == "||", BINARY[operator]

    def evaluate(frame: Frame) -> Value:
        value = first(frame)
        for operand in rest:
            if value is decided_by:
                return value
            value = combine(frame, value, operand(frame))
        return value

    return evaluate
