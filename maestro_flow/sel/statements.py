"""Compiles statements, and whole programs, to Python closures."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import TypeAlias

from maestro_flow.errors import SelLimit, SelRuntimeError, SelSyntax, SelTypeError
from maestro_flow.sel import tree
from maestro_flow.sel.access import Evaluate, initial_value
from maestro_flow.sel.expressions import ExpressionCompiler
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.functions.classes import type_kind
from maestro_flow.sel.operators import condition
from maestro_flow.sel.text import text_of
from maestro_flow.sel.values import Array, Kind, Value, Variable, kind_of

__all__ = ["Execute", "compile_program"]


class Outcome(IntEnum):
    """How a statement ended. A value is in ``Frame.result``."""

    NOTHING = 0
    VALUE = 1
    RETURN = 2
    BREAK = 3
    CONTINUE = 4


Execute: TypeAlias = Callable[[Frame], Outcome]
"""A compiled statement."""


def compile_program(program: tree.Program, depth_max: int) -> Evaluate:
    """A closure that runs the program and returns its value: of ``return``, or of the last statement, otherwise null.

    Raises:
        SelSyntax: a ``break`` or ``continue`` is outside a loop.
        SelLimit: the tree is too deep.
    """
    compiler = StatementCompiler(depth_max)
    run = compiler.sequence(program.statements, 0, in_loop=False)

    def evaluate(frame: Frame) -> Value:
        return frame.result if run(frame) in {Outcome.VALUE, Outcome.RETURN} else None

    return evaluate


class StatementCompiler(ExpressionCompiler):
    """Each simple statement and each condition is charged at once, with the number of its nodes."""

    def sequence(self, statements: tuple[tree.Statement, ...], depth: int, *, in_loop: bool) -> Execute:
        compiled = [self.statement(statement, depth, in_loop=in_loop) for statement in statements]
        if len(compiled) == 1:
            return compiled[0]

        def execute(frame: Frame) -> Outcome:
            outcome = Outcome.NOTHING
            for run in compiled:
                outcome = run(frame)
                if outcome >= Outcome.RETURN:
                    break
            return outcome

        return execute

    def statement(self, node: tree.Statement, depth: int, *, in_loop: bool) -> Execute:
        below = self.enter(depth)
        match node:
            case tree.ExpressionStatement(expression=expression):
                return ended(self.paid(expression, below), Outcome.VALUE)
            case tree.Return(value=value):
                return ended(self.paid(value, below), Outcome.RETURN)
            case tree.Throw(message=message):
                return thrown(self.paid(message, below))
            case tree.Declaration():
                return self.declaration(node, below)
            case tree.Block(statements=statements):
                return self.sequence(statements, below, in_loop=in_loop)
            case tree.If():
                return self.branches(node, below, in_loop=in_loop)
            case tree.Loop():
                return self.loop(node, below)
            case tree.Jump(word=word):
                if not in_loop:
                    raise SelSyntax(f"{word} outside of a loop")
                outcome = Outcome.BREAK if word == "break" else Outcome.CONTINUE
                return lambda _frame: outcome

    def paid(self, node: tree.Expression, depth: int) -> Evaluate:
        """An expression that counts its visits."""
        before = self.size
        evaluate = self.expression(node, depth)
        cost = self.size - before + 1

        def paying(frame: Frame) -> Value:
            frame.spend(cost)
            return evaluate(frame)

        return paying

    def declaration(self, node: tree.Declaration, depth: int) -> Execute:
        variables = [(name, None if value is None else self.paid(value, depth)) for name, value in node.variables]

        def execute(frame: Frame) -> Outcome:
            frame.spend(1)
            kind = type_kind(node.type.name, is_array=node.type.is_array)
            for name, value in variables:
                frame.variables[name] = Variable(
                    initial_value(kind) if value is None else declared(kind, name, value(frame))
                )
            return Outcome.NOTHING

        return execute

    def branches(self, node: tree.If, depth: int, *, in_loop: bool) -> Execute:
        branches = [
            (self.paid(test, depth), self.statement(body, depth, in_loop=in_loop)) for test, body in node.branches
        ]
        otherwise = None if node.otherwise is None else self.statement(node.otherwise, depth, in_loop=in_loop)

        def execute(frame: Frame) -> Outcome:
            for test, body in branches:
                if condition(test(frame)):
                    return without_value(body(frame))
            return Outcome.NOTHING if otherwise is None else without_value(otherwise(frame))

        return execute

    def loop(self, node: tree.Loop, depth: int) -> Execute:
        start = None if node.start is None else self.statement(node.start, depth, in_loop=False)
        test = self.paid(node.condition or tree.Constant(value=True), depth)
        update = None if node.update is None else self.paid(node.update, depth)
        body = self.statement(node.body, depth, in_loop=True)

        def execute(frame: Frame) -> Outcome:
            if start is not None:
                start(frame)
            turns_left = frame.limits.loop_turns_max
            while condition(test(frame)):
                outcome = body(frame)
                if outcome is Outcome.BREAK:
                    break
                if outcome is Outcome.RETURN:
                    return outcome
                if update is not None:
                    update(frame)
                turns_left -= 1
                if turns_left < 0:
                    raise SelLimit(f"loop_turns_max: a loop of more than {frame.limits.loop_turns_max:,} turns")
            return Outcome.NOTHING

        return execute


def ended(evaluate: Evaluate, outcome: Outcome) -> Execute:
    def execute(frame: Frame) -> Outcome:
        frame.result = evaluate(frame)
        return outcome

    return execute


def thrown(message: Evaluate) -> Execute:
    def execute(frame: Frame) -> Outcome:
        value = message(frame)
        if kind_of(value) is not Kind.STRING:
            raise SelTypeError(f"only a STRING can be thrown, not {kind_of(value)}")
        raise SelRuntimeError(text_of(frame, value))

    return execute


def without_value(outcome: Outcome) -> Outcome:
    """An ``if`` has no value, whatever its branches have."""
    return Outcome.NOTHING if outcome is Outcome.VALUE else outcome


def declared(kind: Kind, name: str, value: Value) -> Value:
    if isinstance(value, Array) and value.kind is None and kind.endswith("_ARRAY"):
        value.kind = kind
    if kind_of(value) is not kind:
        raise SelTypeError(f"a {kind_of(value)} cannot be the value of the {kind} {name}")
    return value
