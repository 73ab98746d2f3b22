"""A backtracking matcher without recursion: it finds Java's matches, and counts every step.

Java and Python search without a bound: ``(a*)*b`` can take years. Here the visits of the evaluation run out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from maestro_flow.sel.frame import Frame
from maestro_flow.sel.regex.program import Instruction, Op, Program
from maestro_flow.sel.regex.sets import LINE_ENDS

__all__ = ["Match", "find_all"]

WAITING_BYTES = 64
Slots: TypeAlias = tuple[int, ...]
Waiting: TypeAlias = tuple[int, int, Slots, int]
Match: TypeAlias = Slots
"""Start and end of the whole match and of each group; -1 for a group that did not participate."""


def find_all(frame: Frame, program: Program, text: str) -> Iterator[Match]:
    """All matches from left to right, as ``Matcher.find`` returns them."""
    nothing = (-1,) * program.slots
    at = 0
    while at <= len(text):
        found = _run(frame, program.code, text, at, nothing)
        if found is None:
            at += 1
            continue
        end, slots = found
        yield (at, end, *slots[2:])
        at = end + 1 if end == at else end


def character_at(text: str, at: int) -> str:
    """The character at a position: two units if there is a surrogate pair; "" at the end."""
    unit = text[at : at + 1]
    if "\ud800" <= unit <= "\udbff" and "\udc00" <= text[at + 1 : at + 2] <= "\udfff":
        return chr(0x10000 + ((ord(unit) - 0xD800) << 10) + ord(text[at + 1]) - 0xDC00)
    return unit


def _width(character: str) -> int:
    return 2 if character > "\uffff" else 1


def _run(  # noqa: PLR0912 - one case for each instruction
    frame: Frame, code: tuple[Instruction, ...], text: str, at: int, slots: Slots
) -> tuple[int, Slots] | None:
    """The end of a match that starts at a position, with its slots; None if there is no match."""
    # What to try next: an instruction, a position, the slots; and how far a run may shrink or grow (-1: not a run).
    waiting: list[Waiting] = []
    cost = 4 + len(slots) // 16
    pc = 0
    while True:
        frame.spend(cost)
        step = code[pc]
        following = pc + 1
        fits = True
        match step.op:
            case Op.MATCH:
                return at, slots
            case Op.TEST:
                character = character_at(text, at)
                fits = character != "" and step.fits is not None and step.fits(character)
                at += _width(character)
            case Op.RUN:
                at, fits, spare = _consume(frame, step, text, at)
                if fits and spare >= 0:
                    _wait(frame, waiting, (pc, at, slots, spare))
            case Op.SPLIT:
                _wait(frame, waiting, (step.other, at, slots, -1))
                following = step.to
            case Op.JUMP:
                following = step.to
            case Op.SAVE:
                slots = (*slots[: step.slot], at, *slots[step.slot + 1 :])
            case Op.REPEAT:
                following = following if slots[step.slot] == at else step.to
            case Op.PLACE:
                fits = _is_place(step.mode, text, at)
            case Op.BACK:
                start, end = slots[step.slot : step.slot + 2]
                fits = start >= 0 and end >= 0 and text.startswith(text[start:end], at)
                frame.scan(max(0, end - start))
                at += end - start
            case Op.LOOK:
                found = _run(frame, step.program, text, at, slots)
                fits = (found is not None) == step.wanted
                slots = found[1] if found is not None and fits else slots
            case Op.ATOMIC:
                found = _run(frame, step.program, text, at, slots)
                fits = found is not None
                at, slots = found or (at, slots)
        if fits:
            pc = following
            continue
        again = _retry(frame, code, waiting, text)
        if again is None:
            return None
        pc, at, slots = again


def _wait(frame: Frame, waiting: list[Waiting], state: Waiting) -> None:
    frame.allocate(WAITING_BYTES)
    waiting.append(state)


def _retry(
    frame: Frame, code: tuple[Instruction, ...], waiting: list[Waiting], text: str
) -> tuple[int, int, Slots] | None:
    """The last alternative left to try: an instruction, a position and the slots; None if there is none."""
    while waiting:
        frame.allocate(-WAITING_BYTES)
        pc, at, slots, spare = waiting.pop()
        if spare < 0:
            return pc, at, slots
        step = code[pc]
        if step.mode == "?":
            character = character_at(text, at)
            if not spare or not character or step.fits is None or not step.fits(character):
                continue
            at, spare = at + _width(character), spare - 1
            _wait(frame, waiting, (pc, at, slots, spare))
        else:
            at -= 2 if at - 2 >= spare and _width(character_at(text, at - 2)) == 2 else 1
            if at > spare:
                _wait(frame, waiting, (pc, at, slots, spare))
        return pc + 1, at, slots
    return None


def _consume(frame: Frame, step: Instruction, text: str, at: int) -> tuple[int, bool, int]:
    """Consume a run: the position after it, whether it is long enough, and what is left to try.

    For a greedy run that is the position it may shrink to, for a lazy one the count it may still grow; -1 for nothing.
    """
    fits, count = step.fits, 0
    lazy = step.mode == "?"
    most = len(text) if step.most is None else step.most
    floor = at
    while fits is not None and count < (step.least if lazy else most):
        character = character_at(text, at)
        if not character or not fits(character):
            break
        at += _width(character)
        count += 1
        if count == step.least:
            floor = at
    frame.spend(count)
    if count < step.least:
        return at, False, -1
    if lazy:
        return at, True, most - count
    return at, True, floor if step.mode == "" and at > floor else -1


def _is_place(kind: str, text: str, at: int) -> bool:
    match kind:
        case "^" | "A":
            return at == 0
        case "z":
            return at == len(text)
        case "$" | "Z":
            rest = text[at : at + 3]
            return rest in {"", "\r\n"} or (len(rest) == 1 and rest in LINE_ENDS and text[at - 1 : at + 1] != "\r\n")
    before, after = text[at - 1 : at] if at else "", text[at : at + 1]
    return (_is_word(before) != _is_word(after)) == (kind == "b")


def _is_word(unit: str) -> bool:
    return unit == "_" or unit.isalnum()
