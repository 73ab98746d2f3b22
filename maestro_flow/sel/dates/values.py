"""Values of the date classes: instants, zones, formatters, properties, days."""

from __future__ import annotations

from typing import ClassVar
from zoneinfo import ZoneInfo

from attrs import field, frozen

from maestro_flow.sel.values import Kind

__all__ = ["UTC", "DateTime", "Days", "Formatter", "Property", "Zone"]


@frozen
class Zone:
    """A time zone: a fixed offset in milliseconds, or a zone of the time zone database."""

    kind: ClassVar[Kind] = Kind.DATETIME_ZONE
    id: str
    fixed_ms: int = 0
    rules: ZoneInfo | None = field(default=None, eq=False)


UTC = Zone("UTC")


@frozen
class DateTime:
    """An instant in milliseconds since 1970, and the zone to view it in."""

    kind: ClassVar[Kind] = Kind.DATETIME
    millis: int
    zone: Zone


@frozen
class Formatter:
    """A pattern, and the zone to parse and print in; None means UTC for parsing, and a DateTime's own for printing."""

    kind: ClassVar[Kind] = Kind.DATETIME_FORMATTER
    pattern: str
    zone: Zone | None = None


@frozen
class Property:
    """One field of a DateTime, by its name in ``FIELDS``."""

    kind: ClassVar[Kind] = Kind.DATETIME_PROPERTY
    of: DateTime
    field: str


@frozen
class Days:
    kind: ClassVar[Kind] = Kind.DATETIME_DAYS
    days: int
