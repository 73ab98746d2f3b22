"""A regular expression as a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from attrs import frozen

__all__ = ["Alternatives", "Backreference", "Boundary", "Group", "Look", "Node", "Repeat", "Sequence", "Test"]


@frozen
class Test:
    """One character that passes a test."""

    fits: Callable[[str], bool]


@frozen
class Sequence:
    nodes: tuple[Node, ...]


@frozen
class Alternatives:
    nodes: tuple[Node, ...]


@frozen
class Group:
    """A capturing group, by its number."""

    number: int
    node: Node


@frozen
class Repeat:
    """From ``least`` to ``most`` times (None: unbounded); ``mode`` is ``""``, ``?`` (lazy) or ``+`` (possessive)."""

    node: Node
    least: int
    most: int | None
    mode: str


@frozen
class Look:
    """A lookahead: what must, or must not, follow."""

    node: Node
    wanted: bool


@frozen
class Boundary:
    """A zero-width assertion: ``^``, ``$``, ``A``, ``z``, ``Z``, ``b`` or ``B``."""

    kind: str


@frozen
class Backreference:
    number: int


Node: TypeAlias = "Test | Sequence | Alternatives | Group | Repeat | Look | Boundary | Backreference"
