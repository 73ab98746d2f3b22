"""Compiles the tree of a regular expression to instructions for the machine."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache

from attrs import frozen

from maestro_flow.errors import SelLimit, SelRuntimeError
from maestro_flow.sel.regex import nodes
from maestro_flow.sel.regex.parse import parse_regex

__all__ = ["Instruction", "Op", "Program", "compiled"]

INSTRUCTIONS_MAX = 2000


class Op(IntEnum):
    TEST = 0  # one character
    RUN = 1  # many characters of one kind
    SPLIT = 2  # continue at ``to``; if that fails, at ``other``
    JUMP = 3
    SAVE = 4  # save the position in a slot
    REPEAT = 5  # back to ``to``, unless nothing was consumed since slot ``slot`` was saved
    PLACE = 6
    BACK = 7
    LOOK = 8  # run ``program`` here; ``wanted``: whether it must match
    ATOMIC = 9  # run ``program`` here, without backtracking into it
    MATCH = 10


@frozen
class Instruction:
    op: Op
    fits: Callable[[str], bool] | None = None
    to: int = 0
    other: int = 0
    slot: int = 0
    least: int = 0
    most: int | None = None
    mode: str = ""
    wanted: bool = True
    program: tuple[Instruction, ...] = ()


@frozen
class Program:
    """``slots``: two for each group and the whole match, and one for each loop."""

    code: tuple[Instruction, ...]
    slots: int
    groups: int
    names: dict[str, int]


class _Compiler:
    def __init__(self, groups: int) -> None:
        self.groups = groups
        self.slots = 2 * groups + 2
        self.size = 0

    def part(self, node: nodes.Node) -> tuple[Instruction, ...]:
        """The instructions of a subprogram, with an end."""
        code: list[Instruction] = []
        self.emit(code, node)
        return (*code, Instruction(Op.MATCH))

    def add(self, code: list[Instruction], instruction: Instruction) -> int:
        self.size += 1
        if self.size > INSTRUCTIONS_MAX:
            raise SelLimit(f"a regular expression of more than {INSTRUCTIONS_MAX:,} instructions")
        code.append(instruction)
        return len(code) - 1

    def emit(self, code: list[Instruction], node: nodes.Node) -> None:
        match node:
            case nodes.Test(fits=fits):
                self.add(code, Instruction(Op.TEST, fits))
            case nodes.Sequence(nodes=parts):
                for part in parts:
                    self.emit(code, part)
            case nodes.Alternatives(nodes=parts):
                self.alternatives(code, parts)
            case nodes.Group(number=number, node=inner):
                self.add(code, Instruction(Op.SAVE, slot=2 * number))
                self.emit(code, inner)
                self.add(code, Instruction(Op.SAVE, slot=2 * number + 1))
            case nodes.Look(node=inner, wanted=wanted):
                self.add(code, Instruction(Op.LOOK, program=self.part(inner), wanted=wanted))
            case nodes.Boundary(kind=kind):
                self.add(code, Instruction(Op.PLACE, mode=kind))
            case nodes.Backreference(number=number):
                if number > self.groups:
                    raise SelRuntimeError(f"regular expression: there is no group {number}")
                self.add(code, Instruction(Op.BACK, slot=2 * number))
            case nodes.Repeat():
                self.repeat(code, node)

    def alternatives(self, code: list[Instruction], parts: tuple[nodes.Node, ...]) -> None:
        ends = []
        for part in parts[:-1]:
            split = self.add(code, Instruction(Op.SPLIT))
            self.emit(code, part)
            ends.append(self.add(code, Instruction(Op.JUMP)))
            code[split] = Instruction(Op.SPLIT, to=split + 1, other=len(code))
        self.emit(code, parts[-1])
        for end in ends:
            code[end] = Instruction(Op.JUMP, to=len(code))

    def repeat(self, code: list[Instruction], node: nodes.Repeat) -> None:
        inner = node.node
        if isinstance(inner, nodes.Test):
            run = Instruction(Op.RUN, inner.fits, least=node.least, most=node.most, mode=node.mode)
            self.add(code, run)
        elif node.mode == "+":
            loop = nodes.Repeat(inner, node.least, node.most, "")
            self.add(code, Instruction(Op.ATOMIC, program=self.part(loop)))
        else:
            for _ in range(node.least):
                self.emit(code, inner)
            if node.most is None:
                self.loop(code, inner, lazy=node.mode == "?")
            else:
                self.options(code, inner, node.most - node.least, lazy=node.mode == "?")

    def loop(self, code: list[Instruction], inner: nodes.Node, *, lazy: bool) -> None:
        slot, self.slots = self.slots, self.slots + 1
        start = self.add(code, Instruction(Op.SPLIT))
        self.add(code, Instruction(Op.SAVE, slot=slot))
        self.emit(code, inner)
        self.add(code, Instruction(Op.REPEAT, to=start, slot=slot))
        code[start] = split(start + 1, len(code), lazy=lazy)

    def options(self, code: list[Instruction], inner: nodes.Node, count: int, *, lazy: bool) -> None:
        splits = []
        for _ in range(count):
            splits.append(self.add(code, Instruction(Op.SPLIT)))
            self.emit(code, inner)
        for at in splits:
            code[at] = split(at + 1, len(code), lazy=lazy)


def split(inside: int, after: int, *, lazy: bool) -> Instruction:
    return Instruction(Op.SPLIT, to=after, other=inside) if lazy else Instruction(Op.SPLIT, to=inside, other=after)


@lru_cache(maxsize=64)
def compiled(pattern: str) -> Program:
    """The program of a regular expression.

    Raises:
        SelRuntimeError, SelLimit: as for ``parse_regex``.
    """
    tree, groups, names = parse_regex(pattern)
    compiler = _Compiler(groups)
    code = compiler.part(tree)
    return Program(code, compiler.slots, groups, names)
