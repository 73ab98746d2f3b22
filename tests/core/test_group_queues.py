"""The queues of a group through any history: messages in any order, flows that are lost, one owner after another."""

from __future__ import annotations

from collections.abc import Collection

from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.group_queues import GroupQueues
from maestro_flow.core.inputs import Displace, Launch
from maestro_flow.core.strategy import LiveRun
from maestro_flow.core.workflow_queue import Entrant, Order, Question
from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.flow_id import FlowId

SEQUENTIAL = RunStrategy(RunRule.SEQUENTIAL, 1)
STRICT = RunStrategy(RunRule.STRICT_SEQUENTIAL, 1)


def run(instance_id: int, run_id: int = 1) -> str:
    return str(FlowId("wf", instance_id, run_id))


def fresh(instance_id: int, strategy: RunStrategy = SEQUENTIAL, version: int = 1) -> Entrant:
    return Entrant(run(instance_id), version, strategy, is_queued=strategy.is_limited, is_fresh=True)


def loaded(flow_id: str, strategy: RunStrategy, *, is_queued: bool, is_ending: bool = False) -> Entrant:
    return Entrant(flow_id, 1, strategy, is_queued=is_queued, is_ending=is_ending)


def launched(orders: Collection[Order]) -> list[str]:
    return [flow_id for flow_id, order in orders if isinstance(order, Launch)]


class Store:
    """What is durable. ``live`` has queued and going runs, ``given`` those without a first commit."""

    def __init__(self, strategy: RunStrategy) -> None:
        self.strategy = strategy
        self.started = 0
        self.given: list[str] = []
        self.live: dict[str, str] = {}
        self.blocking: set[str] = set()

    def waits(self, run: LiveRun) -> bool:
        return run.flow_id in self.given or self.live.get(run.flow_id) == "queued"


class Owner:
    """A group's actor and the actors of its flows, as far as queues are concerned."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.questions: list[Question] = []
        self.answers: list[tuple[str, set[str] | None]] = []
        self.queues = GroupQueues(self.questions.append)
        self.actors: set[str] = set()
        self.orders: dict[str, list[Launch | Displace]] = {}
        self.stopped: set[str] = set()
        for flow_id in sorted(store.live):
            self.load(flow_id)
        self.scan()
        assert not self.orders, "nothing is launched before the group is loaded"
        self.tell(self.queues.loaded())

    def tell(self, orders: Collection[Order]) -> None:
        for flow_id, order in orders:
            if isinstance(order, Launch) and self.store.strategy.rule in (
                RunRule.SEQUENTIAL,
                RunRule.STRICT_SEQUENTIAL,
            ):
                assert not self.store.blocking
                this = LiveRun.of(flow_id)
                before = [i for i in range(1, this.instance_id) if self.store.waits(LiveRun.of(run(i)))]
                assert not before, f"{flow_id} is launched before {before}"
            if flow_id in self.actors:
                self.orders.setdefault(flow_id, []).append(order)

    def load(self, flow_id: str) -> None:
        self.actors.add(flow_id)
        self.orders.pop(flow_id, None)
        phase = self.store.live[flow_id]
        is_ending = phase == "ending"
        self.tell(
            self.queues.enter(
                loaded(flow_id, self.store.strategy, is_queued=phase == "queued", is_ending=is_ending),
            )
        )

    def take_up(self, flow_id: str) -> None:
        if flow_id not in self.actors and flow_id in self.store.given:
            self.actors.add(flow_id)
            orders = self.queues.enter(fresh(LiveRun.of(flow_id).instance_id, self.store.strategy))
            self.tell(orders)

    def scan(self) -> None:
        for flow_id in list(self.store.given):
            self.take_up(flow_id)

    def read(self) -> None:
        """The store is asked; what it says arrives later than what happens meanwhile."""
        question = self.questions.pop()
        self.scan()
        self.answers.append((question.workflow_id, set(self.store.blocking) if question.of_blocking else None))

    def answer(self) -> None:
        self.tell(self.queues.answered(*self.answers.pop()))

    def go(self, flow_id: str) -> None:
        """The run gets as far as it can now."""
        self.take_up(flow_id)
        while self.questions or self.answers:
            self.read() if self.questions else self.answer()
        for _ in range(3):
            if flow_id in self.actors:
                self.write(flow_id)

    def write(self, flow_id: str) -> None:
        """The flow's actor commits the first thing that it has to."""
        store, orders = self.store, self.orders.get(flow_id, [])
        if flow_id in store.given:
            store.given.remove(flow_id)
            store.live[flow_id] = "queued"
        elif orders:
            order = orders.pop(0)
            if isinstance(order, Launch) and store.live[flow_id] == "queued":
                store.live[flow_id] = "going"
            elif isinstance(order, Displace) and store.live[flow_id] == "queued":
                self.end(flow_id)
            elif isinstance(order, Displace):
                store.live[flow_id] = "ending"

    def end(self, flow_id: str, *, failed: bool = False) -> None:
        del self.store.live[flow_id]
        self.actors.remove(flow_id)
        self.orders.pop(flow_id, None)
        is_blocking = failed and self.store.strategy.rule is RunRule.STRICT_SEQUENTIAL
        if is_blocking:
            self.store.blocking.add(flow_id)
        self.tell(self.queues.leave(flow_id, is_blocking=is_blocking))

    def unblock(self, flow_id: str) -> None:
        self.store.blocking.remove(flow_id)
        self.tell(self.queues.leave(flow_id, is_blocking=False))

    def finish(self) -> None:
        """Let happen what must happen without a user, but for the unblocking."""
        for _ in range(20 * self.store.started + 20):
            going = [flow_id for flow_id, phase in self.store.live.items() if phase != "queued"]
            assert len(going) <= (self.store.strategy.workflow_concurrency or 1000)
            busy = [
                flow_id for flow_id in sorted(self.actors) if flow_id in self.store.given or self.orders.get(flow_id)
            ]
            self.scan()
            if self.questions:
                self.read()
            elif self.answers:
                self.answer()
            elif busy:
                self.write(busy[0])
            elif going:
                self.end(going[0])
            elif self.store.blocking:
                self.unblock(min(self.store.blocking))
        assert not self.store.live
        assert not self.store.given


