"""Joda's date patterns, split into items: letters with their count, and literal text."""

from __future__ import annotations

from functools import lru_cache

from attrs import frozen

from maestro_flow.errors import SelLimit, SelRuntimeError
from maestro_flow.sel.numbers import quoted

__all__ = ["NUMERIC", "Item", "pattern_items"]

LETTERS = "GCYxwyDMdEeaKhHkmsSzZ"
NUMERIC = "YxwyDdeKhHkmsSC"
"""Letters that stand for digits; ``M`` does if there are at most two."""
COUNT_MAX = 100
CHARS_MAX = 1000


@frozen
class Item:
    """A letter with its count, or literal text. ``digits_follow``: a number follows, so they share digits."""

    letter: str
    count: int
    text: str = ""
    digits_follow: bool = False

    @property
    def is_numeric(self) -> bool:
        return self.letter in NUMERIC if self.letter != "M" else self.count <= 2


@lru_cache(maxsize=256)
def pattern_items(pattern: str) -> tuple[Item, ...]:
    """The items of a pattern.

    Raises:
        SelRuntimeError: a letter has no meaning, or the pattern is empty.
        SelLimit: the pattern is too long.
    """
    if len(pattern) > CHARS_MAX:
        raise SelLimit(f"a date pattern of more than {CHARS_MAX:,} characters")
    items: list[Item] = []
    at = 0
    while at < len(pattern):
        start, letter = at, pattern[at]
        if letter.isascii() and letter.isalpha():
            while at < len(pattern) and pattern[at] == letter:
                at += 1
            if letter not in LETTERS or at - start > COUNT_MAX:
                raise SelRuntimeError(f"illegal pattern component: {quoted(pattern[start:at])}")
            items.append(Item(letter, at - start))
        else:
            text, at = _literal(pattern, at)
            items.append(Item("", 0, text))
    if not items:
        raise SelRuntimeError("invalid pattern specification: it is empty")
    following = [*items[1:], Item("", 0)]
    return tuple(
        Item(item.letter, item.count, item.text, digits_follow=after.is_numeric and bool(after.letter))
        for item, after in zip(items, following, strict=True)
    )


def _literal(pattern: str, at: int) -> tuple[str, int]:
    """Text up to the next letter outside quotes, and where it ends; two quotes stand for one."""
    made: list[str] = []
    quoting = False
    while at < len(pattern):
        letter = pattern[at]
        if letter == "'":
            if pattern[at + 1 : at + 2] == "'":
                made.append("'")
                at += 1
            else:
                quoting = not quoting
        elif not quoting and letter.isascii() and letter.isalpha():
            break
        else:
            made.append(letter)
        at += 1
    return "".join(made), at
