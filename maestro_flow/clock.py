"""Time, randomness and ids, injected (law 7): nothing else in the package reads a clock or draws a number."""

from __future__ import annotations

import random
import time
from typing import Protocol

from attrs import field, frozen

__all__ = ["Clock", "Environment", "SystemClock"]


class Clock(Protocol):
    """Two readings in seconds: the wall clock since the epoch (UTC), and one that never goes back."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's clocks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


@frozen
class Environment:
    """What a node takes from outside itself besides its store: a clock and a source of randomness."""

    clock: Clock = field(factory=SystemClock)
    random: random.Random = field(factory=random.SystemRandom)

    def new_id(self) -> str:
        """A random id of 96 bits: 24 hexadecimal digits."""
        return f"{self.random.getrandbits(96):024x}"
