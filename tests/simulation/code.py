"""Simulated user code: it takes virtual time, fails, hangs, kills its process; what happens follows from the seed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from attrs import define

from maestro_flow import StepContext, StepResult, StepType
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.status import Verdict

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

__all__ = ["Called", "Code", "Probe"]


@define
class Called:
    """A call as user code saw it; times are the world's."""

    flow_id: str
    step_id: str
    attempt: int
    execution: int
    generation: int
    owner_id: str
    began_at: float
    ended_at: float | None = None


class Code:
    """All user code of a world. The world knows which process calls; what happens follows from the execution."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.calls: list[Called] = []

    def function(self, context: StepContext) -> int:
        """A Python step."""
        process, chance = self._caller(), self._chance(context, "")
        called = self._note(process, context)
        self._suffer(process, chance, context)
        called.ended_at = self._world.time.now
        if chance.random() < self._world.faults.fail_rate:
            if chance.random() < 0.1:
                raise SystemExit(1)
            raise ValueError("bad luck")
        return chance.randrange(10)

    def start(self, context: StepContext) -> StepResult:
        process, chance = self._caller(), self._chance(context, "start")
        called = self._note(process, context)
        self._suffer(process, chance, context)
        called.ended_at = self._world.time.now
        state = Verdict.CONTINUE if chance.random() < 0.8 else Verdict.DONE
        return StepResult(state, artifacts={"job": chance.randrange(100)}, timeline=["begun"])

    def execute(self, context: StepContext) -> StepResult:
        polls = int(context.artifacts.get("polls", 0)) + 1
        process, chance = self._caller(), self._chance(context, str(polls))
        self._suffer(process, chance, context)
        fate = chance.random()
        if fate < 0.5 and polls < 5:
            artifacts = {"polls": polls}
            return StepResult(Verdict.CONTINUE, artifacts=artifacts, next_poll_s=chance.choice([None, 0, 0.2, 4.0]))
        if fate < 0.5 + self._world.faults.fail_rate / 2:
            kinds = [Verdict.USER_ERROR, Verdict.PLATFORM_ERROR, Verdict.FATAL_ERROR, Verdict.STOPPED]
            return StepResult.failed(chance.choice(kinds), "bad luck")
        return StepResult(outputs={"score": chance.randrange(10)})

    def terminate(self, context: StepContext) -> StepResult:
        process, chance = self._caller(), self._chance(context, "terminate")
        self._suffer(process, chance, context)
        return StepResult(Verdict.STOPPED)

    def _suffer(self, process: Process, chance: random.Random, context: StepContext) -> None:
        """What may happen in any call."""
        faults = self._world.faults
        takes_s = chance.choice([0.0, 0.0, 0.02, 0.3, 2.0, 6.0])
        if faults.are_on and chance.random() < faults.code_crash_rate:
            process.runtime.sleep(takes_s)
            process.crash(f"by the code of {context.idempotency_key}")
        if faults.are_on and chance.random() < faults.hang_rate:
            if context.params.get("limited", False):
                process.runtime.suspend()  # forever: the attempt has a timeout
            takes_s = 30.0
        while takes_s > 0 and not context.is_cancelled():
            process.runtime.sleep(min(takes_s, 1.0))
            takes_s -= 1.0

    def _note(self, process: Process, context: StepContext) -> Called:
        flow_id = str(FlowId(context.workflow_id, context.instance_id, context.run_id))
        owner_id = process.engine._node.owner.id if process.engine is not None else ""
        called = Called(
            flow_id,
            context.step_id,
            context.attempt,
            context.execution,
            context.generation,
            owner_id,
            self._world.time.now,
        )
        self.calls.append(called)
        self._world.time.note(f"{process.name} calls {flow_id} {context.step_id}#{context.attempt}.{context.execution}")
        return called

    def _caller(self) -> Process:
        process = self._world.current
        assert process is not None
        return process

    def _chance(self, context: StepContext, phase: str) -> random.Random:
        which = f"{context.idempotency_key}/{context.attempt}/{context.execution}/{phase}"
        return random.Random(f"{self._world.seed}/{which}")


class Probe(StepType):
    """A step type with all three calls, artifacts and outputs."""

    def __init__(self, code: Code) -> None:
        self._code = code

    def start(self, context: StepContext) -> StepResult:
        return self._code.start(context)

    def execute(self, context: StepContext) -> StepResult:
        return self._code.execute(context)

    def terminate(self, context: StepContext) -> StepResult:
        return self._code.terminate(context)
