"""The pool for user code: a job never waits behind another one while there could be a thread for it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from maestro_flow.actors.threads import ThreadWorkers

PATIENCE_S = 10.0
ROUNDS_S = 2.0


@pytest.fixture
def hurried() -> Iterator[None]:
    """Threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hurried")
def test_jobs_that_need_each_other_all_run_at_once() -> None:
    end = monotonic() + ROUNDS_S
    while monotonic() < end:
        workers = ThreadWorkers("test", 4)
        warm = threading.Event()
        workers.submit(warm.set)
        assert warm.wait(PATIENCE_S)
        meeting, met = threading.Barrier(3), threading.Semaphore(0)

        def job(meeting: threading.Barrier = meeting, met: threading.Semaphore = met) -> None:
            meeting.wait(PATIENCE_S)
            met.release()

        submitting = [threading.Thread(target=workers.submit, args=(job,)) for _ in range(3)]
        for thread in submitting:
            thread.start()
        for _ in range(3):
            assert met.acquire(timeout=PATIENCE_S), "a job waits behind one that waits for it"
        for thread in submitting:
            thread.join()
        workers.close()


def test_a_closed_pool_begins_no_job_and_starts_no_thread() -> None:
    workers, ran = ThreadWorkers("test", 2), list[str]()
    entered, go_on, left = threading.Event(), threading.Event(), threading.Event()

    def first() -> None:
        entered.set()
        go_on.wait(PATIENCE_S)
        left.set()

    workers.submit(first)
    workers.submit(first)
    assert entered.wait(PATIENCE_S)
    workers.submit(lambda: ran.append("waited"))
    workers.close()
    workers.submit(lambda: ran.append("late"))
    threads = [thread for thread in threading.enumerate() if thread.name == "maestro-flow-test"]
    go_on.set()
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert not ran
