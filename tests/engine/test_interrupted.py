"""An exception out of nowhere on the user's thread (Ctrl-C, the handler of a signal) leaves nothing half done."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from maestro_flow import Engine, RunStatus, Workflow
from maestro_flow.model.runs import PendingRun

PATIENCE_S = 10.0
ROUNDS_S = 3.0


class Interrupted(BaseException):
    """What the handler raises."""


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGALRM raises in here; a timer of the test itself continues afterwards."""

    def handler(_signal: int, _frame: object) -> None:
        raise Interrupted

    before = signal.signal(signal.SIGALRM, handler)
    left_s, _ = signal.setitimer(signal.ITIMER_REAL, 0)
    began = monotonic()
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if left_s:
            signal.setitimer(signal.ITIMER_REAL, max(0.1, left_s - (monotonic() - began)))


# A destructor, or what is called by the garbage collector, swallows what the handler raises, and Python says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("runtime", ["pooled", "threaded"])
def test_a_start_that_is_interrupted_anywhere_leaves_every_run_able_to_end(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in what comes after the durable start; the store's own part is tried by its conformance suite."""
    wf = Workflow("quick")
    wf.add("step", type="NoOp")
    chance = random.Random(1)
    hits = 0
    with Engine(f"sqlite:///{tmp_path}/runs.db", runtime=runtime) as engine:
        engine.push(wf)
        take_up = engine._node.take_up

        def interrupted(started: list[PendingRun]) -> None:
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(2e-6, 6e-5))
            take_up(started)

        monkeypatch.setattr(engine._node, "take_up", interrupted)
        end = monotonic() + ROUNDS_S
        with interruptible():
            while monotonic() < end:
                try:
                    engine.start("quick")
                    give_up = monotonic() + 0.01
                    while monotonic() < give_up:
                        pass  # the signal is on its way, unless what its handler raised was swallowed
                except Interrupted:
                    hits += 1
        assert hits > 100
        assert {run.wait(PATIENCE_S) for run in engine.unfinished()} <= {RunStatus.SUCCEEDED}
