"""Stores with live runs in them: how they come about, on any version, and how all of it ends.

``leave_live_runs`` is what a process was doing when it stopped without a word. ``freezing`` keeps the store as it was
then, and ``test_live_stores`` opens it with the code of today.
"""

from __future__ import annotations

from itertools import count
from zlib import crc32

import pytest

from maestro_flow import Engine, RunStatus, Workflow
from maestro_flow.model.definition import Tag
from maestro_flow.storage.protocol import Storage
from tests.engine.world import Process, World

GROUPS = 4
"""Groups of a live store: few, so that a frozen one can be read."""

HOME = crc32(b"maestro_permits") % GROUPS
"""The group of the flow that gives out permits."""

AWAY, FAR = (HOME + 1) % GROUPS, (HOME + 2) % GROUPS
LONG_S, SHORT_S = 60.0, 20.0

STARTED = {"nap": 2, "queue": 2, "strict": 2, "flaky": 1, "db": 3, "web": 2, "zip": 2}
"""Instances of each workflow; ``nap`` has one more, which is a pending start."""


def workflows() -> list[Workflow]:
    """Those of the runs in a live store; their code is the same in each process."""
    nap = Workflow("nap")
    nap.add("first", type="NoOp")
    nap.add("sleep", type="Sleep", params={"sleep_seconds": LONG_S}, after=["first"])
    queue = Workflow("queue", run_strategy="sequential")
    queue.add("sleep", type="Sleep", params={"sleep_seconds": LONG_S})
    return [
        nap,
        queue,
        _failing("strict", run_strategy="strict_sequential"),
        _failing("flaky"),
        _tagged("db", LONG_S),
        _tagged("web", SHORT_S),
        _tagged("zip", SHORT_S),
    ]


def _failing(workflow_id: str, run_strategy: str = "parallel") -> Workflow:
    """It fails unless its param says otherwise."""
    made = Workflow(workflow_id, params={"fails": True}, run_strategy=run_strategy)

    @made.step
    def work(fails: bool) -> None:
        if fails:
            raise ValueError("as its param says")

    made.add("sleep", type="Sleep", params={"sleep_seconds": LONG_S}, after=["work"])
    return made


def _tagged(workflow_id: str, seconds: float) -> Workflow:
    made = Workflow(workflow_id)
    tag = Tag(workflow_id, permit=1)
    made.add("sleep", type="Sleep", params={"sleep_seconds": seconds}, tags=[tag])
    return made


def let_pass(process: Process, seconds: float) -> None:
    process.runtime.run(lambda: False, timeout_s=seconds)


def leave_live_runs(world: World) -> None:
    """Every state in which a run can be when its process dies; time has passed by the world's clock."""
    process = world.process(lease_s=10.0)
    engine = process.engine
    for workflow in workflows():
        engine.push(workflow)
    _start(engine, "nap", FAR, AWAY)
    _start(engine, "queue", FAR, FAR)
    _start(engine, "strict", FAR, FAR)
    _start(engine, "flaky", AWAY)
    for workflow_id, *groups in (("db", AWAY, FAR), ("web", HOME, AWAY), ("zip", AWAY, HOME)):
        for number, group_id in enumerate(groups, 1):  # in this order they ask for the permit
            _start(engine, workflow_id, group_id, first=number)
            let_pass(process, 0.5)
    let_pass(process, 1.0)
    engine.find("flaky", 1).restart(params={"fails": False}, request_id="again")
    let_pass(process, 1.0)
    with pytest.MonkeyPatch.context() as patch:  # what is for another group stays in transit
        patch.setattr("maestro_flow.actors.group.GroupActor.send_on", lambda *_args: None)
        _start(engine, "db", AWAY, first=3)
        let_pass(process, 1.5 * SHORT_S)
    engine.start("nap", request_id="pending")
    check_live_runs(world.storage)


def _start(engine: Engine, workflow_id: str, *groups: int, first: int = 1) -> None:
    """Start a run in each of the groups (a limited strategy has its own); the first has this number."""
    for number, group_id in enumerate(groups, first):
        names = (f"{workflow_id}-{number}-{group_id}-{n}" for n in count())
        engine.start(workflow_id, request_id=next(name for name in names if crc32(name.encode()) % GROUPS == group_id))


def check_live_runs(storage: Storage) -> None:
    """It is what the test of a migration needs; independent of how a store keeps it."""
    active = {
        flow.entry.flow_id
        for group_id in range(storage.group_count)
        for flow in storage.load_flows(group_id)
        if not flow.entry.flow_id.startswith("maestro_")
    }
    assert active == {
        *("nap/1/1", "nap/2/1", "queue/1/1", "queue/2/1", "strict/2/1", "flaky/1/2"),
        *("db/1/1", "db/2/1", "db/3/1", "web/2/1", "zip/2/1"),
    }
    assert [run.flow_id for group_id in range(GROUPS) for run in storage.pending_starts(group_id)][-1:] == ["nap/3/1"]
    strict = storage.run("strict/1/1")
    assert strict is not None
    assert (strict.status, strict.blocking) == (RunStatus.FAILED, True)
