"""Seeds of trouble on real servers: two processes, lost answers, refused calls, crashes, freezes beyond the lease.

First everything goes wrong, then nothing does any more, and all runs must end; the log must keep its promises. On the
store in memory `tests/simulation/` does more of it.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from maestro_flow_redis.opening import open_server

from maestro_flow import RunStatus, StepContext, Workflow
from maestro_flow.clock import ManualClock
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.events import StepEnded, StepRunning, decode_events
from maestro_flow.model.status import StepStatus
from maestro_flow.storage.open import open_storage
from tests.engine.world import Process, World
from tests.servers import postgres as postgres_servers
from tests.servers import redis as redis_servers
from tests.servers.redis_time import ServerAtTime
from tests.servers.store_time import ServerClock

RUNS = 6
SEEDS = 20
VERBS = {
    "renew",
    "claim",
    "pending_starts",
    "acknowledge_starts",
    "receive",
    "load_flows",
    "read_flow",
    "last_position",
    "run",
    "definition",
}


def workflow(world: World) -> Workflow:
    wf = Workflow("troubled")

    def note(context: StepContext) -> None:
        world.calls.append(f"{context.idempotency_key}#{context.attempt}.{context.execution}.{context.generation}")

    @wf.step
    def a(context: StepContext) -> int:
        note(context)
        return context.instance_id

    wf.add("pause", type="Sleep", params={"sleep_seconds": 7}, after="a")

    @wf.step(after="a", retries=3, retry_wait_s=2)
    def shaky(a: int, context: StepContext) -> int:
        note(context)
        if context.attempt < 3:
            raise ValueError("not yet")
        return a + 1

    @wf.step(after=["pause", "shaky"])
    def last(shaky: int, context: StepContext) -> int:
        note(context)
        return shaky * 2

    return wf


class Unreliable:
    """A connection on which any call may fail, before or after its effect, until the trouble is over."""

    def __init__(self, storage: Any, dice: random.Random) -> None:
        self._storage, self._dice, self.trouble = storage, dice, True

    def __getattr__(self, name: str) -> Any:
        verb = getattr(self._storage, name)
        if name not in VERBS | {"commit"}:
            return verb

        def call(*args: Any, **kwargs: Any) -> Any:
            fate = self._dice.random() if self.trouble else 1.0
            if fate < 0.1:
                raise StorageUnavailable("no connection")
            answer = verb(*args, **kwargs)
            if fate < 0.2:
                raise StorageUnavailable("the answer is lost")
            return answer

        return call


class Trouble:
    """Two processes; each turn one of them runs for a while, freezes, or dies and is replaced."""

    def __init__(self, seed: int, world: World) -> None:
        self.dice = random.Random(seed)
        self.world = world
        self.wires: list[Unreliable] = []
        self.processes = [self.start(number) for number in range(2)]

    def start(self, number: int) -> Process:
        wire = Unreliable(self.world.storage, self.dice)
        wire.trouble = False
        process = self.world.process(seed=self.dice.randrange(10**6) + number, storage=wire, crashes_max=100)
        process.engine.push(workflow(self.world))
        wire.trouble = True
        self.wires.append(wire)
        return process

    def turn(self) -> None:
        index = self.dice.randrange(2)
        if self.dice.random() < 0.1:
            self.processes[index] = self.start(index)
            return
        # The other one is frozen meanwhile, sometimes for longer than its lease of 10 s.
        self.processes[index].runtime.run(lambda: False, timeout_s=self.dice.choice([0.1, 0.5, 1.0, 3.0, 12.0]))

    def let(self, *, trouble: bool) -> None:
        for wire in self.wires:
            wire.trouble = trouble


@pytest.mark.parametrize("seed", range(SEEDS))
def test_on_postgres_everything_ends_once_and_in_order(
    seed: int, postgres: postgres_servers.Server, schema: str
) -> None:
    with postgres.connect() as connection:
        clock = ServerClock(connection, f"{schema}_time")
        store = open_storage(postgres.url(schema), clock)
        try:
            clock.stop(schema)
            check_that_everything_ends_once_and_in_order(seed, World(store, clock))
        finally:
            store.close()
            postgres.drop(f"{schema}_time")


@pytest.mark.parametrize("seed", range(SEEDS))
def test_on_redis_everything_ends_once_and_in_order(
    seed: int, redis_server: redis_servers.Server, namespace: str
) -> None:
    clock = ManualClock()
    store = open_server(ServerAtTime(redis_server.url(namespace), clock))
    try:
        check_that_everything_ends_once_and_in_order(seed, World(store, clock))
    finally:
        store.close()


def check_that_everything_ends_once_and_in_order(seed: int, world: World) -> None:
    trouble = Trouble(seed, world)
    trouble.let(trouble=False)
    runs = trouble.processes[0].engine.start_many("troubled", [{}] * RUNS)
    trouble.let(trouble=True)
    for _ in range(40):
        trouble.turn()
    trouble.let(trouble=False)
    survivor = trouble.processes[trouble.dice.randrange(2)].engine
    for run in runs:
        assert survivor.find("troubled", run.instance_id).wait(timeout_s=600) is RunStatus.SUCCEEDED

    success_at: dict[str, float] = {}
    for group_id in {run.group_id for run in runs}:
        positions = [record.position for record in world.storage.read_log(group_id)]
        assert positions == sorted(set(positions))
    for run in runs:
        records = world.storage.read_flow(run.flow_id)
        assert [record.generation for record in records] == sorted(record.generation for record in records)
        events = [(record, event) for record in records for event in decode_events(record.events)]
        ends = Counter((event.step, event.attempt) for _, event in events if isinstance(event, StepEnded))
        assert set(ends.values()) == {1}, "an attempt ends once"
        assert world.state(run).steps["last"].status is StepStatus.SUCCEEDED
        begun = [(event.step, event.attempt, event.execution) for _, event in events if isinstance(event, StepRunning)]
        assert len(begun) == len(set(begun)), "an execution begins once"
        success_at |= {
            f"{run.flow_id}/{event.step}": record.generation
            for record, event in events
            if isinstance(event, StepEnded) and event.status is StepStatus.SUCCEEDED
        }
    calls = Counter(world.calls)
    assert set(calls.values()) == {1}, "one call per execution, whoever owned it"
    for call in calls:
        key, _, rest = call.partition("#")
        assert int(rest.split(".")[2]) <= success_at[key], "nothing is called under a later owner than its success"
