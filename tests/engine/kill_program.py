"""A user's program for ``test_kill``: starts its runs (again and again the same ones) and waits for all of them.

Arguments: the store's URL, a file for the effects of its steps, the number of runs.
"""

from __future__ import annotations

import os
import sys

from maestro_flow import Engine, StepContext, Workflow


def workflow(effects: str) -> Workflow:
    wf = Workflow("killed")
    log = os.open(effects, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def note(context: StepContext) -> None:
        os.write(log, f"{context.idempotency_key} {context.execution} {os.getpid()}\n".encode())

    @wf.step
    def first(context: StepContext) -> int:
        note(context)
        return context.instance_id

    @wf.step(after=first)
    def left(first: int, context: StepContext) -> int:
        note(context)
        return first * 2

    @wf.step(after=first)
    def right(first: int, context: StepContext) -> int:
        note(context)
        return first * 3

    @wf.step(after=[left, right])
    def last(left: int, right: int, context: StepContext) -> int:
        note(context)
        return left + right

    return wf


def main(store: str, effects: str, count: str) -> None:
    wf = workflow(effects)
    with Engine(store, crashes_max=1000) as engine:
        version = engine.push(wf)
        requests = [f"request-{number}" for number in range(int(count))]
        runs = engine.start_many("killed", [{}] * int(count), version=version, request_ids=requests)
        for run in runs:
            run.wait()
    print("all ended", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
