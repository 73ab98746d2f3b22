"""Shared by all processes of a simulation: time, chance, and the trace of what happened."""

from __future__ import annotations

import random
from collections.abc import Callable
from zlib import crc32

from maestro_flow.clock import ManualClock

__all__ = ["StoreTime", "Time"]

_EPOCH = 1_700_000_000.0


class Time:
    """``now``: virtual seconds since the beginning. ``chance`` is the only source of randomness."""

    def __init__(self, seed: int, show: Callable[[str], None] | None = None) -> None:
        self.now = 0.0
        self.chance = random.Random(seed)
        self.digest = 0
        """Of everything that was noted: two simulations with the same digest have had the same history."""
        self.show = show

    def wall(self) -> float:
        return _EPOCH + self.now

    def chose(self, *numbers: int) -> None:
        """Something was chosen or counted: part of the digest alone."""
        self.digest = hash((self.digest, self.now, *numbers))

    def note(self, text: str) -> None:
        """A line of the trace."""
        self.digest = hash((self.digest, self.now, crc32(text.encode())))
        if self.show is not None:
            self.show(f"{self.now:12.6f}  {text}")


class StoreTime(ManualClock):
    """The clock of the store; ``wrong_by_s`` may jump."""

    def __init__(self, time: Time) -> None:
        super().__init__()
        self._time, self.wrong_by_s = time, 0.0

    def time(self) -> float:
        return self._time.wall() + self.wrong_by_s

    def monotonic(self) -> float:
        return self._time.now
