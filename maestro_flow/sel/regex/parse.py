"""Parses a regular expression to its tree: the part of Java's syntax that docs/reference/sel.md lists."""

from __future__ import annotations

from maestro_flow.errors import SelLimit, SelRuntimeError
from maestro_flow.sel.frame import to_characters
from maestro_flow.sel.numbers import quoted
from maestro_flow.sel.regex import nodes, sets

__all__ = ["META", "parse_regex"]

META = frozenset("\\[](){}.*+?^$|")
PATTERN_CHARS_MAX = 1000
DEPTH_MAX = 50
COUNT_MAX = 1000
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "a": "\a", "e": "\x1b"}


def parse_regex(pattern: str) -> tuple[nodes.Node, int, dict[str, int]]:
    """The tree, the number of groups, and the numbers of the named ones.

    Raises:
        SelRuntimeError: it is not a valid regular expression, or uses something that SEL does not support.
        SelLimit: it is too long or too deep, or repeats too often.
    """
    if len(pattern) > PATTERN_CHARS_MAX:
        raise SelLimit(f"a regular expression of more than {PATTERN_CHARS_MAX:,} characters")
    reader = _Reader(to_characters(pattern))
    tree = reader.alternatives(0)
    if reader.at < len(reader.text):
        raise reader.bad("unmatched ')'")
    return tree, reader.groups, reader.names


