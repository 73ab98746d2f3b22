"""Integers that every store can hold: 64 bits, signed. A larger one is refused before any store sees it."""

from __future__ import annotations

from typing import Any

from maestro_flow.errors import ValueNotStorable

__all__ = ["check_number", "storable_number", "storable_pair"]

_END = 2**63


def check_number(name: str, value: int) -> None:
    """Raises ValueNotStorable if the number has more than 64 bits."""
    if not -_END < value < _END:
        raise ValueNotStorable(f"{name} {value} is too large: stores hold 64-bit integers")


def storable_number(record: object, attribute: Any, value: int) -> None:
    """``check_number`` as an attrs validator."""
    check_number(f"{type(record).__name__}.{attribute.name}", value)


def storable_pair(record: object, attribute: Any, values: tuple[int, int]) -> None:
    """``check_number`` for two numbers, as an attrs validator."""
    for value in values:
        storable_number(record, attribute, value)
