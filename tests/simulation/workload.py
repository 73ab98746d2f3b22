"""The workflows of a simulation: random graphs with everything that definitions can contain, and which process has
their code."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from maestro_flow import StepContext, Workflow
from maestro_flow.model.definition import FailureMode, RunRule, RunStrategy, Tag
from tests.simulation.code import Code

if TYPE_CHECKING:
    from tests.simulation.world import World

__all__ = ["REPLICAS", "Workload"]

STRATEGIES = [
    RunStrategy(),
    RunStrategy(),
    RunStrategy(RunRule.PARALLEL, 2),
    RunStrategy(RunRule.SEQUENTIAL, 1),
    RunStrategy(RunRule.STRICT_SEQUENTIAL, 1),
    RunStrategy(RunRule.FIRST_ONLY, 1),
    RunStrategy(RunRule.LAST_ONLY, 1),
    RunStrategy(RunRule.SERIAL_LATEST_ONLY, 1),
]


REPLICAS = 4
"""The most processes at once."""


class Workload:
    """``workflows`` by id. The first replica has the code of all of them, the others may have less (PROTOCOL 22)."""

    def __init__(self, world: World) -> None:
        self.code = Code(world)
        chance = world.time.chance
        self.workflows = {f"w{n}": self._workflow(f"w{n}", chance) for n in range(chance.choice([1, 2, 2, 3]))}
        rate = chance.choice([0.0, 0.0, 0.3, 0.6])
        self._lacks = {
            (replica, each) for replica in range(1, REPLICAS) for each in self.workflows if chance.random() < rate
        }

    def code_of(self, replica: int) -> list[Workflow]:
        """The workflows whose code the processes of a replica have."""
        return [
            workflow for workflow_id, workflow in self.workflows.items() if (replica, workflow_id) not in self._lacks
        ]

    def _workflow(self, workflow_id: str, chance: random.Random) -> Workflow:
        wf = Workflow(
            workflow_id,
            params={"die": 3},
            timeout_s=chance.choice([None, None, None, 20, 60]),
            run_strategy=chance.choice(STRATEGIES),
            step_concurrency=chance.choice([None, None, None, 1, 2]),
            instance_step_concurrency=chance.choice([None, None, None, 1, 2]),
        )
        steps: list[str] = []
        for number in range(chance.randint(2, 7)):
            options = self._options(chance, steps)
            step_id = f"s{number}"
            kind = chance.choice(["Python", "Python", "Python", "Probe", "Probe", "Sleep", "NoOp"])
            params: dict[str, Any] = {}
            if kind == "Python":
                wf.step(id=step_id, **options)(self._function())
            elif kind == "Probe":
                params = {"score": 3, "limited": "timeout_s" in options}
                wf.add(step_id, type=kind, params=params, **options)
            else:
                params = {"sleep_seconds": chance.choice([0.0, 0.5, 5.0])} if kind == "Sleep" else {}
                wf.add(step_id, type=kind, params=params, **options)
            steps.append(step_id)
        return wf

    def _options(self, chance: random.Random, before: list[str]) -> dict[str, Any]:
        options: dict[str, Any] = {}
        if before and chance.random() < 0.85:
            after = chance.sample(before, chance.randint(1, min(3, len(before))))
            options["after"] = after
            if chance.random() < 0.25:
                options["when"] = chance.choice(["die > 2", "die > 8", "true", "false"])
        if chance.random() < 0.5:
            options |= {"retries": chance.choice([1, 2, 4]), "retry_wait_s": chance.choice([0, 0.3, 5])}
        if chance.random() < 0.4:
            options["timeout_s"] = chance.choice([1, 4, 15])
        options["failure_mode"] = chance.choice([*FailureMode, FailureMode.FAIL_AFTER_RUNNING])
        if chance.random() < 0.3:
            options["tags"] = chance.sample([Tag("red", permit=1), Tag("blue", permit=2)], chance.randint(1, 2))
        return options

    def _function(self) -> Callable[..., Any]:
        code = self.code

        def function(context: StepContext) -> int:
            return code.function(context)

        return function
