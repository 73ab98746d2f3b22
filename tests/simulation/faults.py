"""What may go wrong in a simulation, and how often; each seed chooses for itself."""

from __future__ import annotations

import random

from attrs import define, frozen

__all__ = ["Fate", "Faults"]


@frozen(str=False)
class Fate:
    """Of one call of the store."""

    before_s: float = 0.0
    after_s: float = 0.0
    crash_before: bool = False
    crash_after: bool = False
    error_before: bool = False
    error_after: bool = False
    late_s: float | None = None
    """The connection breaks, and the statement takes effect this much later."""
    short: bool = False
    """A page has fewer entries than it could have."""

    @property
    def names(self) -> list[str]:
        """What goes wrong."""
        kinds = {
            "crash before a call's effect": self.crash_before,
            "crash after a call's effect": self.crash_after,
            "call without effect": self.error_before,
            "lost answer": self.error_after,
            "late effect": self.late_s is not None,
            "short page": self.short,
        }
        return [name for name, is_so in kinds.items() if is_so]

    def __str__(self) -> str:
        return ", ".join([f"{self.before_s * 1000:.1f}+{self.after_s * 1000:.1f} ms", *self.names])


@define
class Faults:
    """Rates are per call of the store, or per step of a mailbox. ``are_on`` ends with the safety phase."""

    chance: random.Random
    lease_s: float
    error_rate: float = 0.0
    late_rate: float = 0.0
    crash_in_call_rate: float = 0.0
    slow_rate: float = 0.0
    slow_s: float = 1.0
    short_rate: float = 0.0
    crash_rate: float = 0.0
    freeze_rate: float = 0.0
    leave_rate: float = 0.0
    jump_rate: float = 0.0
    store_jump_rate: float = 0.0
    code_crash_rate: float = 0.0
    hang_rate: float = 0.0
    fail_rate: float = 0.2
    dally_rate: float = 0.02
    """Time passes although there is work: the machine is busy."""
    are_on: bool = True

    @classmethod
    def of(cls, chance: random.Random, lease_s: float) -> Faults:
        """Each kind occurs or not, rarely or often, so that some seeds have only the rare kinds."""

        def rate(least: float, most: float, likely: float = 0.6) -> float:
            return chance.uniform(least, most) if chance.random() < likely else 0.0

        return cls(
            chance,
            lease_s,
            error_rate=rate(0.005, 0.15),
            late_rate=rate(0.005, 0.08),
            crash_in_call_rate=rate(0.001, 0.015),
            slow_rate=rate(0.01, 0.1),
            slow_s=chance.choice([0.05, 0.5, 0.5 * lease_s, 2 * lease_s]),
            short_rate=rate(0.1, 0.5),
            crash_rate=rate(0.0003, 0.004),
            freeze_rate=rate(0.0003, 0.004),
            leave_rate=rate(0.0001, 0.002),
            jump_rate=rate(0.0003, 0.003),
            store_jump_rate=rate(0.0003, 0.003, 0.3),
            code_crash_rate=rate(0.01, 0.1, 0.4),
            hang_rate=rate(0.01, 0.1, 0.5),
            fail_rate=rate(0.05, 0.5, 0.8),
            dally_rate=rate(0.002, 0.05, 0.8),
        )

    def fate(self, verb: str) -> Fate:
        """Of the next call."""
        draw = self.chance.random
        before_s = draw() * 0.003 if draw() < 0.5 else 0.0
        after_s = draw() * 0.002 if draw() < 0.3 else 0.0
        if not self.are_on:
            return Fate(before_s, after_s)
        if draw() < self.slow_rate:
            before_s += self.chance.expovariate(1 / self.slow_s)
        if draw() < self.slow_rate:
            after_s += self.chance.expovariate(1 / self.slow_s)
        fails, crashes = draw(), draw()
        return Fate(
            before_s,
            after_s,
            crash_before=crashes < self.crash_in_call_rate / 2,
            crash_after=self.crash_in_call_rate / 2 <= crashes < self.crash_in_call_rate,
            error_before=fails < self.error_rate / 2,
            error_after=self.error_rate / 2 <= fails < self.error_rate,
            late_s=self.chance.expovariate(1 / self.slow_s) if draw() < self.late_rate else None,
            short=draw() < self.short_rate,
        )
