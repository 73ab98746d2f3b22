"""Users of a simulation: they start runs, act on them at random moments, set limits; and clean up at the end."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from maestro_flow import Conflict, Engine, Run
from maestro_flow.errors import Closed, NotFound, StorageUnavailable, WaitTimeout
from maestro_flow.model.actions import Action
from maestro_flow.model.flow_id import FlowId, system_name
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus, StepStatus
from maestro_flow.storage.protocol import RunQuery
from maestro_flow.verify.history import Answer, Operation

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

__all__ = ["Users"]

RUN_ACTIONS = [Action.STOP, Action.KILL, Action.UNBLOCK]
APT = {
    Action.RESTART: {StepStatus.FATALLY_FAILED, StepStatus.USER_FAILED, StepStatus.STOPPED, StepStatus.TIMED_OUT},
    Action.RESUME: {StepStatus.PAUSED},
}
STEP_ACTIONS = [
    Action.STOP,
    Action.KILL,
    Action.SKIP,
    Action.PAUSE,
    Action.RESUME,
    Action.RESTART,
    Action.BREAKPOINT,
]


class Users:
    """``started``: what a start has answered, by request id. Each request is made again until it is answered."""

    def __init__(self, world: World) -> None:
        self._world = world
        chance = world.time.chance
        self.started: dict[str, str] = {}
        self.operations: list[Operation] = []
        """What was asked for, and answered."""
        self._requests = {
            f"r{number}": (chance.choice(list(world.workload.workflows)), chance.randrange(10))
            for number in range(chance.choice([3, 6, 10]))
        }
        for key in self._requests:
            world.later(chance.uniform(0, 15), lambda key=key: self._start(key))  # type: ignore[misc]
        for _ in range(chance.choice([0, 10, 30])):
            world.later(chance.uniform(0, 40), self._act)
        for _ in range(chance.choice([0, 0, 2])):
            world.later(chance.uniform(0, 40), self._set_limit)

    @property
    def are_answered(self) -> bool:
        """Every start was."""
        return len(self.started) == len(self._requests)

    # -- starts -------------------------------------------------------------------------------------------------

    def _start(self, key: str) -> None:
        """Ask a process, and again, perhaps another one, until there is an answer. Some requests are sent twice at
        once."""
        if key in self.started:
            return
        chance = self._world.time.chance
        for _ in range(chance.choice([1, 1, 1, 2])):
            if process := self._somebody():
                workflow_id, die = self._requests[key]
                process.thread(partial(self._ask_for, key, workflow_id, die))
        self._world.later(chance.uniform(0.5, 5.0), lambda: self._start(key))

    def _ask_for(self, key: str, workflow_id: str, die: int, engine: Engine) -> None:
        try:
            run = engine.start(workflow_id, params={"die": die}, request_id=key)
        except NotFound:
            return  # no process has pushed the workflow yet
        except (StorageUnavailable, Closed):
            self.operations.append(Operation("start", Answer.UNKNOWN, key, workflow_id=workflow_id))
            return
        self.operations.append(Operation("start", Answer.ACCEPTED, key, run.flow_id, workflow_id=workflow_id))
        there = self.started.setdefault(key, run.flow_id)
        self._world.time.note(f"start {key} is {run.flow_id}")
        assert there == run.flow_id, f"I14: the start {key} was answered by {there} and by {run.flow_id}"

    # -- actions ------------------------------------------------------------------------------------------------

    def _act(self) -> None:
        process = self._somebody()
        if process is not None and self.started:
            chance = self._world.time.chance
            entries = self._world.storage._state.entries
            going = [flow_id for flow_id in sorted(entries) if entries[flow_id].status is RunStatus.IN_PROGRESS]
            going = [flow_id for flow_id in going if not system_name(flow_id)]
            flow_id = chance.choice(going if going and chance.random() < 0.8 else sorted(self.started.values()))
            process.thread(lambda engine: self._act_on(engine, flow_id))

    def _act_on(self, engine: Engine, flow_id: str) -> None:
        which = FlowId.parse(flow_id)
        try:
            run = engine.find(which.workflow_id, which.instance_id)
            self._do(run, *self._choose(run))
        except (StorageUnavailable, Closed, Conflict, WaitTimeout, NotFound) as error:
            self._world.time.note(f"an action on {flow_id}: {type(error).__name__}: {error}")
            self._world.counts[f"action: {type(error).__name__}"] += 1

    def _choose(self, run: Run) -> tuple[Action, str]:
        """Prefers an action that is rarely possible; otherwise any action, on any run."""
        chance = self._world.time.chance
        steps = list(run.steps.values())
        apt = [(action, step.id) for action, statuses in APT.items() for step in steps if step.status in statuses]
        if apt and chance.random() < 0.7:
            return chance.choice(apt)
        if chance.random() < 0.3:
            return chance.choice(RUN_ACTIONS), ""
        return chance.choice(STEP_ACTIONS), chance.choice(steps).id

    def _do(self, run: Run, action: Action, step: str) -> None:
        self._world.time.note(f"{action} {step} of {run.flow_id}?")
        kind = action.lower()
        match action:
            case Action.STOP:
                run.stop(step)
            case Action.KILL:
                run.kill(step)
            case Action.UNBLOCK:
                run.unblock()
            case Action.SKIP:
                there = run.skip(step)
                kind, run = (kind, run) if there is run else ("restart", there)
            case Action.PAUSE:
                run.pause(step)
            case Action.RESUME:
                run.resume(step)
            case Action.BREAKPOINT:
                run.set_breakpoint(step)
            case Action.RESTART:
                run = run.restart(step=step)
        self.operations.append(Operation(kind, Answer.ACCEPTED, "", run.flow_id, step))
        self._world.time.note(f"{action} {step} of {run.flow_id}: accepted")
        self._world.counts["action: accepted"] += 1

    def _set_limit(self) -> None:
        if process := self._somebody():
            chance = self._world.time.chance
            tag, limit = chance.choice(["red", "blue"]), chance.choice([0, 1, 3, None])
            process.thread(lambda engine: self._limit(engine, tag, limit))

    def _limit(self, engine: Engine, tag: str, limit: int | None) -> None:
        try:
            engine.set_tag_permit(tag, limit)
        except (StorageUnavailable, Closed):
            self._world.time.note(f"the limit of {tag} may not be set")

    # -- the end ------------------------------------------------------------------------------------------------

    def tidy_up(self) -> None:
        """Repeatedly resume paused steps, unblock runs and remove limits, so that all runs can end."""
        for key in self._requests:
            if key not in self.started:
                self._start(key)
        self._tidy()

    def _tidy(self) -> None:
        process = self._somebody()
        if process is not None:
            process.thread(self._let_go_on)
        self._world.later(5.0, self._tidy)

    def _let_go_on(self, engine: Engine) -> None:
        for tag, permit in engine.tag_permits().items():
            if permit.limit is not None:
                engine.set_tag_permit(tag, None)
        for entry in self._world.storage.list_runs(RunQuery(limit=1000)):
            if system_name(entry.flow_id):
                continue
            with suppress(Conflict, Closed, WaitTimeout):  # it has continued by itself
                self._help(engine, entry)

    def _help(self, engine: Engine, entry: RunEntry) -> None:
        run = Run(engine._session, entry)
        if entry.status is RunStatus.FAILED and entry.blocking:
            run.unblock()
        elif entry.status is RunStatus.IN_PROGRESS:
            for step in run.steps.values():
                if step.status is StepStatus.PAUSED:
                    run.clear_breakpoint(step.id)
                    run.resume(step.id)

    def _somebody(self) -> Process | None:
        serving = self._world.serving()
        return self._world.time.chance.choice(serving) if serving else None
