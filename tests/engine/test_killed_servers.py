"""kill -9 of the database server in the middle of an engine's load: nothing is lost, and no budget is used up."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import pytest

from maestro_flow import Conflict, Engine, Run, RunStatus, StepContext, Workflow
from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.errors import StorageUnavailable
from maestro_flow.reading.graphs import GraphCache
from tests.servers import postgres as postgres_servers
from tests.servers import redis as redis_servers

PATIENCE_S = 120.0
RUNS, STOPPED = 200, 20


class Mortal:
    """A server that may be killed, and the URL of a store on it."""

    def __init__(self, url: str, kill: Callable[[], None], start: Callable[[], None]) -> None:
        self.url, self.kill, self.start = url, kill, start


def mortal_postgres(request: pytest.FixtureRequest) -> Mortal:
    server: postgres_servers.Server = request.getfixturevalue("own_postgres")
    return Mortal(server.url(request.getfixturevalue("namespace")), server.kill, server.restart)


def mortal_redis(request: pytest.FixtureRequest) -> Mortal:
    server: redis_servers.Server = request.getfixturevalue("own_redis")
    return Mortal(server.url(request.getfixturevalue("namespace")), server.kill, server.start)


@pytest.fixture(params=[mortal_postgres, mortal_redis], ids=["postgres", "redis"])
def server(request: pytest.FixtureRequest) -> Mortal:
    mortal: Mortal = request.param(request)
    return mortal


class Load:
    """Runs of five steps: functions that note their calls, one that sleeps, and one that does nothing."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, int, float]] = []
        self.workflow = Workflow("load")
        wf = self.workflow

        @wf.step
        def first(context: StepContext) -> int:
            self.note(context)
            return context.instance_id

        wf.add("pause", type="Sleep", params={"sleep_seconds": 0.5}, after="first")
        wf.add("nothing", type="NoOp", after="first")

        @wf.step(after=["pause", "nothing"])
        def second(first: int, context: StepContext) -> int:
            self.note(context)
            return first * 2

        @wf.step(after="second")
        def third(second: int, context: StepContext) -> int:
            self.note(context)
            return second + 1

    def note(self, context: StepContext) -> None:
        self.calls.append((context.idempotency_key, context.execution, time.monotonic()))

    def until(self, calls: int) -> None:
        wait_for(lambda: len(self.calls) >= calls)

    def resumed_after(self, instant: float) -> float:
        """Seconds from an instant to the first call after it."""
        wait_for(lambda: self.calls[-1][2] > instant)
        return next(at for _, _, at in self.calls if at > instant) - instant


def wait_for(condition: Callable[[], bool]) -> None:
    never, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        never.wait(0.002)


def persistent(call: Callable[[], Run]) -> Run:
    """What a program does while the store is away: the same call again."""
    never = threading.Event()
    while True:
        try:
            return call()
        except StorageUnavailable:
            never.wait(0.1)


def stop_insistently(run: Run) -> threading.Thread:
    """In the background; the thread ends when the owner has answered."""

    def stop() -> Run:
        with suppress(Conflict):  # too late: the run has ended
            run.stop(timeout_s=PATIENCE_S)
        return run

    thread = threading.Thread(target=persistent, args=(stop,), daemon=True)
    thread.start()
    return thread


def check_starts_are_refused(engine: Engine, request_id: str) -> None:
    """At the latest when the sessions of the killed server have noticed that it is dead, which Postgres's do late."""

    def start_again_and_again() -> None:
        while True:
            engine.start("load", request_id=request_id)

    with pytest.raises(StorageUnavailable):
        start_again_and_again()


def check_ended(engine: Engine, runs: list[Run], load: Load, lease_was_lost: bool) -> None:
    ended = Counter(run.wait(PATIENCE_S) for run in runs)
    assert set(ended) <= {RunStatus.SUCCEEDED, RunStatus.STOPPED}
    assert ended[RunStatus.SUCCEEDED] >= RUNS - STOPPED
    for run in runs:
        graph = GraphCache(engine.storage).of_run(run.flow_id, run.version)
        state = fold(FlowState.new(run.flow_id, graph), engine.storage.read_flow(run.flow_id))
        begun = [step for step in state.steps.values() if step.attempt]  # a stopped run may have had more to begin
        assert {(step.attempt, step.crashes) for step in begun} == {(1, 0)}, run.flow_id
        if not lease_was_lost:
            assert {step.execution for step in begun} == {1}
    calls = Counter((key, execution) for key, execution, _ in load.calls)
    assert set(calls.values()) == {1}, "one call per execution (I22)"
    assert len(engine.runs(limit=1000)) == RUNS, "one run for each request"


def test_a_killed_server_costs_the_runs_nothing(
    server: Mortal, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load()
    with Engine(server.url) as engine:
        engine.push(load.workflow)
        requests = [f"r{number}" for number in range(RUNS)]
        runs = engine.start_many("load", [{}] * (RUNS // 2), request_ids=requests[: RUNS // 2])
        stoppers = [stop_insistently(run) for run in runs[:STOPPED]]
        load.until(60)
        server.kill()
        check_starts_are_refused(engine, requests[RUNS // 2])
        server.start()
        back = time.monotonic()
        resumed_s = load.resumed_after(back)
        runs += [persistent(partial(engine.start, "load", request_id=name)) for name in requests[RUNS // 2 :]]
        for stopper in stoppers:
            stopper.join(PATIENCE_S)
            assert not stopper.is_alive(), "each stop is answered"
        groups_lost = any("are lost" in record.msg for record in caplog.records)
        check_ended(engine, runs, load, groups_lost)
    assert not [record for record in caplog.records if "loaded again" in record.msg]
    assert not [record for record in caplog.records if record.exc_info], "nothing unforeseen has happened"
    with capsys.disabled():
        print(f"\nresumed {resumed_s:.2f} s after the server was back, groups lost: {groups_lost}")


def test_a_server_that_is_away_for_longer_than_the_lease_costs_no_crash(
    server: Mortal, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    load = Load()
    with Engine(server.url, lease_s=1.0) as engine:
        engine.push(load.workflow)
        runs = engine.start_many("load", [{}] * RUNS)
        load.until(60)
        server.kill()
        wait_for(lambda: not engine._node._keeper.groups)
        server.start()
        back = time.monotonic()
        resumed_s = load.resumed_after(back)
        check_ended(engine, runs, load, lease_was_lost=True)
    assert not [record for record in caplog.records if "loaded again" in record.msg]
    with capsys.disabled():
        print(f"\nresumed {resumed_s:.2f} s after the server was back")
