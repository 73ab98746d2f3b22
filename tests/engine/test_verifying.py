"""``verify`` of what real engines have written, in good times and in bad ones."""

from __future__ import annotations

import pytest

from maestro_flow.model.flow_id import StepRef
from maestro_flow.reading.graphs import GraphCache
from maestro_flow.system.registry import SYSTEM_FLOWS
from maestro_flow.verify.checker import check
from maestro_flow.verify.history import Execution
from maestro_flow.verify.store import read_history, verify
from tests.engine.test_random_faults import RUNS, Trouble
from tests.engine.world import World


def executions(world: World, workflow_id: str) -> list[Execution]:
    """What user code has noted, as ``test_random_faults`` has it."""
    found = []
    for call in world.calls:
        key, _, rest = call.partition("#")
        step = StepRef.parse(key)
        attempt, execution, generation = map(int, rest.split("."))
        assert step.flow_id.startswith(workflow_id)
        found.append(Execution(step.flow_id, step.step_id, attempt, execution, generation))
    return found


@pytest.mark.parametrize("seed", range(100, 110))
def test_nothing_is_wrong_after_any_trouble(seed: int) -> None:
    world = World()
    trouble = Trouble(seed, world)
    trouble.let(trouble=False)
    runs = trouble.processes[0].engine.start_many("troubled", [{}] * RUNS)
    trouble.let(trouble=True)
    for _ in range(40):
        trouble.turn()
        trouble.let(trouble=False)
        found = verify(world.storage, GraphCache(world.storage), SYSTEM_FLOWS)
        assert found.violations == (), "also in the middle of it"
        trouble.let(trouble=True)
    trouble.let(trouble=False)
    survivor = trouble.processes[0].engine
    for run in runs:
        survivor.find("troubled", run.instance_id).wait(timeout_s=600)
    seen = executions(world, "troubled")
    graphs = GraphCache(world.storage)
    assert check(read_history(world.storage, graphs, SYSTEM_FLOWS, executions=seen, is_quiet=True)) == []
    found = verify(world.storage, graphs, SYSTEM_FLOWS)
    assert (found.runs, found.violations) == (RUNS, ())
    assert found.attempts >= RUNS * 6
