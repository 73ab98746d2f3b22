"""Durations as text: ``1d 2h 30min 10s 500ms`` (DurationParser.java)."""

from __future__ import annotations

import re

__all__ = ["DURATION", "parse_duration"]

DURATION = "seconds, or a duration such as '1d 2h 30min 10s 500ms'"
"""What a duration may look like, for messages."""

_UNITS_S = {
    **dict.fromkeys(("d", "day", "days"), 86_400),
    **dict.fromkeys(("h", "hour", "hours"), 3_600),
    **dict.fromkeys(("min", "minute", "minutes"), 60),
    **dict.fromkeys(("s", "sec", "second", "seconds"), 1),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 0.001),
}
_PART = re.compile(r"\s*(\d{1,15})\s*([a-z]+)", re.ASCII)
_SECONDS = re.compile(r"\s*\d{1,18}\s*", re.ASCII)


def parse_duration(text: str) -> float:
    """Seconds, from a numeric string or a duration with units.

    Raises:
        ValueError: the text is neither (where Maestro takes what it cannot read as 0); the message says why.
    """
    if _SECONDS.fullmatch(text):
        return int(text)
    seconds, position, lowered = 0.0, 0, text.lower().rstrip()
    while position < len(lowered):
        part = _PART.match(lowered, position)
        if not part:
            raise ValueError("is not a valid duration")
        if part[2] not in _UNITS_S:
            raise ValueError(f'is not a valid duration: unknown unit "{part[2][:30]}"')
        seconds += int(part[1]) * _UNITS_S[part[2]]
        position = part.end()
    if not lowered:
        raise ValueError("is not a valid duration")
    return seconds
