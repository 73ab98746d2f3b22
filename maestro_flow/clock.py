"""Time, randomness and ids, injected (law 7): nothing else in the package reads a clock or draws random numbers."""

from __future__ import annotations

import random
import threading
import time
from typing import Protocol

from attrs import field, frozen

__all__ = ["Clock", "Environment", "Event", "ManualClock", "SystemClock", "ThreadEvent"]


class Clock(Protocol):
    """Two readings in seconds: the wall clock since the epoch (UTC), and one that never goes back."""

    def time(self) -> float: ...

    def monotonic(self) -> float: ...


class Event(Protocol):
    """A flag to wait for. On a virtual clock it is waiting that makes time pass."""

    def set(self) -> None: ...

    def clear(self) -> None: ...

    def wait(self, timeout_s: float | None = None) -> bool:
        """True when the flag was set in time."""
        ...


class ThreadEvent:
    """``threading.Event`` with our parameter name."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self.set, self.clear = self._event.set, self._event.clear

    def wait(self, timeout_s: float | None = None) -> bool:
        return self._event.wait(timeout_s)


class SystemClock:
    """The machine's clocks."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()


class ManualClock:
    """A clock for tests: both readings, in seconds, move only by ``advance``. Thread-safe."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._lock = threading.Lock()
        self._now = now
        self._elapsed = 0.0

    def time(self) -> float:
        with self._lock:
            return self._now

    def monotonic(self) -> float:
        with self._lock:
            return self._elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass; it never goes back."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds} s")
        with self._lock:
            self._now += seconds
            self._elapsed += seconds


@frozen
class _FixedClock:
    """Both readings are constant."""

    now: float

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


@frozen
class Environment:
    """What a node gets from outside besides its store: a clock and a source of randomness."""

    clock: Clock = field(factory=SystemClock)
    random: random.Random = field(factory=random.SystemRandom)

    @classmethod
    def fixed(cls, now: float, seed: str) -> Environment:
        """An environment with a fixed time and a seeded source of randomness: pure functions may use it."""
        return cls(_FixedClock(now), random.Random(seed))  # noqa: S311 - it has to be repeatable

    def new_id(self) -> str:
        """A random 96-bit id: 24 hexadecimal digits."""
        return f"{self.random.getrandbits(96):024x}"