class _Reader:
    """A position in the pattern, and the groups and flags seen so far."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.groups = 0
        self.names: dict[str, int] = {}
        self.any_case = False
        self.dot_all = False

    def bad(self, why: str) -> SelRuntimeError:
        return SelRuntimeError(f"regular expression {quoted(self.text)}, near index {self.at}: {why}")

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def take(self, length: int = 1) -> str:
        taken = self.peek(length)
        if len(taken) < length:
            raise self.bad("it ends too early")
        self.at += length
        return taken

    def accepts(self, wanted: str) -> bool:
        if self.text.startswith(wanted, self.at):
            self.at += len(wanted)
            return True
        return False

    def alternatives(self, depth: int) -> nodes.Node:
        if depth > DEPTH_MAX:
            raise SelLimit(f"a regular expression nested deeper than {DEPTH_MAX}")
        flags = self.any_case, self.dot_all
        found = [self.sequence(depth)]
        while self.accepts("|"):
            found.append(self.sequence(depth))
        self.any_case, self.dot_all = flags
        return found[0] if len(found) == 1 else nodes.Alternatives(tuple(found))

    def sequence(self, depth: int) -> nodes.Node:
        found: list[nodes.Node] = []
        while self.at < len(self.text) and self.peek() not in "|)":
            found += self.repeated(self.atom(depth))
        return nodes.Sequence(tuple(found))

    def repeated(self, atoms: list[nodes.Node]) -> list[nodes.Node]:
        """The atoms, with the following quantifier applied to the last; a second quantifier is an error."""
        counts = self.counts()
        if counts is None:
            return atoms
        if not atoms:
            raise self.bad("nothing to repeat")
        mode = self.take() if self.peek() and self.peek() in "?+" else ""
        if self.peek() and self.peek() in "*+?":
            raise self.bad(f"dangling meta character {self.peek()!r}")
        return [*atoms[:-1], nodes.Repeat(atoms[-1], *counts, mode)]

    def counts(self) -> tuple[int, int | None] | None:
        match self.peek():
            case "*" | "+" | "?" as sign:
                self.at += 1
                return (1 if sign == "+" else 0), (1 if sign == "?" else None)
            case "{":
                self.at += 1
                least = self.whole_number()
                most: int | None = least
                if self.accepts(","):
                    most = None if self.peek() == "}" else self.whole_number()
                if not self.accepts("}") or (most is not None and most < least):
                    raise self.bad("illegal repetition")
                return least, most
        return None

    def whole_number(self) -> int:
        start = self.at
        while self.peek().isascii() and self.peek().isdigit() and self.at - start < 9:
            self.at += 1
        if start == self.at:
            raise self.bad("illegal repetition")
        if int(self.text[start : self.at]) > COUNT_MAX:
            raise SelLimit(f"a regular expression that repeats more than {COUNT_MAX:,} times")
        return int(self.text[start : self.at])

    def atom(self, depth: int) -> list[nodes.Node]:
        """What one quantifier applies to; several atoms for quoted text, none for a flag."""
        match character := self.take():
            case "(":
                return self.group(depth)
            case "[":
                return [nodes.Test(self.character_class(depth))]
            case ".":
                return [nodes.Test((lambda _: True) if self.dot_all else sets.any_character)]
            case "^" | "$":
                return [nodes.Boundary(character)]
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise self.bad(f"dangling meta character {character!r}")
            case "{":  # as in Java, there is nothing to repeat
                self.at -= 1
                return [nodes.Sequence(())]
        return [nodes.Test(sets.literal(character, any_case=self.any_case))]

    def group(self, depth: int) -> list[nodes.Node]:
        number, look = 0, None
        if self.accepts("?"):
            if self.accepts("=") or self.accepts("!"):
                look = self.text[self.at - 1] == "="
            elif self.accepts("<") and self.peek() not in {"=", "!"}:
                name = self.until(">")
                if not (name.isascii() and name.isalnum() and name[0].isalpha()) or name in self.names:
                    raise self.bad(f"illegal group name: {name!r}")
                number = self.next_group()
                self.names[name] = number
            elif not self.accepts(":"):
                return self.flags()
        else:
            number = self.next_group()
        inner = self.alternatives(depth + 1)
        if not self.accepts(")"):
            raise self.bad("unclosed group")
        if look is not None:
            return [nodes.Look(inner, look)]
        return [nodes.Group(number, inner) if number else inner]

    def next_group(self) -> int:
        self.groups += 1
        return self.groups

    def flags(self) -> list[nodes.Node]:
        """``(?i)`` and ``(?s)``, which apply to the end of the enclosing group."""
        for flag in self.until(")"):
            if flag not in "is":
                raise self.bad(
                    "SEL does not support this construct; it supports (?:, (?=, (?!, (?<name>, (?i) and (?s)"
                )
            self.any_case |= flag == "i"
            self.dot_all |= flag == "s"
        return []

    def until(self, end: str) -> str:
        stop = self.text.find(end, self.at)
        if stop <= self.at:
            raise self.bad(f"{end!r} is missing")
        found, self.at = self.text[self.at : stop], stop + len(end)
        return found

    def escape(self) -> list[nodes.Node]:
        character = self.take()
        if character == "Q":
            stop = self.text.find("\\E", self.at)
            stop = len(self.text) if stop < 0 else stop
            literal, self.at = self.text[self.at : stop], min(stop + 2, len(self.text))
            return [nodes.Test(sets.literal(one, any_case=self.any_case)) for one in literal]
        if character in "bBAzZ":
            return [nodes.Boundary(character)]
        if character in "123456789":
            number = int(character)
            while self.peek() in set("0123456789") and number * 10 + int(self.peek()) <= self.groups:
                number = number * 10 + int(self.take())
            return [nodes.Backreference(number)]
        return [nodes.Test(self.escaped(character))]

    def escaped(self, character: str) -> sets.Fits:
        """What a backslash and this character stand for, outside and inside brackets."""
        if character in sets.ESCAPES:
            return sets.ESCAPES[character]
        if character in "pP":
            name = self.until("}") if self.accepts("{") else self.take()
            if name not in sets.NAMED:
                raise self.bad(f"unknown character property {name!r}")
            return sets.NAMED[name] if character == "p" else sets.negated(sets.NAMED[name])
        return sets.literal(self.escaped_character(character), any_case=self.any_case)

    def escaped_character(self, character: str) -> str:
        if character in _CONTROLS:
            return _CONTROLS[character]
        if character in "xu":
            digits = self.take(2 if character == "x" else 4)
            try:
                return chr(int(digits, 16))
            except ValueError:
                raise self.bad("an escape without its hexadecimal digits") from None
        if character.isascii() and character.isalnum():
            raise self.bad(f"illegal or unsupported escape sequence \\{character}")
        return character

    def character_class(self, depth: int) -> sets.Fits:
        if depth > DEPTH_MAX:
            raise SelLimit(f"a regular expression nested deeper than {DEPTH_MAX}")
        negative = self.accepts("^")
        tests: list[sets.Fits] = []
        while not (tests and self.accepts("]")):  # a bracket in first position is a character
            if self.accepts("&&"):
                raise self.bad("an intersection of character classes is not supported")
            tests.append(self.class_item(depth))
        fits = sets.either(tests)
        return sets.negated(fits) if negative else fits

    def class_item(self, depth: int) -> sets.Fits:
        first = self.take()
        if first == "[":
            return self.character_class(depth + 1)
        if first == "\\":
            first = self.take()
            if first in sets.ESCAPES or first in "pP":
                return self.escaped(first)
            first = self.escaped_character(first)
        if self.peek() != "-" or self.peek(2) in {"-]", "-["}:
            return sets.literal(first, any_case=self.any_case)
        self.at += 1
        last = self.take()
        if last == "\\":
            last = self.escaped_character(self.take())
        if last < first:
            raise self.bad("illegal character range")
        if not self.any_case:
            return lambda character: first <= character <= last
        return lambda character: any(first <= one <= last for one in (character, character.lower(), character.upper()))
