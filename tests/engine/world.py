"""A world for the engine on the inline runtime: one store, one virtual clock, processes that can crash."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from maestro_flow import Engine, Run
from maestro_flow.clock import Environment
from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.inbox import Message
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.storage.memory import MemoryStorage
from maestro_flow.storage.protocol import Storage
from maestro_flow.testing import InlineRuntime, ManualClock


class Crash(BaseException):
    """The process dies here."""


class FaultyStorage:
    """A store that does something at chosen commits; everything else is passed on."""

    def __init__(self, storage: Storage, fault: Callable[[int, str], None]) -> None:
        self._storage, self._fault, self.commits = storage, fault, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def listen(self, wake: Callable[[int], None]) -> Callable[[], None]:
        """A server's hints come on threads of their own, which the inline runtime has no room for."""
        if isinstance(self._storage, MemoryStorage):
            return self._storage.listen(wake)
        return lambda: None

    def commit(self, batch: Sequence[Commit]) -> list[Outcome]:
        self.commits += 1
        number = self.commits
        self._fault(number, "before")
        outcomes = self._storage.commit(batch)
        self._fault(number, "after")
        return outcomes


def crash_at(number: int, when: str) -> Callable[[int, str], None]:
    """Die before or after the effect of one commit."""

    def fault(commit: int, moment: str) -> None:
        if (commit, moment) == (number, when):
            raise Crash

    return fault


def unavailable_at(numbers: set[int], when: str) -> Callable[[int, str], None]:
    """The connection dies at these commits: without an effect, or with one that nobody hears of."""

    def fault(commit: int, moment: str) -> None:
        if commit in numbers and moment == when:
            raise StorageUnavailable("the connection died")

    return fault


class World:
    """A store and a clock that outlive processes. ``calls`` is what user code saw: (step, attempt, execution)."""

    def __init__(self, storage: Storage | None = None, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.storage: Storage = storage or MemoryStorage(self.clock)
        self.calls: list[str] = []

    def process(
        self,
        seed: int = 0,
        fault: Callable[[int, str], None] | None = None,
        storage: Any = None,
        **settings: Any,
    ) -> Process:
        """A new process on the store, or on another way to it; what is wrong with its commits, and its settings."""
        faulty = FaultyStorage(storage or self.storage, fault or (lambda _number, _when: None))
        return Process(self, seed, faulty, settings)

    def state(self, run: Run) -> FlowState:
        """What the log of a run folds to, independently of any engine."""
        graph = GraphCache(self.storage).of_run(run.flow_id, run.version)
        return fold(FlowState.new(run.flow_id, graph), self.storage.read_flow(run.flow_id))


class Process:
    """One process: an engine on a runtime and, perhaps, a fault."""

    def __init__(self, world: World, seed: int, storage: FaultyStorage, settings: dict[str, Any]) -> None:
        self.runtime = InlineRuntime(seed, world.clock)
        environment = Environment(world.clock, random.Random(f"{seed}/{world.clock.monotonic()}"))
        self.storage = storage
        self.engine = Engine(self.storage, environment=environment, runtime=self.runtime, **settings)

    def send(self, message: Message) -> None:
        """Send a message as any client may, with whatever content; the node here is told."""
        self.engine._session.send(message)


class _Dropped:
    """The handle of a call that never returns."""

    def cancel(self) -> None: ...


def drop_calls(process: Process) -> None:
    """From now on, the executors of this process lose every call that they are given."""
    process.engine._node._services.executors.submit = lambda *_call: _Dropped()  # type: ignore[method-assign]


def let_pass(process: Process, seconds: float = 10.0) -> None:
    """This process lives on for a while; others are frozen, dead or elsewhere."""
    process.runtime.run(lambda: False, timeout_s=seconds)
