"""What every runtime promises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pykka import ActorRegistry

from maestro_flow.actors.base import BaseActor, post
from maestro_flow.actors.inline import InlineRuntime
from maestro_flow.actors.pooled import PooledRuntime
from maestro_flow.actors.runtime import Runtime
from maestro_flow.actors.threaded import ThreadedRuntime
from maestro_flow.clock import SystemClock

PATIENCE_S = 10.0


class Recorder(BaseActor):
    """Keeps what it is told; calls what can be called; sets the event at "done"."""

    def __init__(self, done: Any) -> None:
        super().__init__()
        self.done, self.seen, self.defects = done, list[Any](), list[BaseException]()

    def handle(self, message: Any) -> None:
        self.seen.append(message)
        if callable(message):
            message()
        if message == "done":
            self.done.set()

    def on_defect(self, defect: BaseException) -> None:
        self.defects.append(defect)


def actor_of(ref: Any) -> Recorder:
    actor = ref._actor_weakref()
    assert isinstance(actor, Recorder)
    return actor


def fail(error: BaseException) -> Callable[[], None]:
    def call() -> None:
        raise error

    return call


def test_messages_are_handled_in_order_and_completely(runtime: Runtime) -> None:
    done = runtime.event()
    ref = runtime.spawn(Recorder, done)
    actor = actor_of(ref)
    for number in range(500):
        post(ref, number)
    post(ref, "done")
    assert done.wait(PATIENCE_S)
    assert actor.seen == [*range(500), "done"]


@pytest.mark.parametrize("error", [ValueError("a defect"), SystemExit(1), KeyboardInterrupt()])
def test_an_actor_survives_what_its_handler_raises(runtime: Runtime, error: BaseException) -> None:
    done, other_done = runtime.event(), runtime.event()
    ref, other = runtime.spawn(Recorder, done), runtime.spawn(Recorder, other_done)
    actor = actor_of(ref)
    post(ref, fail(error))
    post(ref, "done")
    post(other, "done")
    assert done.wait(PATIENCE_S)
    assert other_done.wait(PATIENCE_S), "one actor's SystemExit must not stop the others (Pykka's stop_all)"
    assert actor.defects == [error]


def test_an_actor_that_has_ended_ignores_messages_already_in_its_mailbox(runtime: Runtime) -> None:
    gate, done = runtime.event(), runtime.event()
    ref = runtime.spawn(Recorder, done)
    actor = actor_of(ref)
    post(ref, actor.actor_stopped.set)
    post(ref, "after")
    post(ref, gate.set)
    post(runtime.spawn(Recorder, done), "done")
    assert done.wait(PATIENCE_S)
    runtime.call_later(0.02, gate.set)
    assert gate.wait(PATIENCE_S)
    assert "after" not in actor.seen
    post(ref, "to the dead")  # does not raise


def test_timers_fire_in_order_and_not_when_cancelled(runtime: Runtime) -> None:
    fired: list[str] = []
    done = runtime.event()
    runtime.call_later(0.04, done.set)
    runtime.call_later(0.03, lambda: fired.append("late"))
    runtime.call_later(0.02, lambda: fired.append("cancelled")).cancel()
    runtime.call_later(0.01, lambda: fired.append("early"))
    runtime.call_later(0.0, lambda: fired.append("at once"))
    assert done.wait(PATIENCE_S)
    assert fired == ["at once", "early", "late"]


def test_a_service_is_never_called_twice_at_a_time_and_sees_every_wake(runtime: Runtime) -> None:
    todo: list[int] = []
    taken: list[int] = []
    inside = [0]
    done = runtime.event()

    def step() -> None:
        inside[0] += 1
        assert inside[0] == 1
        while todo:
            taken.append(todo.pop())
        inside[0] -= 1
        if len(taken) == 200:
            done.set()

    service = runtime.service("test", step)
    for number in range(200):
        todo.append(number)
        service.wake()
    assert done.wait(PATIENCE_S)
    assert sorted(taken) == list(range(200))


def test_workers_run_jobs_and_skip_those_given_up(runtime: Runtime) -> None:
    gate, done = runtime.event(), runtime.event()
    ran: list[str] = []
    is_inline = type(runtime) is InlineRuntime
    workers = runtime.workers("test", 1)

    def first() -> None:
        ran.append("first")
        if not is_inline:
            gate.wait(PATIENCE_S)

    workers.submit(first)
    workers.submit(lambda: ran.append("given up")).give_up()
    gate.set()
    workers.submit(done.set)
    assert done.wait(PATIENCE_S)
    assert "given up" not in ran


@pytest.mark.parametrize("runtime_class", [PooledRuntime, ThreadedRuntime])
def test_an_actor_leaves_no_trace_in_pykkas_global_registry(
    runtime_class: type[PooledRuntime | ThreadedRuntime],
) -> None:
    threads = set(threading.enumerate())
    runtime = runtime_class(SystemClock())
    before = len(ActorRegistry.get_all())
    refs = [runtime.spawn(Recorder, runtime.event()) for _ in range(100)]
    assert len(ActorRegistry.get_all()) == before
    assert all(ref.is_alive() for ref in refs)
    runtime.close()
    for thread in set(threading.enumerate()) - threads:
        thread.join(PATIENCE_S)
    assert set(threading.enumerate()) <= threads, "and of a closed runtime there is no thread, not even of its actors"


def test_a_hanging_job_is_replaced_when_it_is_given_up() -> None:
    runtime = PooledRuntime(SystemClock())
    release, started, done = threading.Event(), threading.Event(), threading.Event()
    workers = runtime.workers("test", 1)
    hanging = workers.submit(lambda: (started.set(), release.wait(PATIENCE_S)))  # type: ignore[arg-type, func-returns-value]
    assert started.wait(PATIENCE_S)
    workers.submit(done.set)
    assert not done.is_set()
    hanging.give_up()
    assert done.wait(PATIENCE_S)
    release.set()
    runtime.close()


def test_caller_runs_runs_woken_actors_on_the_calling_thread() -> None:
    runtime = PooledRuntime(SystemClock())
    where: list[int] = []
    ref = runtime.spawn(Recorder, runtime.event())
    with runtime.caller_runs():
        post(ref, lambda: where.append(threading.get_ident()))
        assert not where, "not inside the block: the caller may still hold something"
    assert where == [threading.get_ident()]
    runtime.close()


def test_the_inline_runtime_repeats_itself_exactly_for_a_seed() -> None:
    def history(seed: int) -> list[str]:
        runtime, seen = InlineRuntime(seed), list[str]()
        refs = [runtime.spawn(Recorder, runtime.event()) for _ in range(5)]
        for number in range(20):
            for name, ref in enumerate(refs):
                post(ref, lambda name=name, number=number: seen.append(f"{name}:{number}"))
        runtime.run(lambda: len(seen) == 100)
        return seen

    assert history(7) == history(7)
    assert history(7) != history(8)
