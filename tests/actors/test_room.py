"""The places for user code: never too many, none lost, whoever waits is woken."""

from __future__ import annotations

from maestro_flow import RunStatus, StepContext, Workflow
from maestro_flow.actors.room import Place, Room, Share
from tests.engine.world import World


def room(starts: int = 2) -> Room:
    return Room(starts=starts, suspects=1, crashed=1)


def test_a_share_gets_what_is_free_and_gives_back_what_it_holds() -> None:
    places = room()
    one, other = Share(places), Share(places)
    assert (one.take(Place.START, 5), other.take(Place.START, 5)) == (2, 0)
    one.give_back(Place.START)
    assert other.take(Place.START, 5) == 1
    one.give_back(Place.START, 99)
    assert other.take(Place.START, 99) == 1, "it cannot give back what it does not hold"


def test_a_closed_share_gives_everything_back_once() -> None:
    places = room()
    share = Share(places)
    share.take(Place.START, 2)
    share.close()
    share.give_back(Place.START, 2)
    share.close()
    assert share.take(Place.START, 1) == 0
    assert Share(places).take(Place.START, 9) == 2


def test_who_waits_is_woken_by_a_place_of_its_kind_and_only_once() -> None:
    places = room(starts=1)
    share, woken = Share(places), list[str]()
    share.take(Place.START, 1)
    share.take(Place.SUSPECT, 1)
    places.wait(Place.START, share, lambda: woken.append("start"))
    share.give_back(Place.SUSPECT)
    assert woken == []
    share.give_back(Place.START)
    assert woken == ["start"]
    share.take(Place.START, 1)
    share.give_back(Place.START)
    assert woken == ["start"]


def test_a_place_that_came_free_before_the_wait_wakes_at_once() -> None:
    places, woken = room(), list[str]()
    places.wait(Place.START, Share(places), lambda: woken.append("now"))
    assert woken == ["now"]


def test_no_more_attempts_are_started_than_there_are_places_and_all_run_in_the_end() -> None:
    world = World()
    process = world.process(seed=5, executor_queue_max=3)
    room_of_node = process.engine._node._services.room
    wf = Workflow("wide")
    seen: list[int] = []

    def work(context: StepContext) -> int:
        seen.append(3 - room_of_node._free[Place.START])
        return 1

    for number in range(20):
        wf.step(id=f"s{number}")(work)
    process.engine.push(wf)
    runs = process.engine.start_many("wide", [{}] * 5)
    assert {run.wait(timeout_s=600) for run in runs} == {RunStatus.SUCCEEDED}
    assert len(seen) == 100
    assert max(seen) <= 3
    assert room_of_node._free[Place.START] == 3, "no place is lost"


def test_who_has_gone_does_not_swallow_the_wake_of_who_waits() -> None:
    places = room(starts=1)
    holder, gone, waits = Share(places), Share(places), Share(places)
    woken: list[str] = []
    holder.take(Place.START, 1)
    gone.wait(Place.START, lambda: woken.append("gone"))
    waits.wait(Place.START, lambda: woken.append("waits"))
    gone.close()
    holder.give_back(Place.START)
    assert woken == ["waits"]
