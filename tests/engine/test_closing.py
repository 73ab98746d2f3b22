"""Closing an engine: repeatedly, from any thread, at any moment, and no waiter is left behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from maestro_flow import Closed, Engine, RunStatus, StorageError, Workflow
from maestro_flow.actors.pooled import PooledRuntime
from maestro_flow.clock import SystemClock
from maestro_flow.model.leases import Lease, Owner, Renewal
from maestro_flow.node.node import Node
from maestro_flow.storage.memory import MemoryStorage
from tests.engine.workflows import sleeper
from tests.servers.redis import Server

PATIENCE_S = 20.0
OTHER = Owner("other")


def our_threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("maestro-flow")}


def in_thread(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    """Calls in another thread; the list has what came of it."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:  # noqa: BLE001 - looked at by the test
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, outcome


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else f"sqlite:///{tmp_path}/runs.db"


def test_who_waits_for_a_run_of_an_engine_that_is_closed_is_told(url: str) -> None:
    engine = Engine(url)
    engine.push(sleeper())
    run = engine.start("sleeper")
    waiting = [in_thread(run.wait), in_thread(lambda: list(run.follow()))]
    engine.close()
    for thread, outcome in waiting:
        thread.join(PATIENCE_S)
        assert [type(what) for what in outcome] == [Closed]
    engine.close()
    for call in (lambda: engine.start("sleeper"), lambda: engine.push(sleeper()), run.wait, run.stop):
        with pytest.raises(Closed, match="this Engine is closed; open the store with a new one"):
            call()


def test_a_run_that_has_ended_can_be_looked_at_where_the_store_is_still_open() -> None:
    storage = MemoryStorage(SystemClock())
    with Engine(storage) as engine:
        run = engine.run(sleeper(0.0), timeout_s=PATIENCE_S)
    assert run.wait() is RunStatus.SUCCEEDED
    assert run.view().status is RunStatus.SUCCEEDED


def test_closing_from_many_threads_is_closing_once() -> None:
    storage, before = MemoryStorage(SystemClock()), our_threads()
    engine = Engine(storage)
    released: list[int] = []
    release, entered, go_on = storage.release, threading.Event(), threading.Event()

    def slow(leases: Sequence[Lease], *, to: str = "", keep_s: float = 0.0) -> None:
        released.append(len(leases))
        entered.set()
        go_on.wait(PATIENCE_S)
        release(leases, to=to, keep_s=keep_s)

    storage.release = slow  # type: ignore[method-assign]
    closing = [in_thread(engine.close)]
    assert entered.wait(PATIENCE_S)
    closing += [in_thread(engine.close) for _ in range(3)]
    closing[-1][0].join(0.1)  # long enough to go wrong
    go_on.set()
    for thread, outcome in closing:
        thread.join(PATIENCE_S)
        assert outcome == [None]
    assert released == [64]
    for thread in our_threads() - before:
        thread.join(PATIENCE_S)
    assert our_threads() <= before, "a closed engine has no thread"


def test_a_close_that_was_interrupted_can_be_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = MemoryStorage(SystemClock())
    engine = Engine(storage)
    runtime = engine._node._runtime

    def interrupted() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runtime, "event", interrupted)
        with pytest.raises(KeyboardInterrupt):
            engine.close()
    engine.close()
    assert len(storage.claim(OTHER, lease_s=1, limit=64)) == 64


def test_a_construction_that_fails_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = our_threads()
    with pytest.raises(StorageError):
        Engine(f"sqlite:///{tmp_path}/no/such/folder/runs.db")
    for thread in our_threads() - before:
        thread.join(PATIENCE_S)
    assert our_threads() <= before


def test_a_construction_that_is_interrupted_gives_its_groups_back(monkeypatch: pytest.MonkeyPatch) -> None:
    storage, before = MemoryStorage(SystemClock()), our_threads()
    wait = Node.wait_until_serving

    def interrupted(node: Node, timeout_s: float) -> bool:
        assert wait(node, timeout_s)
        raise KeyboardInterrupt

    monkeypatch.setattr(Node, "wait_until_serving", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Engine(storage, scan_s=PATIENCE_S)
    assert len(storage.claim(OTHER, lease_s=1, limit=64)) == 64
    for thread in our_threads() - before:
        thread.join(PATIENCE_S)
    assert our_threads() <= before


def test_a_runtime_of_the_callers_is_not_closed_and_can_be_used_again() -> None:
    runtime = PooledRuntime(SystemClock())
    for _ in range(2):
        with Engine("memory://", runtime=runtime) as engine:
            assert engine.run(sleeper(0.01), timeout_s=PATIENCE_S).status is RunStatus.SUCCEEDED
    done = threading.Event()
    runtime.call_later(0.0, lambda: runtime.call_soon(done.set))
    assert done.wait(PATIENCE_S)
    runtime.close()


class SlowScans(MemoryStorage):
    """A scan takes as long as the test wants; it has found groups to claim before that."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.is_slow, self.entered, self.go_on = False, threading.Event(), threading.Event()

    def renew(
        self, owner: Owner, leases: Sequence[Lease], *, lease_s: float, offers: frozenset[str] | None = None
    ) -> Renewal:
        renewal = super().renew(owner, leases, lease_s=lease_s, offers=offers)
        if self.is_slow and renewal.claimable:
            self.entered.set()
            self.go_on.wait(PATIENCE_S)
        return renewal


def test_closing_during_a_scan_leaves_no_group_behind() -> None:
    storage, before = SlowScans(), our_threads()
    others = storage.claim(OTHER, lease_s=600, limit=10)
    engine = Engine(storage, lease_s=1.0, scan_s=0.05)
    storage.is_slow = True
    storage.release(others)
    assert storage.entered.wait(PATIENCE_S)
    thread, outcome = in_thread(engine.close)
    thread.join(0.1)  # long enough to go wrong: it releases what it knows, and the scan then claims ten more
    storage.go_on.set()
    thread.join(PATIENCE_S)
    assert outcome == [None]
    for ours in our_threads() - before:
        ours.join(PATIENCE_S)  # among them that of the scan
    assert len(storage.claim(OTHER, lease_s=1, limit=64)) == 64


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_an_engine_in_a_fork_says_so_and_leaves_the_leases_of_its_parent_alone(
    redis_server: Server, namespace: str
) -> None:
    """As of a web server that loads its program, and then forks: on Redis, the store itself works in the child, too."""
    wf = Workflow("w")
    wf.add("a", type="NoOp")
    with Engine(redis_server.url(namespace)) as engine:
        engine.push(wf)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with pytest.raises(Closed, match="before a fork"):
                    engine.start("w")
                engine.close()
                code = 0
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        run = engine.start("w")
        assert run.wait(PATIENCE_S) is RunStatus.SUCCEEDED
        (generation,) = {record.generation for record in engine.storage.read_log(run.group_id)}
        assert generation == 1, "it was not claimed again"
