"""The storm: nodes are killed, frozen, stopped and cut off, and their server is killed, as the seed decides.

One seed decides what happens when, and to which replica. What the processes are doing at that moment depends on the
machine.
"""

from __future__ import annotations

import heapq
import random
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

from attrs import define, field, frozen

from tests.chaos.diary import read
from tests.chaos.load import Load
from tests.chaos.node import Orders
from tests.chaos.replicas import Replica
from tests.chaos.targets import Target, open_target
from tests.chaos.verdict import Fall, Verdict, judge

__all__ = ["Plan", "Tally", "storm"]

_PATIENCE_S = 60.0


@frozen
class Plan:
    """The amounts. Rates are per second of the storm."""

    store: str
    seed: int = 0
    seconds: float = 60.0
    nodes: int = 4
    flows: int = 1200
    lease_s: float = 1.0
    work_s: float = 0.05
    kills: float = 1.9
    freezes: float = 1.0
    stops: float = 0.15
    cuts: float = 0.5
    holds: float = 0.2
    server_kills: float = 0.08
    calm_s: float = 0.0
    """Calm weather: the seconds between a kill or stop and the next one; there are no other faults."""


@define
class Tally:
    """The faults so far."""

    kills: int = 0
    freezes: int = 0
    stops: int = 0
    cuts: int = 0
    holds: int = 0
    server_kills: int = 0


@define
class Storm:
    """A storm under way: a queue of the next faults, by time."""

    plan: Plan
    target: Target
    replicas: list[Replica]
    dice: random.Random
    tally: Tally = field(factory=Tally)
    falls: list[Fall] = field(factory=list)
    """Nodes that were killed or told to stop."""
    _queue: list[tuple[float, int, Callable[[], None]]] = field(factory=list)
    _number: count[int] = field(factory=count)
    _began: float = field(factory=time.monotonic)

    def schedule(self) -> None:
        """All at random moments; in calm weather one after another, with time to recover."""
        if self.plan.calm_s:
            for number in range(int(self.plan.seconds / self.plan.calm_s)):
                self._at((number + 0.5) * self.plan.calm_s, self.stop if number % 2 else self.kill)
            return
        kinds: list[tuple[float, Callable[[], None]]] = [
            (self.plan.kills, self.kill),
            (self.plan.freezes, self.freeze),
            (self.plan.stops, self.stop),
        ]
        if self.target.proxies:
            kinds += [(self.plan.cuts, self.cut), (self.plan.holds, self.hold)]
        if self.target.has_server:
            kinds.append((self.plan.server_kills, self.kill_server))
        for rate, action in kinds:
            for _ in range(round(rate * self.plan.seconds)):
                self._at(self.dice.uniform(0, self.plan.seconds), action)

    def run(self) -> None:
        """Until the queue is empty, what is frozen has been thawed, and every replica has its node."""
        while self._queue:
            at, _, action = heapq.heappop(self._queue)
            time.sleep(max(0.0, self._began + at - time.monotonic()))
            action()

    def kill(self) -> None:
        replica = self._choose()
        self.tally.kills += 1
        pid, killed_at = replica.kill()
        self.falls.append(Fall(pid, killed_at, is_kill=True))
        replica.start()

    def freeze(self) -> None:
        replica = self._choose()
        if sum(not each.is_frozen for each in self.replicas) == 1:
            self._in(0.1, self.freeze)  # later: one node has to be running
            return
        self.tally.freezes += 1
        replica.freeze()
        pid = replica.pid

        def thaw() -> None:
            if replica.pid == pid:
                replica.thaw()

        self._in(self.dice.uniform(0.5, 3.0) * self.plan.lease_s, thaw)

    def stop(self) -> None:
        replica = self._choose()
        self.tally.stops += 1
        pid, told_at, _ = replica.stop(_PATIENCE_S / 10)
        self.falls.append(Fall(pid, told_at, is_kill=False))
        replica.start()

    def cut(self) -> None:
        """The next reply is lost, on one way to the store: the outcome of a commit is unknown."""
        self.tally.cuts += 1
        self.dice.choice(self.target.proxies).cut_next()

    def hold(self) -> None:
        self.tally.holds += 1
        proxy = self.dice.choice(self.target.proxies)
        proxy.hold()
        self._in(self.dice.uniform(0.1, 1.5) * self.plan.lease_s, proxy.resume)

    def kill_server(self) -> None:
        self.tally.server_kills += 1
        self.target.kill_server()
        time.sleep(self.dice.uniform(0, self.plan.lease_s))
        self.target.start_server()

    def _choose(self) -> Replica:
        return self.dice.choice([replica for replica in self.replicas if not replica.is_frozen])

    def _in(self, seconds: float, action: Callable[[], None]) -> None:
        self._at(time.monotonic() - self._began + seconds, action)

    def _at(self, at: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at, next(self._number), action))


def storm(plan: Plan) -> tuple[Tally, Verdict]:
    """One storm on a new store, from its first node to the verdict."""
    with open_target(plan.store, plan.nodes) as target, tempfile.TemporaryDirectory(prefix="maestro-chaos-") as folder:
        diary = Path(folder) / "diary"
        replicas = [
            Replica(Orders(url, diary, plan.lease_s, plan.work_s, is_sleepwalker=number % 2 == 1))
            for number, url in enumerate(target.node_urls)
        ]
        load = Load(target.url, plan.flows, plan.seconds)
        try:
            for replica in replicas:
                replica.start()
            until_ready(diary, len(replicas))
            load.begin()
            weather = Storm(plan, target, replicas, random.Random(plan.seed))
            weather.schedule()
            weather.run()
            load.finish(_PATIENCE_S)
            drain_s = load.until_ended(_PATIENCE_S)
            return weather.tally, judge(load, diary, weather.falls, drain_s=drain_s)
        finally:
            for replica in replicas:
                if replica.pid:
                    replica.kill()
            load.client.close()


def until_ready(diary: Path, nodes: int) -> None:
    """Wait until so many nodes have begun to work."""
    deadline = time.monotonic() + _PATIENCE_S
    while len(read(diary, "ready")) < nodes:
        assert time.monotonic() < deadline, "the nodes do not start"
        time.sleep(0.02)
