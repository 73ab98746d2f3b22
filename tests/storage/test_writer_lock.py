"""The lock of the write connection: in turn, but the urgent first (PROTOCOL 12)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from maestro_flow_sql.sqlite.writer_lock import WriterLock


def until(condition: Callable[[], object]) -> None:
    """Let other threads run until something holds; the timeout of the test ends a wait for nothing."""
    while not condition():
        os.sched_yield()


@contextmanager
def held(lock: WriterLock, *, urgent: bool = False) -> Iterator[None]:
    lock.enter(urgent=urgent)
    try:
        yield
    finally:
        lock.leave()


def has_length(queue: Sized, length: int) -> bool:
    return len(queue) == length


def test_renewals_go_before_commits_and_both_in_their_order() -> None:
    lock, order = WriterLock(), list[str]()

    def enter(name: str, *, urgent: bool) -> None:
        with held(lock, urgent=urgent):
            order.append(name)

    with ThreadPoolExecutor(6) as pool, held(lock):
        for count, name in enumerate(("commit 1", "commit 2", "commit 3"), 1):
            pool.submit(enter, name, urgent=False)
            until(partial(has_length, lock._ordinary, count))
        for count, name in enumerate(("renewal 1", "renewal 2"), 1):
            pool.submit(enter, name, urgent=True)
            until(partial(has_length, lock._urgent, count))
        assert order == []
    assert order == ["renewal 1", "renewal 2", "commit 1", "commit 2", "commit 3"]


def test_one_at_a_time_is_inside() -> None:
    lock, inside, most = WriterLock(), [0], [0]

    def enter(number: int) -> None:
        for _ in range(200):
            with held(lock, urgent=number % 2 == 0):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))
    assert (inside, most) == ([0], [1])


def test_an_interrupted_waiter_leaves_the_queue() -> None:
    lock = WriterLock()
    with held(lock):
        give_up(lock)
    with held(lock):
        pass  # it is free again


def test_a_waiter_interrupted_on_its_turn_passes_it_on() -> None:
    lock = WriterLock()
    with ThreadPoolExecutor(1) as pool:
        with held(lock):
            turn = pool.submit(lock.enter)
            until(lambda: lock._ordinary)
        turn.result()
        lock._give_up(lock._ordinary, threading.Lock())
    with held(lock):
        pass


def give_up(lock: WriterLock) -> None:
    """What ``_enter`` does when its wait raises."""
    waiting = threading.Lock()
    lock._ordinary.append(waiting)
    lock._give_up(lock._ordinary, waiting)
    assert not lock._ordinary
