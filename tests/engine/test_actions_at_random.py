"""1,000 actions at random moments, beside completions, retries, timeouts and crashes: nothing is left stuck.

Each is answered, by "accepted" or by a conflict; each run ends; no step is under way in a run that has ended; and what
was accepted as the end of a run is how the run ended, unless its steps had ended it by then.
"""

from __future__ import annotations

import random

import msgspec
import pytest

from maestro_flow import Run, Workflow
from maestro_flow.core.evolve import fold
from maestro_flow.core.state import FlowState
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.flow_id import FlowId
from maestro_flow.model.inbox import Message
from maestro_flow.model.status import RunStatus
from maestro_flow.reading.graphs import GraphCache
from tests.engine.world import Process, World

RUNS, PROCESSES_DIE_AT = 50, (0.7, 1.6)


def workflow(world: World, chance: random.Random) -> Workflow:
    """Steps of the engine and of users, some of which fail; they take up to two seconds altogether."""
    wf = Workflow("wf")
    wf.add("first", type="Sleep", params={"sleep_seconds": 0.3})

    @wf.step(after="first", retries=2, retry_wait_s=0.2)
    def shaky() -> int:
        if chance.random() < 0.4:
            raise ValueError("bad luck")
        return 1

    @wf.step(after="first")
    def steady() -> int:
        return 2

    wf.add("nap", type="Sleep", params={"sleep_seconds": 0.5}, after="steady")
    wf.add("join", type="NoOp", after=[shaky, "nap"])
    wf.add("last", type="Sleep", params={"sleep_seconds": 0.4}, after="join")
    return wf


def orders(chance: random.Random, runs: list[Run]) -> list[tuple[float, Message]]:
    """One action a run, mostly a stop of it, at any moment of its life or just beside a completion."""
    found = []
    for number, run in enumerate(runs):
        at = chance.choice([chance.uniform(0, 1.5), 0.3, 0.8, 1.2]) + chance.choice([0, 0, -0.001, 0.001])
        action = chance.choice([Action.STOP] * 6 + [Action.KILL, Action.SKIP, Action.BREAKPOINT])
        step = chance.choice(["first", "shaky", "nap", "join", "last"])
        order = ActionOrder(step if action in (Action.SKIP, Action.BREAKPOINT) or chance.random() < 0.2 else "")
        body = msgspec.json.encode(order)
        found.append((max(at, 0.0), Message(run.group_id, f"m{number}", run.flow_id, action.lower(), body)))
    return sorted(found, key=lambda pair: pair[0])


def play(world: World, process: Process, due: list[tuple[float, Message]], began: float, until: float) -> None:
    """Let time pass, and send what is due on the way."""
    clock = world.clock
    while clock.monotonic() < began + until:
        at = min([until, *(at for at, _ in due)])
        process.runtime.run(lambda: False, timeout_s=max(began + at - clock.monotonic(), 0.0))
        while due and began + due[0][0] <= clock.monotonic():
            process.send(due.pop(0)[1])


def state_of(process: Process, run: Run) -> FlowState:
    graph = GraphCache(process.engine.storage).of_run(run.flow_id, run.version)
    return fold(FlowState.new(run.flow_id, graph), process.storage.read_flow(run.flow_id))


@pytest.mark.parametrize("seed", range(20))
def test_every_action_is_answered_and_every_run_ends(seed: int) -> None:
    chance, world = random.Random(seed), World()
    process = world.process(seed=seed, lease_s=1.0)
    wf = workflow(world, chance)
    process.engine.push(wf)
    began = world.clock.monotonic()
    runs = process.engine.start_many("wf", [{}] * RUNS)
    due = orders(chance, runs)
    messages = [message for _, message in due]
    if seed % 2:  # the process dies, twice; the next one takes over when the lease is over
        for number, at in enumerate(PROCESSES_DIE_AT):
            play(world, process, due, began, at)
            process = world.process(seed=1000 * number + seed, lease_s=1.0)
            process.engine.push(wf)
    play(world, process, due, began, 3.0)

    for message in messages:  # paused steps wait for their user
        flow = process.engine.find(*_parts(message.flow_id)).view()
        for step in flow.steps.values():
            if step.status == "PAUSED":
                for kind, order in ("breakpoint", ActionOrder(step.id, on=False)), ("resume", ActionOrder(step.id)):
                    key, body = f"{message.message_id}/{kind}", msgspec.json.encode(order)
                    process.send(Message(message.group_id, key, message.flow_id, kind, body))
    for message in messages:
        run = process.engine.find(*_parts(message.flow_id))
        status = run.wait(timeout_s=300)
        state = state_of(process, run)
        assert state.active == 0
        assert not any(step.is_active or step.is_pending for step in state.steps.values())
        settled = world.storage.message(message.group_id, message.message_id)
        assert settled is not None
        assert settled.outcome == "accepted" or settled.outcome.startswith("conflict: "), settled.outcome
        if settled.outcome == "accepted" and b"step" not in message.body and message.kind in ("stop", "kill"):
            ended = {"stop": RunStatus.STOPPED, "kill": RunStatus.FAILED}[message.kind]
            assert status in (ended, RunStatus.SUCCEEDED, RunStatus.FAILED)


def _parts(flow_id: str) -> tuple[str, int, int]:
    which = FlowId.parse(flow_id)
    return which.workflow_id, which.instance_id, which.run_id
