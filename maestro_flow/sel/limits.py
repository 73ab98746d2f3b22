"""What one evaluation may use: each limit with its unit and its reason (law 8)."""

from __future__ import annotations

from attrs import define, field, frozen

from maestro_flow.errors import SettingsError

__all__ = ["SelLimits", "Visits"]


def _limit(default: int, reason: str, most: int = 10**9) -> int:
    def check(_limits: SelLimits, attribute: object, value: object) -> None:
        if type(value) is not int or not 1 <= value <= most:
            name = getattr(attribute, "name", "")
            raise SettingsError(f"limit {name}={value!r}: must be a whole number from 1 to {most:,}")

    made: int = field(default=default, validator=check, metadata={"reason": reason})
    return made


@frozen
class SelLimits:
    """Limits of one evaluation. All are counts, none is a time, so the outcome is the same on every machine."""

    source_chars_max: int = _limit(10_000, "Maestro's; checked before anything else reads the source")
    depth_max: int = _limit(100, "nesting of expressions, statements and values: Python's stack must suffice", most=200)
    visits_max: int = _limit(10_000_000, "nodes of the tree visited, and work inside functions: a few seconds at most")
    loop_turns_max: int = _limit(25_000, "turns of one loop; Maestro's")
    array_items_max: int = _limit(25_000, "items of one array, wherever it comes from; Maestro's")
    string_chars_max: int = _limit(1_000_000, "UTF-16 units of one string; all params of a step may have 750,000")
    memory_bytes_max: int = _limit(100_000_000, "allocated by one evaluation, estimated; Maestro's")


@define
class Visits:
    """A budget of visits that several evaluations share: each takes from what the ones before it have left."""

    left: int
