"""The lock of the write connection: in turn, but the urgent first (PROTOCOL 12)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from maestro_flow_sql.sqlite.door import Door


def until(condition: Callable[[], object]) -> None:
    """Let other threads run until something holds; the timeout of the test ends a wait for nothing."""
    while not condition():
        os.sched_yield()


@contextmanager
def held(door: Door, *, urgent: bool = False) -> Iterator[None]:
    door.enter(urgent=urgent)
    try:
        yield
    finally:
        door.leave()


def has_length(queue: Sized, length: int) -> bool:
    return len(queue) == length


def test_renewals_go_before_commits_and_both_in_their_order() -> None:
    door, order = Door(), list[str]()

    def enter(name: str, *, urgent: bool) -> None:
        with held(door, urgent=urgent):
            order.append(name)

    with ThreadPoolExecutor(6) as pool, held(door):
        for count, name in enumerate(("commit 1", "commit 2", "commit 3"), 1):
            pool.submit(enter, name, urgent=False)
            until(partial(has_length, door._ordinary, count))
        for count, name in enumerate(("renewal 1", "renewal 2"), 1):
            pool.submit(enter, name, urgent=True)
            until(partial(has_length, door._urgent, count))
        assert order == []
    assert order == ["renewal 1", "renewal 2", "commit 1", "commit 2", "commit 3"]


def test_one_at_a_time_is_inside() -> None:
    door, inside, most = Door(), [0], [0]

    def enter(number: int) -> None:
        for _ in range(200):
            with held(door, urgent=number % 2 == 0):
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                inside[0] -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))
    assert (inside, most) == ([0], [1])


def test_who_is_interrupted_while_waiting_leaves_the_queue() -> None:
    door = Door()
    with held(door):
        give_up(door)
    with held(door):
        pass  # it is free again


def test_who_is_interrupted_when_his_turn_has_come_passes_it_on() -> None:
    door = Door()
    with ThreadPoolExecutor(1) as pool:
        with held(door):
            turn = pool.submit(door.enter)
            until(lambda: door._ordinary)
        turn.result()
        door._give_up(door._ordinary, threading.Lock())
    with held(door):
        pass


def give_up(door: Door) -> None:
    """What ``_enter`` does when its wait raises."""
    waiting = threading.Lock()
    door._ordinary.append(waiting)
    door._give_up(door._ordinary, waiting)
    assert not door._ordinary
