"""The world: one store, some processes, one time, and a scheduler that picks what happens next from the seed."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from maestro_flow.model.leases import Lease
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.verify.history import Claimed
from tests.simulation.faults import Faults
from tests.simulation.process import Process
from tests.simulation.times import StoreTime, Time
from tests.simulation.workload import REPLICAS, Workload

__all__ = ["World"]

GROUPS = 8
LEASE_S = 10.0
STEPS_AT_ONCE_MAX = 20_000
"""Steps of mailboxes without time passing: more are a loop."""


class World:
    """The world of one simulation. ``step`` is one step of one process, or one moment of time."""

    def __init__(
        self,
        seed: int,
        show: Callable[[str], None] | None = None,
        store: Callable[..., MemoryStorage] = MemoryStorage,
    ) -> None:
        self.seed = seed
        self.time = Time(seed, show)
        chance = self.time.chance
        self.store_time = StoreTime(self.time)
        self.storage = store(self.store_time, groups=GROUPS)
        self.faults = Faults.of(chance, LEASE_S)
        self.counts: Counter[str] = Counter()
        self.mailbox_steps = 0
        self.current: Process | None = None
        self.claims: list[Claimed] = []
        self.slow_calls: list[Callable[[], None]] = []
        """Resumes the long calls of the store; calling it again has no further effect."""
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self.settings: dict[str, Any] = {
            "lease_s": LEASE_S,
            "crashes_max": chance.choice([2, 3, 100]),
            "deliveries_max": 50,  # here it is owners that fail, not messages that are defective
            "executor_threads": chance.choice([2, 8]),
            "executor_queue_max": chance.choice([2, 8, 1000]),
            "suspects_max": chance.choice([1, 4]),
            "batch_max": chance.choice([1, 3, 1024]),
            "commit_events_max": chance.choice([2, 200]),
        }
        self.workload = Workload(self)
        self.processes = [self._process(number) for number in range(chance.choice([2, 2, 3, 3, REPLICAS]))]
        self._next_misfortune = self._misfortune_at()

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Schedules an event outside the processes, after some time."""
        heapq.heappush(self._events, (self.time.now + max(0.0, seconds), next(self._numbers), call))

    def run(self, until: Callable[[], bool], timeout_s: float) -> bool:
        """Let time pass until the condition holds or the time is over; returns whether it holds."""
        end = self.time.now + timeout_s
        moment, steps = self.time.now, self.mailbox_steps
        while not until():
            if self.time.now >= end:
                return False
            self.step(end)
            if self.time.now > moment:
                moment, steps = self.time.now, self.mailbox_steps
            assert self.mailbox_steps < steps + STEPS_AT_ONCE_MAX, f"L1: there is an endless loop at {moment}"
        return True

    def step(self, end: float) -> None:
        ready = [process for process in self.processes if process.runtime.is_runnable and not process.is_frozen]
        chance = self.time.chance
        if not ready or (self.faults.are_on and chance.random() < self.faults.dally_rate):
            self._advance(end)
            return
        index = chance.randrange(len(ready)) if len(ready) > 1 else 0
        process = ready[index]
        self.mailbox_steps += 1
        if self.mailbox_steps >= self._next_misfortune:
            self._next_misfortune = self._misfortune_at()
            if self.faults.are_on:
                self._misfortune(process)
                return
        self.current = process
        self.time.chose(index, len(ready))
        process.runtime.step()
        self.current = None

    def serving(self) -> list[Process]:
        return [process for process in self.processes if process.is_serving and not process.is_frozen]

    def make_peace(self) -> None:
        """There are no more faults: frozen processes thaw, dead ones are started again."""
        self.time.note("peace")
        self.faults.are_on = False
        self._events.clear()
        for resume in self.slow_calls:
            resume()
        for number, process in enumerate(self.processes):
            process.frozen_until = 0.0
            if not process.is_alive:
                self.processes[number] = self._process(number)

    def has_ended(self, process: Process) -> None:
        """Another one is started instead, after a while."""

        def replace() -> None:
            if not self.processes[number].is_alive:
                self.processes[number] = self._process(number)

        number = self.processes.index(process)
        self.later(self.time.chance.expovariate(1 / LEASE_S) if self.faults.are_on else 0.0, replace)

    def hint(self, groups: list[int]) -> None:
        """These groups have input or are free: most of the time, processes get a hint."""
        chance = self.time.chance
        for process in self.processes if groups else ():
            for _ in range(chance.choice([0, 1, 1, 2]) if self.faults.are_on else 1):
                for group_id in groups:
                    self.later(chance.choice([0.0, 0.001, 0.5]), lambda p=process, g=group_id: p.hear(g))  # type: ignore[misc]

    def note_claims(self, leases: Sequence[Lease]) -> None:
        """A process has just claimed these groups."""
        self.claims += [
            Claimed(lease.group_id, lease.generation, self.storage.last_position(lease.group_id)) for lease in leases
        ]

    # -- time ---------------------------------------------------------------------------------------------------

    def _advance(self, end: float) -> None:
        """Advance to the next moment at which something is due, and make it runnable."""
        due, source = end, None
        for process in self.processes:
            at = process.next_due()
            if at is not None and at < due:
                due, source = at, process
        if self._events and self._events[0][0] <= due:
            due = self._events[0][0]
            self.time.now = max(self.time.now, due)
            heapq.heappop(self._events)[2]()
            return
        self.time.now = max(self.time.now, due)
        if source is not None:
            source.runtime.fire(self.time.now)

    # -- misfortunes --------------------------------------------------------------------------------------------

    def _misfortune_at(self) -> float:
        faults = self.faults
        rate = faults.crash_rate + faults.freeze_rate + faults.leave_rate + faults.jump_rate + faults.store_jump_rate
        return self.mailbox_steps + (self.time.chance.expovariate(rate) if rate else float("inf"))

    def _misfortune(self, process: Process) -> None:
        chance, faults = self.time.chance, self.faults
        kinds = ["crash", "freeze", "leave", "jump", "store_jump"]
        weights = [
            faults.crash_rate,
            faults.freeze_rate,
            faults.leave_rate,
            faults.jump_rate,
            faults.store_jump_rate,
        ]
        match chance.choices(kinds, weights)[0]:
            case "crash":
                process.crash("between two steps")
            case "freeze":
                process.freeze(chance.choice([0.05, 0.3, 1.0, 1.5, 3.0]) * LEASE_S * chance.uniform(0.5, 1.0))
            case "leave":
                process.leave()
            case "jump":
                self.counts["clock jump"] += 1
                process.clock.wrong_by_s += chance.choice([3600.0, -3600.0, 15.0, -15.0])
            case "store_jump":
                self.counts["clock jump of the store"] += 1
                self.store_time.wrong_by_s += chance.choice([30.0, 3.0])

    def _process(self, number: int) -> Process:
        self.counts["process"] += 1
        return Process(self, number, f"n{number}.{self.counts['process']}", self.settings)
