"""One simulated process: an engine on its own runtime and clocks, until it leaves, or dies between two instructions."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from maestro_flow import Engine
from maestro_flow.clock import Environment
from maestro_flow.errors import StorageUnavailable
from tests.simulation.code import Probe
from tests.simulation.threads import NodeClock, NodeRuntime
from tests.simulation.wire import Wire

if TYPE_CHECKING:
    from tests.simulation.world import World

__all__ = ["Process"]


class Process:
    """``engine`` is None until it serves."""

    def __init__(self, world: World, replica: int, name: str, settings: dict[str, Any]) -> None:
        self.world, self.replica, self.name, self._settings = world, replica, name, settings
        self.clock = NodeClock(world.time, wrong_by_s=world.time.chance.choice([0.0, 0.0, 3600.0, -3600.0, 7.5]))
        self.runtime = NodeRuntime(world.time, self.clock)
        self.storage = Wire(self, world.storage)
        self.engine: Engine | None = None
        self.is_leaving = False
        self.frozen_until = 0.0
        self.wake: Callable[[int], None] | None = None
        """Takes the store's hints."""
        self.runtime.spawn_thread(self._main)

    @property
    def is_alive(self) -> bool:
        return not self.runtime.is_dead

    @property
    def is_frozen(self) -> bool:
        return self.world.time.now < self.frozen_until

    @property
    def is_serving(self) -> bool:
        """Its users can call it."""
        return self.is_alive and self.engine is not None and not self.is_leaving

    def next_due(self) -> float | None:
        """When it can do something, if it cannot now: the world's time."""
        at = self.runtime.next_due()
        if not self.is_frozen:
            return at
        if self.runtime.is_runnable:
            return self.frozen_until
        return None if at is None else max(at, self.frozen_until)

    def hear(self, group_id: int) -> None:
        """A hint of the store's, on a thread of its own."""
        wake = self.wake
        if wake is not None:
            self.runtime.add(lambda: wake(group_id))

    def thread(self, job: Callable[[Engine], None]) -> None:
        """A user's thread in this process."""
        self.runtime.spawn_thread(lambda: job(self.engine) if self.engine is not None else None)

    def crash(self, where: str) -> None:
        """It dies here: the calling thread, if it is one of the process, never continues."""
        self.world.time.note(f"{self.name} dies {where}")
        self.world.counts["crash"] += 1
        self._end()
        if self.world.current is self:
            self.runtime.suspend()

    def freeze(self, seconds: float) -> None:
        self.world.time.note(f"{self.name} freezes for {seconds:.3f} s")
        self.world.counts["freeze"] += 1
        self.frozen_until = max(self.frozen_until, self.world.time.now + seconds)

    def leave(self) -> None:
        """As on SIGTERM: hand over, release, end."""
        if self.is_leaving or self.engine is None:
            return
        self.is_leaving = True
        self.world.time.note(f"{self.name} leaves")
        self.world.counts["leave"] += 1
        self.thread(self._leave)

    def _leave(self, engine: Engine) -> None:
        engine.close()
        self.world.time.note(f"{self.name} has left")
        self._end()

    def _end(self) -> None:
        self.runtime.kill()
        self.world.has_ended(self)

    def _main(self) -> None:
        seed = f"{self.world.seed}/{self.name}"
        environment = Environment(self.clock, random.Random(seed))
        engine = Engine(self.storage, environment=environment, runtime=self.runtime, **self._settings)
        engine._step_types._loaded["Probe"] = Probe(self.world.workload.code)
        engine._step_types.version += 1
        engine._node.look_again()
        for workflow in self.world.workload.code_of(self.replica):
            while True:
                try:
                    engine.push(workflow)
                    break
                except StorageUnavailable:
                    self.runtime.sleep(0.3)
        self.engine = engine
        self.world.time.note(f"{self.name} serves")
