"""The workflows that are measured, and how long they take. Each run must end with every step SUCCEEDED."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter, sleep

from maestro_flow import Client, Engine, RunStatus, Workflow

__all__ = ["chain", "fan", "noting", "python_chain", "run_flows", "run_once"]

LIVE = frozenset(status for status in RunStatus if not status.is_terminal)

_LOOK_S = 0.005


def chain(workflow_id: str, length: int) -> Workflow:
    """Steps that do nothing, one after another: what remains is overhead."""
    workflow = Workflow(workflow_id)
    before: list[str] = []
    for number in range(length):
        before = [workflow.add(f"s{number}", type="NoOp", after=before)]
    return workflow


def python_chain(workflow_id: str, length: int) -> Workflow:
    """A chain of Python functions: every step also passes through the executor."""
    workflow = Workflow(workflow_id)
    before: list[str] = []
    for number in range(length):
        workflow.step(id=f"s{number}", after=before)(one)
        before = [f"s{number}"]
    return workflow


def one() -> int:
    return 1


def fan(workflow_id: str, width: int) -> Workflow:
    """A fork, ``width`` parallel steps, and a join."""
    workflow = Workflow(workflow_id)
    fork = workflow.add("fork", type="NoOp")
    between = [workflow.add(f"x{number}", type="NoOp", after=fork) for number in range(width)]
    workflow.add("join", type="NoOp", after=between)
    return workflow


def noting(workflow_id: str, called: Callable[[float], None]) -> Workflow:
    """One Python step, which reports the time of its call."""
    workflow = Workflow(workflow_id)
    workflow.step(id="note")(lambda: called(perf_counter()))
    return workflow


def run_once(engine: Engine, workflow_id: str) -> float:
    """Seconds from the start of a run to its end."""
    began = perf_counter()
    assert engine.start(workflow_id).wait() is RunStatus.SUCCEEDED
    return perf_counter() - began


def run_flows(engine: Client, workflow_id: str, count: int) -> float:
    """Seconds from the start of this many runs at once to the end of the last one."""
    began = perf_counter()
    runs = engine.start_many(workflow_id, [{}] * count)
    runs[-1].wait()
    # The others end at about the same time. Waiting for each would read each one's log, which is not measured here.
    while engine.runs(workflow_id, LIVE, limit=1):
        sleep(_LOOK_S)
    return perf_counter() - began
