"""Figures, each with what it is compared with, and the table of them that ends a run."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from itertools import zip_longest
from typing import Any

from attrs import asdict, frozen

__all__ = ["Bound", "Figure", "Report", "Target"]


class Bound(Enum):
    """What a target says about a figure."""

    RATIO_AT_MOST = "<= {:g}x"
    RATIO_AT_LEAST = ">= {:g}x"
    AT_MOST = "<= {}"
    AT_LEAST = ">= {}"


@frozen
class Target:
    """The target of a figure; in the figure's unit, unless it is a ratio."""

    bound: Bound
    limit: float

    def text(self, unit: str) -> str:
        is_ratio = self.bound in (Bound.RATIO_AT_MOST, Bound.RATIO_AT_LEAST)
        limit = self.limit if is_ratio else amount(self.limit, unit)
        return self.bound.value.format(limit)

    def is_met(self, figure: Figure) -> bool:
        match self.bound:
            case Bound.RATIO_AT_MOST:
                return figure.ratio is not None and figure.ratio <= self.limit
            case Bound.RATIO_AT_LEAST:
                return figure.ratio is not None and figure.ratio >= self.limit
            case Bound.AT_MOST:
                return figure.value <= self.limit
            case Bound.AT_LEAST:
                return figure.value >= self.limit


@frozen
class Figure:
    """One measured value; ``unit`` is s, ms or a rate. ``floor`` has the same unit and was measured in between."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_name: str = ""
    target: Target | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the floor; for a rate, the fraction of it that is reached."""
        return self.value / self.floor if self.floor else None

    @property
    def verdict(self) -> str:
        if self.target is None:
            return ""
        return "met" if self.target.is_met(self) else "MISSED"

    def cells(self) -> tuple[str, ...]:
        beside = f"{amount(self.floor, self.unit)} {self.floor_name}" if self.floor is not None else ""
        ratio = f"{self.ratio:.2f}x" if self.ratio is not None else ""
        target = self.target.text(self.unit) if self.target else ""
        return (self.name, amount(self.value, self.unit), beside, ratio, target, self.verdict)


class Report:
    """The figures of one run by store ("" if it needs none), in the order in which they were measured."""

    def __init__(self) -> None:
        self.figures: dict[str, list[Figure]] = {}

    def add(self, store: str, figure: Figure) -> dict[str, Any]:
        """Record a figure; returns it as plain values, for ``--benchmark-json``."""
        self.figures.setdefault(store, []).append(figure)
        plain = asdict(figure, value_serializer=lambda _owner, _field, value: getattr(value, "name", value))
        return plain | {"store": store, "ratio": figure.ratio, "verdict": figure.verdict}

    def lines(self) -> list[str]:
        """A table for each store, as text."""
        rows: list[Sequence[str]] = []
        for store, figures in self.figures.items():
            rows += [(store or "whole processes", "value", "compared with", "ratio", "target", "verdict")]
            rows += [*(figure.cells() for figure in figures), ()]
        return aligned(rows)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns two spaces apart."""
    widths = [max(map(len, column)) for column in zip_longest(*rows, fillvalue="")]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=False)] for row in rows)
    return ["  ".join(row).rstrip() for row in padded]


def amount(value: float, unit: str) -> str:
    """Three significant digits and the unit: ``0.367 ms``, ``6,410 steps/s``."""
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:#.3g} {unit}"
