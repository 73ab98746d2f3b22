"""The workflow of a storm: five steps that record the beginning and the end of each execution."""

from __future__ import annotations

import time

from maestro_flow import StepContext, Workflow
from maestro_flow.model.flow_id import FlowId
from tests.chaos.diary import Diary

__all__ = ["STEPS", "stormy"]

STEPS = ("first", "left", "right", "join", "last")


def stormy(diary: Diary, work_s: float) -> Workflow:
    """``first``, then ``left`` and ``right``, ``join`` them, ``last``; each works for ``work_s`` seconds."""
    wf = Workflow("stormy")

    def work(context: StepContext) -> None:
        flow_id = str(FlowId(context.workflow_id, context.instance_id, context.run_id))
        which = {"flow": flow_id, "step": context.step_id, "attempt": context.attempt, "execution": context.execution}
        diary.note("begin", **which, generation=context.generation)
        time.sleep(work_s)  # the user's work: a kill finds some of it under way
        diary.note("end", **which)

    @wf.step
    def first(context: StepContext) -> int:
        work(context)
        return context.instance_id

    @wf.step(after=first)
    def left(first: int, context: StepContext) -> int:
        work(context)
        return first * 2

    @wf.step(after=first)
    def right(first: int, context: StepContext) -> int:
        work(context)
        return first * 3

    @wf.step(after=[left, right])
    def join(left: int, right: int, context: StepContext) -> int:
        work(context)
        return left + right

    @wf.step(after=join)
    def last(join: int, context: StepContext) -> int:
        work(context)
        return join

    return wf
