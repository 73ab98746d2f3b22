"""The program of the crash matrix: it starts two runs, stops one of them, and waits for both; it fails at one point.

It can be repeated, with the same two runs.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen

from maestro_flow import Conflict, Engine, StepContext, Workflow, open_storage
from maestro_flow.errors import WaitTimeout
from maestro_flow.model.flow_id import FlowId
from tests.chaos.diary import Diary
from tests.chaos.failpoints import Action, Failing, Failpoint
from tests.chaos.node import insist

__all__ = ["LEASE_S", "Doom", "program"]

LEASE_S = 0.4
_PATIENCE_S = 30.0
_PR_SET_PDEATHSIG = 1


@frozen
class Doom:
    """Where and how the process fails; nowhere if ``name`` is empty."""

    url: str
    diary: Path
    name: str = ""
    action: Action = Action.CRASH


def workflow(diary: Diary, failpoint: Failpoint) -> Workflow:
    """Two functions, each recorded; between them a Sleep, which lasts until it is stopped."""
    wf = Workflow("doomed", params={"pause_s": 0.05})

    def work(context: StepContext) -> None:
        flow_id = str(FlowId(context.workflow_id, context.instance_id, context.run_id))
        which = {"flow": flow_id, "step": context.step_id, "attempt": context.attempt, "execution": context.execution}
        diary.note("begin", **which, generation=context.generation)
        failpoint.pass_by("code.before")
        diary.note("end", **which)
        failpoint.pass_by("code.after")

    @wf.step(retries=2, retry_wait_s=0.05)
    def first(context: StepContext) -> int:
        work(context)
        return context.instance_id

    wf.add("pause", type="Sleep", params={"sleep_seconds": "${pause_s}"}, after="first")

    @wf.step(after="pause", retries=2, retry_wait_s=0.05)
    def last(first: int, context: StepContext) -> int:
        work(context)
        return first

    return wf


def program(doom: Doom) -> None:
    """A user's ``main``: it retries when the store does not answer, and ends when both runs have ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    logging.getLogger("maestro_flow").setLevel(logging.ERROR)
    diary, never = Diary(doom.diary), threading.Event()
    failpoint = Failpoint(doom.name, doom.action, diary)
    storage = insist(lambda: open_storage(doom.url), never)
    failing: Any = Failing(storage, failpoint)
    engine = insist(lambda: Engine(failing, lease_s=LEASE_S, poll_s=0.05, crashes_max=100), never)
    insist(lambda: engine.push(workflow(diary, failpoint)), never)
    params = [{"pause_s": 0.05}, {"pause_s": 3600.0}]
    runs = insist(lambda: engine.start_many("doomed", params, request_ids=["continues", "is stopped"]), never)

    def stop() -> None:
        with suppress(Conflict, WaitTimeout):  # it has ended already
            runs[1].stop(timeout_s=_PATIENCE_S)

    insist(stop, never)
    for run in runs:
        insist(partial(run.wait, _PATIENCE_S), never)
    engine.close()
    storage.close()
    diary.note("over")
    os._exit(0)
