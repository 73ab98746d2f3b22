"""A world around the pure core that a seed makes: a random definition, and everything that can come in, in any order.

``World(seed).play()`` plays one run, and now and then restarts of it, and checks after each decision what must always
hold. First comes chaos: results of attempts that run, ran or never were, timers early and late, users who ask for
anything, takeovers, hand-overs, permits that come late, twice or never. Then the world is fair (whatever runs ends,
permits go round, paused steps are resumed) and the run must come to its end.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from msgspec import Raw, json
from msgspec.structs import replace

from maestro_flow.core.advance import next_due
from maestro_flow.core.decide import Decision, decide
from maestro_flow.core.evolve import fold
from maestro_flow.core.graph import Graph
from maestro_flow.core.holds import Interrupted, Paused, Permits, Predecessors, Retry, Unsatisfied
from maestro_flow.core.inputs import (
    Act,
    Began,
    Capacity,
    ContinueStep,
    Displace,
    FinishRun,
    Granted,
    HandOver,
    Input,
    Launch,
    Load,
    Progressed,
    Report,
    RunStep,
    Start,
    TerminateStep,
    Tick,
)
from maestro_flow.core.permits.decide import PermitMessage
from maestro_flow.core.permits.decide import decide as decide_permits
from maestro_flow.core.permits.state import PermitState
from maestro_flow.core.slots import Slots
from maestro_flow.core.state import FlowState
from maestro_flow.model.actions import Action, ActionOrder
from maestro_flow.model.definition import DEFAULT_EXECUTOR
from maestro_flow.model.event_codec import SCHEMA_VERSION
from maestro_flow.model.events import (
    RunEnded,
    RunUnblocked,
    StepError,
    StepEvent,
    encode_events,
)
from maestro_flow.model.log import LogRecord
from maestro_flow.model.params import Param, ParamType
from maestro_flow.model.permits import (
    PERMITS,
    REQUEST,
    PermitGrant,
    PermitRelease,
    PermitRequest,
    parse_requester,
    requester_of,
)
from maestro_flow.model.requests import RunPolicy, RunRequest
from maestro_flow.model.status import STEP_TRANSITIONS, StepStatus, Verdict
from maestro_flow.verify.checker import check
from maestro_flow.verify.history import History
from tests.core.any_definition import definition
from tests.core.capacities import capacity

__all__ = ["World"]

RESULTS = [b"1", b"null", b'{"a":[1,2.5,"t"]}', b'"text"', b"123456789012345678901234567890"]
DECISIONS_MAX = 4000
"""A world that needs more to come to its end is stuck: a step has at most four attempts here, a run eight steps."""


GROUP = 7
"""The group of the run."""


class World:
    """See the module. Everything in it follows from the seed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.graph = Graph.of(definition(self.random), 1)
        self.ids = [*self.graph.steps]
        self.now = 1000.0
        self.desk = PermitState("maestro_permits/1/1")
        self.asked: list[PermitMessage] = []
        """To the permit flow; ```grants`` are its answers, which may come again at any time."""
        self.grants: list[Granted] = []
        self.orders = 0
        self.decisions = 0
        self.trace: list[str] = []
        self.written: list[LogRecord] = []
        """Of all runs."""
        self.begin(FlowState.new("wf/1/1", self.graph))

    # -- a run --------------------------------------------------------------------------------------------------

    def begin(self, empty: FlowState) -> None:
        self.grants = []
        self.empty = self.state = empty
        self.log: list[LogRecord] = []
        self.hands: dict[str, RunStep] = {}
        """What runs now, by step; ``past`` is whatever ran."""
        self.told: set[str] = set()
        """Steps whose hands were told to end."""
        self.past: list[RunStep] = []
        self.statuses: dict[str, StepStatus] = {}
        self.capacity = self.some_capacity()

    def play(self) -> None:
        for run_id in range(1, self.random.randint(2, 4)):
            if run_id > 1:
                self.begin(FlowState.new(f"wf/1/{run_id}", self.graph, previous=self.state))
            self.play_run(run_id)
        workflow_id = self.graph.definition.id
        assert check(History(self.written, {(workflow_id, 1): self.graph}, is_quiet=True)) == []

    def play_run(self, run_id: int) -> None:
        request = self.some_request(run_id)
        self.decide([Start(1, run_id, self.now, request, queued=self.random.random() < 0.3)])
        for _ in range(self.random.randint(0, 60)):
            if self.state.status.is_terminal:
                break
            inputs = [self.some_input() for _ in range(self.random.choice([0, 1, 1, 1, 2, 4]))]
            takeover = self.some_takeover()
            self.decide(
                [
                    *takeover,
                    *(given for given in inputs if not (takeover and isinstance(given, Report | Began | Progressed))),
                ]
            )
        if self.random.random() < 0.3 and not self.state.status.is_terminal:
            self.decide([Act("the last", self.random.choice([Action.STOP, Action.KILL]))])
            self.only_hands_end()
        else:
            self.fairness()
        for _ in range(5):  # what comes after the end changes nothing
            before = self.state
            self.decide([self.some_input(), self.some_input()])
            assert unblocked(before) == unblocked(self.state), "a run that has ended stays as it is"
        self.settle_permits()
        mine = [requester for requester in self.desk.requesters if parse_requester(requester)[0] == self.state.flow_id]
        assert not mine, f"permits were not given back: {mine}"

    def fairness(self) -> None:
        """Whatever runs ends, permits go round, what is paused is resumed: the run comes to its end."""
        self.capacity = capacity(inline=self.capacity.inline, group_id=GROUP)
        self.decide([Launch(), *(self.act(Action.BREAKPOINT, i, on=False) for i in self.state.breakpoints)])
        while not self.state.status.is_terminal:
            self.settle_permits()
            inputs: list[Input] = [*self.resumptions(), *self.take_grants(), *map(self.good_end, self.hands.values())]
            due = next_due(self.state, self.now)
            if not inputs:
                assert due is not None, "nothing is under way and nothing is due: the run is stuck"
                self.now = due
            self.decide(inputs or [Tick()])

    def only_hands_end(self) -> None:
        """After a stop nothing but the ends of what runs is needed: no time, no permits, no user."""
        self.capacity = capacity({}, inline=self.capacity.inline, group_id=GROUP)
        while not self.state.status.is_terminal:
            assert self.hands, "nothing runs, and the run has not ended"
            assert self.told >= self.hands.keys(), "something runs on, and was not told to end"
            hand = self.random.choice([*self.hands.values()])
            self.decide([Report(hand.step, hand.attempt, hand.execution, Verdict.STOPPED)])

    def resumptions(self) -> list[Input]:
        return [self.act(Action.RESUME, i) for i in self.state.steps.queue(Paused)]

    def good_end(self, hand: RunStep) -> Input:
        verdict = Verdict.STOPPED if hand.step in self.told else Verdict.DONE
        return Report(hand.step, hand.attempt, hand.execution, verdict, result=Raw(b"1"))

    # -- permits ------------------------------------------------------------------------------------------------

    def settle_permits(self, part: float = 1.0) -> None:
        """The permit flow handles its messages, or some of them, in any order; the store keeps each to one delivery."""
        self.random.shuffle(self.asked)
        some = round(len(self.asked) * part)
        messages, self.asked = self.asked[:some], self.asked[some:]
        rest, is_full = tuple(messages), True
        while rest or is_full:
            done = decide_permits(self.desk, rest, self.now, 5)
            rest, is_full = done.rest, done.is_full
            if done.events:
                self.desk.recorded(len(done.events), done.at)
            for sent in done.sends:
                assert sent.group_id == GROUP
                if sent.flow_id == self.state.flow_id:
                    body = json.decode(sent.body, type=PermitGrant)
                    self.grants.append(Granted(sent.message_id, body.step, body.attempt))
        for tag, held in self.desk.held.items():
            limits = [p[tag] for p in self.graph.permits.values() if tag in p]
            assert held <= max(limits), f"{held} hold {tag}"

    def take_grants(self) -> list[Input]:
        return [given for given in self.grants if self.state.steps.is_in(Permits, given.step)]

    # -- chaos --------------------------------------------------------------------------------------------------

    def some_capacity(self) -> Capacity:
        random = self.random
        inline = frozenset(i for i in self.ids if random.random() < 0.2)
        slots = {
            name: Slots(random.choice([0, 1, 2, 1000]), random.choice([0, 1, 4]), random.choice([0, 1]))
            for name in (DEFAULT_EXECUTOR, "other")
        }
        return capacity(
            slots,
            executors={i: "other" for i in self.ids if random.random() < 0.2},
            group_id=GROUP,
            inline=inline,
            unsupported=frozenset(i for i in self.ids if random.random() < 0.1),
            events_max=random.choice([1, 2, 5, 200]),
            expression_visits_max=2000,
        )

    def some_request(self, run_id: int) -> RunRequest:
        random = self.random
        policies = [*RunPolicy][1:] if run_id > 1 else [RunPolicy.START_FRESH_NEW_RUN]
        policy = random.choice(policies)
        params = {"r0": Param(ParamType.LONG, random.randint(0, 3))} if random.random() < 0.2 else {}
        changes = {"x": Param(ParamType.LONG, expression="r0 + 5;")}
        return RunRequest(
            params=params,
            step_params={random.choice(self.ids): changes} if random.random() < 0.2 else {},
            policy=policy,
            previous=self.empty.previous.flow_id if self.empty.previous else "",
            restart_from=random.choice(self.ids) if policy is RunPolicy.RESTART_FROM_SPECIFIC else "",
            skip_steps=tuple(i for i in self.ids if run_id > 1 and random.random() < 0.1),
            breakpoints=tuple(i for i in self.ids if random.random() < 0.1),
        )

    def some_input(self) -> Input:
        random = self.random
        what = random.randint(0, 16)
        if what <= 6 and self.hands:
            hand = random.choice([*self.hands.values()])
            return self.some_report(hand.step, hand.attempt, hand.execution)
        if what == 7:
            hand = random.choice(self.past) if self.past else RunStep("s0", 1, 1)
            return self.some_report(hand.step, hand.attempt, hand.execution)
        if what == 8:
            return self.some_report(random.choice(self.ids), random.randint(1, 3), random.randint(1, 2))
        if what == 9:
            self.now += random.choice([-5, 0, 1, 10, 60])
            return Tick()
        if what == 12:
            self.settle_permits(random.random())
            if self.grants:
                return random.choice(self.grants)
        if what == 10 and random.random() < 0.2:
            return Launch() if random.random() < 0.5 else Displace("a newer run")
        if what == 11 and self.hands:
            hand = random.choice([*self.hands.values()])
            if random.random() < 0.3:
                artifacts = {"told": random.randint(0, 9)}
                return Progressed(hand.step, hand.attempt, hand.execution, self.now, artifacts, ("told",))
            return Began(hand.step, hand.attempt, hand.execution, self.now)
        return self.some_act()

    def some_takeover(self) -> list[Input]:
        """Now and then the owner is gone with all that it ran, and another one has loaded the flow."""
        if self.random.random() > 0.08:
            return []
        self.capacity = self.some_capacity()
        self.forget_hands()
        return [Load(same_owner=self.random.random() < 0.3)]

    def forget_hands(self) -> None:
        self.hands, self.told = {}, set()

    def some_report(self, step: str, attempt: int, execution: int) -> Report:
        random = self.random
        verdict = random.choice([*Verdict, Verdict.DONE, Verdict.CONTINUE])
        outputs = {}
        if verdict is Verdict.DONE and random.random() < 0.3:
            outputs = {random.choice(["x", "x", "y", "no"]): Param(ParamType.LONG, random.randint(0, 9))}
        return Report(
            step,
            attempt,
            execution,
            verdict,
            began_at=random.choice([None, self.now]),
            result=Raw(random.choice(RESULTS)),
            outputs=outputs,
            artifacts={"id": "1"} if random.random() < 0.2 else {},
            timeline=("it continued",) if random.random() < 0.2 else (),
            error=StepError("Test", "failed") if verdict not in (Verdict.DONE, Verdict.CONTINUE) else None,
            size_bytes=random.choice([0, 0, 5 * 1024 * 1024]),
        )

    def some_act(self) -> Act:
        random = self.random
        if random.random() < 0.05:
            return self.act(random.choice([*Action, *[Action.RESUME] * 5]), "")
        step = random.choice(self.ids if random.random() < 0.95 else ["nobody"])
        params = {"x": Param(ParamType.LONG, 7)} if random.random() < 0.5 else {}
        return self.act(random.choice([*Action]), step, on=random.random() < 0.5, params=params)

    def act(self, action: Action, step: str, *, on: bool = True, params: dict[str, Param] | None = None) -> Act:
        self.orders += 1
        return Act(f"order {self.orders}", action, ActionOrder(step, params or {}, on))

    # -- a decision, and what holds of each ---------------------------------------------------------------------

    def decide(self, inputs: list[Input]) -> None:
        waiting = [given for given in inputs if isinstance(given, Act | Granted)]
        if self.random.random() < 0.03:
            inputs = [*inputs, HandOver()]
        settled: Counter[str] = Counter()
        while True:
            is_leaving = any(isinstance(given, HandOver) for given in inputs)
            offered = capacity({}, inline=self.capacity.inline, is_leaving=True) if is_leaving else self.capacity
            self.decisions += 1
            assert self.decisions < DECISIONS_MAX, "it does not come to an end"
            before = self.state
            decision = decide(before, inputs, self.now, offered)
            assert decision == decide(before, inputs, self.now, offered), "another decision about the same"
            self.commit(before, decision, inputs, offered)
            if not is_leaving:
                self.drop_hands(inputs)
            settled.update(settlement.message_id for settlement in decision.settles)
            if is_leaving:
                self.forget_hands()
            else:
                for effect in decision.effects:
                    self.carry_out(effect)
            inputs = list(decision.rest)
            if not inputs:
                break
        if is_leaving and not self.state.status.is_terminal:
            self.decide([Load()])
        assert settled == Counter(given.message_id for given in waiting), "each message is settled once"

    def commit(self, before: FlowState, decision: Decision, inputs: list[Input], capacity: Capacity) -> None:
        state = decision.state
        self.trace.append(f"{self.now:g} {inputs} -> {list(decision.events)} {list(decision.effects)}")
        assert decision.at >= before.at
        assert state.revision == before.revision + bool(decision.events)
        rest = list(decision.rest)
        if rest and rest != inputs[len(inputs) - len(rest) :]:
            assert rest.pop() == Tick()
        assert rest == inputs[len(inputs) - len(rest) :], "what is left is the end of what came in"
        assert len(decision.events) <= capacity.limits.events_max + 3, "a decision is bounded"
        if decision.events:
            body = encode_events(decision.events)
            position = len(self.written) + 1
            record = LogRecord(
                state.flow_id, state.revision, 0, 1, "me", position, f"c{position}", decision.at, SCHEMA_VERSION, body
            )
            self.log.append(record)
            self.written.append(record)
            assert fold(self.empty, self.log) == state, "the log leads to the state"
            self.check_events(before, decision)
        else:
            assert before == state, "without an event nothing changes"
        for sent in decision.sends:
            assert sent.flow_id == PERMITS
            kind: type[PermitRequest | PermitRelease] = PermitRequest if sent.kind == REQUEST else PermitRelease
            self.asked.append(PermitMessage(sent.message_id, json.decode(sent.body, type=kind)))
        self.state = state
        self.check_state()

    def check_events(self, before: FlowState, decision: Decision) -> None:
        if before.status.is_terminal:
            assert [type(event) for event in decision.events] == [RunUnblocked], "nothing happens after the end"
        ends = [event for event in decision.events if isinstance(event, RunEnded)]
        assert len(ends) <= 1
        assert not ends or isinstance(decision.events[-1], RunEnded | RunUnblocked)
        for event in decision.events:
            step, status = (event.step, event.new_status) if isinstance(event, StepEvent) else ("", None)
            if status is not None:
                old = self.statuses.get(step, StepStatus.NOT_CREATED)
                assert status in STEP_TRANSITIONS.get(old, frozenset()), f"{step}: {old} -> {status}"
                self.statuses[step] = status

    def check_state(self) -> None:
        state = self.state
        active = {i for i, step in state.steps.items() if step.is_active and i not in state.carried}
        assert state.active == len(active)
        assert set(state.steps.queue(Interrupted)) <= active
        limit = self.graph.definition.instance_step_concurrency
        assert limit is None or len(active) <= limit
        for kind, queue in state.steps.queues.items():
            assert queue, f"no queue is kept when it is empty: {kind}"
            assert len(queue) == len(set(queue)), f"a step waits twice: {queue}"
            assert all(state.steps.is_in(kind, i) for i in queue), "each is where its hold says"
        held = [i for i in state.steps if not isinstance(state.steps.hold(i), Predecessors | None)]
        assert len(held) == sum(map(len, state.steps.queues.values())), "all that is held is in a queue"
        due = [state.steps.retry_at(i) for i in state.steps.queue(Retry)]
        assert due == sorted(due)
        for i, status in self.statuses.items():
            assert state.steps[i].status is status
        for i in active & self.graph.permits.keys():
            assert self.desk.requesters[requester_of(state.flow_id, i, state.steps[i].attempt)].is_granted
        if state.status.is_terminal:
            assert not active
            assert not {Retry, Paused, Permits, Unsatisfied} & state.steps.queues.keys()

    def carry_out(self, effect: Any) -> None:
        match effect:
            case RunStep(step=step):
                held = self.hands.get(step)
                assert held is None, f"{effect} while {held} runs"
                assert (step, effect.attempt, effect.execution) not in {
                    (past.step, past.attempt, past.execution) for past in self.past
                } or step in self.capacity.inline, f"{effect} was run before"
                now = self.state.steps[step]
                assert (now.attempt, now.execution) == (effect.attempt, effect.execution)
                self.hands[step] = effect
                self.past.append(effect)
            case TerminateStep(step=step):
                self.told.add(step)
            case ContinueStep():
                pass
            case FinishRun(status=status):
                assert self.state.status is status

    def drop_hands(self, inputs: list[Input]) -> None:
        """What has reported its end runs no more; nothing else ends an attempt whose code runs."""
        reports = {(given.step, given.attempt, given.execution) for given in inputs if isinstance(given, Report)}
        for step, hand in [*self.hands.items()]:
            now = self.state.steps[step]
            if not now.is_active or (now.attempt, now.execution) != (hand.attempt, hand.execution):
                assert (step, hand.attempt, hand.execution) in reports, f"{hand} runs on, and nobody waits for it"
                del self.hands[step]
                self.told.discard(step)


def unblocked(state: FlowState) -> FlowState:
    """The state but for what may still happen to a run that has ended."""
    return replace(state, is_blocking=False, revision=0, at=0.0)