OPERATIONS = (
    *("start", "start", "go", "go", "tell", "write", "write", "end", "fail", "stop"),
    *("scan", "read", "answer", "lose", "unblock", "take_over"),
)


@settings(max_examples=500, deadline=None)
@given(data=st.data(), rule=st.sampled_from(RunRule))
def test_any_history_keeps_the_order_and_the_limit_and_leaves_nothing_waiting(
    data: st.DataObject, rule: RunRule
) -> None:
    store = Store(RunStrategy(rule, 2 if rule is RunRule.PARALLEL else 1))
    owner = Owner(store)
    for _ in range(data.draw(st.integers(1, 60))):
        what = data.draw(st.sampled_from(OPERATIONS))
        going = sorted(flow_id for flow_id, phase in store.live.items() if phase != "queued")
        if what == "start":
            store.started += 1
            store.given.append(run(store.started))
        elif what == "tell" and store.given:
            owner.take_up(data.draw(st.sampled_from(store.given)))
        elif what == "write" and owner.actors:
            owner.write(data.draw(st.sampled_from(sorted(owner.actors))))
        elif what in ("end", "fail") and going:
            owner.end(data.draw(st.sampled_from(going)), failed=what == "fail")
        elif what == "stop" and store.live:
            owner.end(data.draw(st.sampled_from(sorted(store.live))))
        elif what == "scan":
            owner.scan()
        elif what == "read" and owner.questions:
            owner.read()
        elif what == "answer" and owner.answers:
            owner.answer()
        elif what == "go" and (store.given or store.live):
            owner.go(min([*store.given, *store.live], key=LiveRun.of))
        elif what == "lose" and store.live:
            owner.load(data.draw(st.sampled_from(sorted(store.live))))
        elif what == "unblock" and store.blocking:
            owner.unblock(data.draw(st.sampled_from(sorted(store.blocking))))
        elif what == "take_over":
            owner = Owner(store)
        assert sum(phase != "queued" for phase in store.live.values()) <= (store.strategy.workflow_concurrency or 0)
    owner.finish()


def loaded_queues(*entrants: Entrant) -> tuple[GroupQueues, list[Question], list[Order]]:
    questions: list[Question] = []
    queues = GroupQueues(questions.append)
    for entrant in entrants:
        assert not queues.enter(entrant)
    return queues, questions, queues.loaded()


def test_the_first_run_of_a_workflow_is_launched_without_a_question() -> None:
    queues, questions, _ = loaded_queues()
    assert launched(queues.enter(fresh(1, STRICT))) == [run(1)]
    assert not queues.enter(fresh(2, STRICT))
    assert launched(queues.leave(run(1), is_blocking=False)) == [run(2)]
    assert not questions


def test_a_run_with_an_unknown_predecessor_waits_until_the_store_has_been_asked() -> None:
    queues, questions, _ = loaded_queues()
    assert not queues.enter(fresh(3))
    assert not queues.enter(fresh(1)), "2 may come yet"
    assert questions == [Question("wf", of_blocking=False)], "it is asked once"
    assert launched(queues.answered("wf", None)) == [run(1)]
    assert not queues.enter(fresh(5))
    assert not queues.leave(run(1), is_blocking=False), "what was asked is of no use for a later one"
    assert len(questions) == 2
    assert launched(queues.answered("wf", None)) == [run(3)]


