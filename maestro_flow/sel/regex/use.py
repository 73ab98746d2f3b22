"""``replaceAll`` and ``split``."""

from __future__ import annotations

from collections.abc import Iterator

from maestro_flow.errors import SelRuntimeError
from maestro_flow.sel.frame import Frame
from maestro_flow.sel.numbers import quoted
from maestro_flow.sel.regex.machine import Match, find_all
from maestro_flow.sel.regex.parse import META
from maestro_flow.sel.regex.program import compiled

__all__ = ["replace_all", "split"]


def replace_all(frame: Frame, text: str, pattern: str, replacement: str) -> str:
    """``$1`` and ``${name}`` in the replacement refer to groups; a backslash makes the next character literal."""
    made: list[str] = []
    at = 0
    parts: list[str | int] | None = None
    for match in matches(frame, pattern, text):
        if parts is None:
            frame.spend(len(replacement))
            parts = replacement_parts(replacement, pattern)
        made.append(text[at : match[0]])
        made += [part if isinstance(part, str) else text[max(0, match[2 * part]) : max(0, match[2 * part + 1])]
                 for part in parts]  # fmt: skip
        frame.reserve(sum(map(len, made[-len(parts) - 1 :])))
        at = match[1]
    made.append(text[at:])
    return frame.string("".join(made))


def split(frame: Frame, text: str, pattern: str, limit: int) -> list[str]:
    """As ``String.split``: a limit of 0 drops empty parts at the end."""
    parts: list[str] = []
    at = 0
    for match in matches(frame, pattern, text):
        start, end = match[0], match[1]
        if 0 < limit <= len(parts) + 1:
            break
        if at == start == end == 0:
            continue  # there is nothing before an empty match at the start
        parts.append(text[at:start])
        at = end
        if len(parts) > frame.limits.array_items_max:
            frame.reserve_array(len(parts))
    if at == 0 and not parts:
        return [text]
    parts.append(text[at:])
    while limit == 0 and parts and not parts[-1]:
        parts.pop()
    frame.allocate(2 * len(text))
    return parts


def matches(frame: Frame, pattern: str, text: str) -> Iterator[Match]:
    """Matches from left to right; a pattern without special characters is searched for literally."""
    if pattern and META.isdisjoint(pattern):
        return plain_matches(frame, pattern, text)
    return find_all(frame, compiled(pattern), text)


def plain_matches(frame: Frame, wanted: str, text: str) -> Iterator[Match]:
    frame.scan(len(text))
    at = text.find(wanted)
    while at >= 0:
        frame.spend(1)
        yield at, at + len(wanted)
        at = text.find(wanted, at + len(wanted))


def replacement_parts(replacement: str, pattern: str) -> list[str | int]:
    """The literal parts, and the numbers of the groups between them.

    Raises:
        SelRuntimeError: a group does not exist, or nothing follows a ``$`` or a backslash.
    """
    groups, names = (0, {}) if pattern and META.isdisjoint(pattern) else group_numbers(pattern)
    parts: list[str | int] = [""]
    at = 0
    while at < len(replacement):
        unit = replacement[at]
        at += 1
        if unit != "$":
            if unit == "\\":
                unit = replacement[at : at + 1] or bad(replacement, "it ends with a backslash")
                at += 1
            stop = min((place for place in (replacement.find(mark, at) for mark in "\\$") if place >= 0), default=None)
            parts.append(unit + replacement[at:stop])
            at = len(replacement) if stop is None else stop
        elif replacement[at : at + 1] == "{":
            end = replacement.find("}", at)
            name = replacement[at + 1 : end]
            parts.append(names[name] if end > 0 and name in names else int(bad(replacement, "there is no such group")))
            at = end + 1
        else:
            number, at = group_number(replacement, at, groups)
            parts.append(number)
    return parts


def group_number(replacement: str, at: int, groups: int) -> tuple[int, int]:
    """The number after a ``$``: as many digits as form the number of an existing group."""
    digit = replacement[at : at + 1]
    if not (digit.isascii() and digit.isdigit()):
        bad(replacement, "illegal group reference")
    number = int(digit)
    if number > groups:
        bad(replacement, f"there is no group {number}")
    at += 1
    while (digit := replacement[at : at + 1]).isascii() and digit.isdigit() and number * 10 + int(digit) <= groups:
        number, at = number * 10 + int(digit), at + 1
    return number, at


def group_numbers(pattern: str) -> tuple[int, dict[str, int]]:
    program = compiled(pattern)
    return program.groups, program.names


def bad(replacement: str, why: str) -> str:
    raise SelRuntimeError(f"replaceAll: the replacement {quoted(replacement)}: {why}")
