"""Times as text for programs and people: ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

__all__ = ["iso_time"]


def iso_time(seconds: float, *, timespec: str = "milliseconds") -> str:
    """Seconds since the epoch as ``2026-11-22T23:59:59.123Z``; ``timespec`` as in ``datetime.isoformat``."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=timespec).removesuffix("+00:00") + "Z"