def test_what_was_missing_may_come_by_itself() -> None:
    queues, questions, _ = loaded_queues()
    assert launched(queues.enter(fresh(1))) == [run(1)]
    assert not queues.enter(fresh(3))
    assert not queues.enter(fresh(2))
    assert launched(queues.leave(run(1), is_blocking=False)) == [run(2)], "though the answer is still under way"
    assert len(questions) == 1
    assert not queues.answered("wf", None)


def test_after_a_takeover_what_was_before_the_last_live_run_needs_no_question() -> None:
    going, waiting = run(40), run(42)
    queues, questions, orders = loaded_queues(
        loaded(waiting, SEQUENTIAL, is_queued=True), loaded(going, SEQUENTIAL, is_queued=False)
    )
    assert not orders
    assert not queues.enter(fresh(43))
    assert launched(queues.leave(going, is_blocking=False)) == [waiting]
    assert not questions


def test_what_blocks_is_asked_for_once_and_then_known() -> None:
    queues, questions, orders = loaded_queues(loaded(run(7), STRICT, is_queued=True))
    assert not orders
    assert questions == [Question("wf", of_blocking=True)]
    assert not queues.answered("wf", {run(3), run(5)})
    assert not queues.leave(run(3), is_blocking=False)
    assert launched(queues.leave(run(5), is_blocking=False)) == [run(7)]
    assert not queues.enter(fresh(8, STRICT))
    assert not queues.leave(run(7), is_blocking=True)
    assert launched(queues.leave(run(7), is_blocking=False)) == [run(8)]
    assert len(questions) == 1


def test_an_answer_that_is_older_than_the_unblocking_blocks_nothing() -> None:
    queues, _, _ = loaded_queues(loaded(run(7), STRICT, is_queued=True))
    assert not queues.leave(run(3), is_blocking=False)
    assert launched(queues.answered("wf", {run(3)})) == [run(7)]


def test_a_failure_that_is_newer_than_the_answer_blocks() -> None:
    queues, _, _ = loaded_queues(loaded(run(7), STRICT, is_queued=False), loaded(run(8), STRICT, is_queued=True))
    assert not queues.leave(run(7), is_blocking=True)
    assert not queues.answered("wf", set())
    assert launched(queues.leave(run(7), is_blocking=False)) == [run(8)]


def test_the_newest_live_version_has_the_strategy_that_counts() -> None:
    queues, _, _ = loaded_queues(
        loaded(run(1), SEQUENTIAL, is_queued=False), *(loaded(run(i), SEQUENTIAL, is_queued=True) for i in (2, 3))
    )
    orders = queues.enter(fresh(4, RunStrategy(RunRule.PARALLEL, 3), version=2))
    assert launched(orders) == [run(2), run(3)]
    assert not queues.leave(run(4), is_blocking=False)
    assert not queues.enter(fresh(5)), "version 1 counts again"


def test_runs_of_a_version_without_a_limit_begin_at_once_and_are_counted() -> None:
    unlimited = fresh(1, RunStrategy())
    queues, questions, _ = loaded_queues()
    assert not queues.enter(unlimited)
    assert not queues.enter(fresh(2, version=2)), "1 is not known to be no other limited run"
    assert len(questions) == 1
    assert not queues.answered("wf", None), "it waits for 1"
    assert launched(queues.leave(run(1), is_blocking=False)) == [run(2)]


def test_nothing_is_kept_for_a_workflow_whose_runs_never_wait() -> None:
    queues, _, _ = loaded_queues()
    for instance_id in range(5, 50):
        queues.enter(fresh(instance_id, RunStrategy()))
        queues.leave(run(instance_id), is_blocking=False)
    assert not queues._queues


def test_a_run_that_cannot_be_read_counts_as_active() -> None:
    questions: list[Question] = []
    queues = GroupQueues(questions.append)
    queues.occupy(run(1))
    queues.enter(loaded(run(2), SEQUENTIAL, is_queued=True))
    assert not queues.loaded()
    assert launched(queues.enter(loaded(run(1), SEQUENTIAL, is_queued=True))) == [run(1)], "it is read, and had waited"
    assert launched(queues.leave(run(1), is_blocking=False)) == [run(2)]


def test_a_parked_run_that_waited_is_passed_over_and_one_that_may_have_begun_is_not() -> None:
    queues, _, _ = loaded_queues(*(loaded(run(i), SEQUENTIAL, is_queued=True) for i in (1, 2, 3)))
    assert not queues.pass_over(run(2))
    assert not queues.pass_over(run(1)), "it was told to begin, and perhaps it has"
    assert launched(queues.leave(run(1), is_blocking=False)) == [run(3)]


def test_a_run_that_is_being_ended_by_a_user_is_not_displaced_once_more() -> None:
    last_only = RunStrategy(RunRule.LAST_ONLY, 1)
    queues, _, _ = loaded_queues(loaded(run(1), last_only, is_queued=False))
    assert not queues.is_being_ended(run(1))
    assert not queues.enter(fresh(2, last_only))
    assert launched(queues.leave(run(1), is_blocking=False)) == [run(2)]
