"""The slots for user code: never too many, none lost, every waiter is woken."""

from __future__ import annotations

from maestro_flow import RunStatus, StepContext, Workflow
from maestro_flow.actors.slots import SlotLease, SlotPool
from maestro_flow.core.slots import SlotKind, Slots
from tests.engine.world import World


def pools(starts: int = 2) -> dict[str, SlotPool]:
    return {name: SlotPool(Slots(starts, suspects=1, crashed=1)) for name in ("threads", "other")}


def test_a_lease_gets_what_is_free_and_gives_back_what_it_holds() -> None:
    slots = pools()
    one, another = SlotLease(slots), SlotLease(slots)
    assert (one.take("threads", SlotKind.START, 5), another.take("threads", SlotKind.START, 5)) == (2, 0)
    one.give_back("threads", SlotKind.START)
    assert another.take("threads", SlotKind.START, 5) == 1
    one.give_back("threads", SlotKind.START, 99)
    assert another.take("threads", SlotKind.START, 99) == 1, "it cannot give back what it does not hold"


def test_each_executor_has_its_own_slots() -> None:
    lease, woken = SlotLease(pools()), list[str]()
    assert [lease.take(executor, SlotKind.START, 9) for executor in ("threads", "other")] == [2, 2]
    lease.wait("threads", SlotKind.START, lambda: woken.append("threads"))
    lease.give_back("other", SlotKind.START)
    assert woken == []
    lease.give_back("threads", SlotKind.START)
    assert woken == ["threads"]


def test_a_closed_lease_gives_everything_back_once() -> None:
    slots = pools()
    lease = SlotLease(slots)
    lease.take("threads", SlotKind.START, 2)
    lease.close()
    lease.give_back("threads", SlotKind.START, 2)
    lease.close()
    assert lease.take("threads", SlotKind.START, 1) == 0
    assert SlotLease(slots).take("threads", SlotKind.START, 9) == 2


def test_a_waiter_is_woken_by_a_slot_of_its_kind_and_only_once() -> None:
    slots = pools(starts=1)
    lease, woken = SlotLease(slots), list[str]()
    lease.take("threads", SlotKind.START, 1)
    lease.take("threads", SlotKind.SUSPECT, 1)
    lease.wait("threads", SlotKind.START, lambda: woken.append("start"))
    lease.give_back("threads", SlotKind.SUSPECT)
    assert woken == []
    lease.give_back("threads", SlotKind.START)
    assert woken == ["start"]
    lease.take("threads", SlotKind.START, 1)
    lease.give_back("threads", SlotKind.START)
    assert woken == ["start"]


def test_a_slot_that_came_free_before_the_wait_wakes_at_once() -> None:
    woken = list[str]()
    SlotLease(pools()).wait("threads", SlotKind.START, lambda: woken.append("now"))
    assert woken == ["now"]


def test_no_more_attempts_are_started_than_there_are_slots_and_all_run_in_the_end() -> None:
    world = World()
    process = world.process(seed=5, executor_queue_max=3)
    wf = Workflow("wide")
    seen: list[int] = []

    def free() -> int:
        return process.engine._node._services.executors.pools["threads"]._free[SlotKind.START]

    def work(context: StepContext) -> int:
        seen.append(3 - free())
        return 1

    for number in range(20):
        wf.step(id=f"s{number}")(work)
    process.engine.push(wf)
    runs = process.engine.start_many("wide", [{}] * 5)
    assert {run.wait(timeout_s=600) for run in runs} == {RunStatus.SUCCEEDED}
    assert len(seen) == 100
    assert max(seen) <= 3
    assert free() == 3, "no slot is lost"


def test_a_closed_lease_does_not_swallow_the_wake_of_another_waiter() -> None:
    slots = pools(starts=1)
    holder, gone, waits = SlotLease(slots), SlotLease(slots), SlotLease(slots)
    woken: list[str] = []
    holder.take("threads", SlotKind.START, 1)
    for lease in (gone, waits):
        assert lease.take("threads", SlotKind.START, 1) == 0
    gone.wait("threads", SlotKind.START, lambda: woken.append("gone"))
    waits.wait("threads", SlotKind.START, lambda: woken.append("waits"))
    gone.close()
    holder.give_back("threads", SlotKind.START)
    assert woken == ["waits"]
