"""Where the CPU of a step goes: ``python -m benchmarks.cpu_shares``; about a minute.

The engine runs on the inline runtime, in one thread, so that a timer of CPU time sees all of it: at each tick the
innermost frame that belongs to a known part of the engine is counted. The cyclic garbage collector is off meanwhile and
measured apart, as is what threads add: CPU of a step with it on and off, inline and pooled.
"""

from __future__ import annotations

import gc
import signal
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import process_time, sleep
from types import FrameType

from benchmarks.report import aligned
from benchmarks.workflows import chain, python_chain
from maestro_flow import Engine, RunStatus, Workflow
from maestro_flow.clock import Environment
from maestro_flow.testing import InlineRuntime, ManualClock

FLOWS, LENGTH = 1000, 5
STEPS = FLOWS * LENGTH
TICK_S = 0.001
LIVE = frozenset(status for status in RunStatus if not status.is_terminal)

PARTS = {
    "maestro_flow.core": "decide and evolve",
    "maestro_flow.actors.inline": "",  # only this measurement pays for it
    "maestro_flow.actors.calls": "the call of a step: context, result, report",
    "maestro_flow.steps": "the call of a step: context, result, report",
    "maestro_flow.model.values": "the call of a step: context, result, report",
    "maestro_flow.actors.room": "room on the executor",
    "maestro_flow.actors.flow": "the flow's actor",
    "maestro_flow.actors.step": "the step's actor",
    "maestro_flow.actors": "other actors, messages, mailboxes",
    "pykka": "Pykka",
    "maestro_flow.model.events": "journal and encoding",
    "maestro_flow.clock": "journal and encoding",  # the ids of commits
    "maestro_flow.node.journal": "journal and encoding",
    "maestro_flow_sql": "storage: judge and write",
    "maestro_flow.storage": "storage: judge and write",
    "maestro_flow": "starts, scans, the rest",
    "benchmarks": "starts, scans, the rest",
}
"""By the longest name of a module that fits; what is not listed (attrs, the standard library) counts for its caller."""


def part_of(frame: FrameType | None) -> str:
    while frame is not None:
        # What attrs generates is in its class's module by name, but the cost of whoever makes such an object.
        if not frame.f_code.co_filename.startswith("<"):
            module = frame.f_globals.get("__name__", "")
            fitting = [name for name in PARTS if module == name or module.startswith(f"{name}.")]
            if fitting:
                return PARTS[max(fitting, key=len)]
        frame = frame.f_back
    return ""


@contextmanager
def sampled() -> Iterator[Counter[str]]:
    """Counts of ticks by part, while this block runs on the main thread."""
    ticks: Counter[str] = Counter()

    def tick(_number: int, frame: FrameType | None) -> None:
        ticks[part_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, tick)
    signal.setitimer(signal.ITIMER_PROF, TICK_S, TICK_S)
    try:
        yield ticks
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextmanager
def collecting(enabled: bool) -> Iterator[None]:
    gc.collect()
    (gc.enable if enabled else gc.disable)()
    try:
        yield
    finally:
        gc.enable()


def cpu_ms(rounds: int, run: Callable[[], None]) -> float:
    """CPU of a step in the best round, all threads."""
    taken = []
    for _ in range(rounds):
        began = process_time()
        run()
        taken.append(process_time() - began)
    return min(taken) / STEPS * 1000


def inline(engine: Engine, runtime: InlineRuntime, workflow: Workflow) -> None:
    engine.start_many(workflow.id, [{}] * FLOWS)
    runtime.run(lambda: False, timeout_s=0)  # until nothing is left to do


def pooled(engine: Engine, workflow: Workflow) -> None:
    runs = engine.start_many(workflow.id, [{}] * FLOWS)
    runs[-1].wait()
    while engine.runs(workflow.id, LIVE, limit=1):
        sleep(0.005)


def shares(workflow: Workflow, folder: Path, rounds: int = 8) -> tuple[Counter[str], list[float]]:
    """Ticks by part, and CPU milliseconds of a step: inline without and with the collector, pooled without and with."""
    clock = ManualClock()
    runtime = InlineRuntime(0, clock)
    environment = Environment(clock)
    with Engine(f"sqlite:///{folder}/inline-{workflow.id}.db", environment=environment, runtime=runtime) as engine:
        engine.push(workflow)
        inline(engine, runtime, workflow)
        with collecting(False), sampled() as ticks:
            for _ in range(rounds):
                inline(engine, runtime, workflow)
        costs = []
        for enabled in (False, True):
            with collecting(enabled):
                costs.append(cpu_ms(3, lambda: inline(engine, runtime, workflow)))
    with Engine(f"sqlite:///{folder}/pooled-{workflow.id}.db") as engine:
        engine.push(workflow)
        pooled(engine, workflow)
        for enabled in (False, True):
            with collecting(enabled):
                costs.append(cpu_ms(3, lambda: pooled(engine, workflow)))
    return ticks, costs


def main() -> None:
    with tempfile.TemporaryDirectory(prefix=".benchmark-", dir=Path.cwd()) as name:
        measured = [shares(make(kind, LENGTH), Path(name)) for kind, make in (("NoOp", chain), ("Py", python_chain))]
    all_ticks = [ticks for ticks, _ in measured]
    rows: list[tuple[str, ...]] = [("share of a step's CPU, inline, collector off", "NoOp", "Python")]
    for part in sorted({*PARTS.values()} - {""}, key=lambda part: -all_ticks[1][part]):
        percents = [100 * ticks[part] / (ticks.total() - ticks[""]) for ticks in all_ticks]
        rows.append((part, *(f"{percent:.0f} %" for percent in percents)))
    rows.append(("CPU of a step, in ms", "NoOp", "Python"))
    names = ("inline, collector off", "inline, collector on", "pooled, collector off", "pooled, collector on")
    for index, label in enumerate(names):
        rows.append((label, *(f"{costs[index]:.3f}" for _, costs in measured)))
    print("\n".join(aligned(rows)))


if __name__ == "__main__":
    main()
