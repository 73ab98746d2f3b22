"""The one thread of all timers: what it is given, it survives; what is cancelled does not pile up."""

from __future__ import annotations

import gc
import math
import threading
from collections.abc import Iterator

import pytest

from maestro_flow.actors.timers import ThreadTimers
from maestro_flow.clock import SystemClock

PATIENCE_S = 10.0


@pytest.fixture
def timers() -> Iterator[ThreadTimers]:
    made = ThreadTimers(SystemClock())
    yield made
    made.close()


def is_running(timers: ThreadTimers) -> bool:
    done = threading.Event()
    timers.call_later(0.0, done.set)
    return done.wait(PATIENCE_S)


def kept(timers: ThreadTimers) -> int:
    """How many timers are in memory, cancelled or not."""
    kind = type(timers.call_later(600.0, lambda: None))
    return sum(isinstance(each, kind) and each.timers is timers for each in gc.get_objects()) - 1


def test_nan_is_refused_and_forever_is_a_long_time(timers: ThreadTimers) -> None:
    with pytest.raises(ValueError, match="nan"):
        timers.call_later(math.nan, lambda: None)
    timers.call_later(math.inf, lambda: None)
    assert is_running(timers)


def test_timers_that_were_cancelled_and_came_due_are_gone(timers: ThreadTimers) -> None:
    for _ in range(100):
        timers.call_later(0.0, lambda: None).cancel()
    again = timers.call_later(600.0, lambda: None)
    again.cancel()
    again.cancel()
    assert is_running(timers)
    assert kept(timers) == 1


def test_long_timers_that_were_cancelled_do_not_pile_up(timers: ThreadTimers) -> None:
    for _ in range(10_000):
        timers.call_later(600.0, lambda: None).cancel()
    assert kept(timers) < 2_100
    assert is_running(timers)
