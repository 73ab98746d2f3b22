"""The inbox of a group: each rule, any history against a naive one that looks at everything, and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, ClassVar

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.inbox import Deliver, Forward, GroupInbox, Next, Settle
from maestro_flow.model.commit import Settlement
from maestro_flow.model.inbox import Message

GROUP, DELIVERIES_MAX = 0, 3


def message(message_id: str, flow_id: str = "w/1/1", kind: str = "stop", *, sequence: int = 1, **other: Any) -> Message:
    destination = 7 if kind == "away" else GROUP
    deliveries = other.get("deliveries", 1)
    return Message(GROUP, message_id, flow_id, kind, destination=destination, sequence=sequence, deliveries=deliveries)


def decoded(given: Message) -> str | tuple[str, str]:
    """The input of a message is a pair with its id; of one kind, nobody can read any."""
    return "not readable" if given.kind == "garbage" else ("input", given.message_id)


def made() -> GroupInbox[Any]:
    return GroupInbox(DELIVERIES_MAX, decoded)


def told(todo: list[Next[Any]]) -> list[str]:
    """What is to be done, in short."""
    return [_told(each) for each in todo]


def _told(each: Next[Any]) -> str:
    match each:
        case Deliver():
            return f"{each.given[1]} to {each.flow_id}"
        case Forward():
            return f"{each.message.message_id} to group {each.message.destination}"
        case Settle(settlement=settlement):
            word = "bury" if settlement.dead else "settle"
            return f"{word} {settlement.message_id}: {settlement.outcome.partition(chr(10))[0]}"


# -- rules ------------------------------------------------------------------------------------------------------


def test_a_message_is_delivered_once_however_often_it_is_received_before_it_is_settled() -> None:
    inbox = made()
    assert told(inbox.receive([message("a"), message("b", "w/2/1")])) == ["a to w/1/1", "b to w/2/1"]
    assert inbox.receive([message("a")]) == []
    assert inbox.settled(["a"]) == []
    assert inbox.receive([message("a"), message("b", "w/2/1")]) == [], "a scan read it before it was settled"
    assert not inbox.has_any("w/1/1")
    assert inbox.has_any("w/2/1")


def test_what_comes_while_its_flow_is_away_is_delivered_when_the_flow_is_here() -> None:
    inbox = made()
    inbox.receive([message("a"), message("b")])
    assert told(inbox.flow_is_here("w/1/1")) == ["a to w/1/1", "b to w/1/1"]
    assert inbox.flow_is_here("w/2/1") == []


def test_an_unreadable_message_is_settled_and_one_for_another_group_is_forwarded() -> None:
    inbox = made()
    todo = inbox.receive([message("bad", kind="garbage"), message("far", kind="away")])
    assert told(todo) == ["settle bad: conflict: not readable", "far to group 7"]
    assert inbox.receive([message("far", kind="away")]) == [], "it is on its way"
    assert not inbox.has_any("w/1/1")
    assert told(inbox.forwarded("far", "forwarded")) == ["settle far: forwarded"]
    assert inbox.receive([message("far", kind="away"), message("bad", kind="garbage")]) == []


def test_what_came_too_late_for_a_flow_is_delivered_to_its_state_and_what_has_none_is_refused() -> None:
    inbox = made()
    inbox.receive([message("a"), message("b")])
    assert inbox.settled(["a"]) == []
    assert told(inbox.flow_is_over("w/1/1")) == ["b to w/1/1"]
    assert told(inbox.flow_is_unknown("w/1/1")) == ["settle b: conflict: there is no run w/1/1"]
    assert not inbox.has_any("w/1/1")


def test_after_a_defect_a_flow_gets_one_message_at_a_time_until_all_it_had_are_done_with() -> None:
    inbox = made()
    inbox.receive([message("a"), message("b"), message("c"), message("other", "w/2/1")])
    inbox.flow_has_a_defect("w/1/1", "Traceback 1")
    assert told(inbox.flow_is_here("w/1/1")) == ["a to w/1/1"]
    assert inbox.receive([message("d")]) == [], "it waits for those before it"
    assert told(inbox.settled(["a"])) == ["b to w/1/1"]
    inbox.flow_has_a_defect("w/1/1", "Traceback 2")
    assert told(inbox.flow_is_here("w/1/1")) == ["b to w/1/1"]
    inbox.flow_has_a_defect("w/1/1", "Traceback 3")
    todo = inbox.flow_is_here("w/1/1")
    assert told(todo) == ["bury b: given up: 3 owners failed while they had it in hand", "c to w/1/1"]
    assert isinstance(todo[0], Settle)
    assert todo[0].settlement.outcome.endswith("\nTraceback 3")
    assert told([*inbox.settled(["c"]), *inbox.settled(["d"])]) == ["d to w/1/1"], "c had one defect, and is innocent"
    assert told(inbox.receive([message("e"), message("f")])) == ["e to w/1/1", "f to w/1/1"]


def test_a_dead_letter_is_handled_again_only_when_it_was_redriven() -> None:
    inbox = made()
    assert told(inbox.receive([message("a", sequence=5, deliveries=4)]))[0].startswith("bury a")
    assert inbox.receive([message("a", sequence=5, deliveries=4)]) == []
    assert told(inbox.receive([message("a", sequence=6)])) == ["a to w/1/1"]


def test_ten_thousand_that_are_dead_at_once_are_buried_one_after_the_other() -> None:
    inbox = made()
    inbox.receive([message(str(number), deliveries=DELIVERIES_MAX) for number in range(10_000)])
    inbox.flow_has_a_defect("w/1/1", "Traceback")
    assert len(inbox.flow_is_here("w/1/1")) == 10_000
    assert not inbox.has_any("w/1/1")


def test_a_group_that_is_handed_over_leaves_the_rest_to_the_next_owner() -> None:
    inbox = made()
    inbox.receive([message("a"), message("far", kind="away")])
    inbox.stop()
    assert inbox.receive([message("b")]) == []
    assert inbox.flow_is_over("w/1/1") == []
    assert told(inbox.forwarded("far", "forwarded")) == ["settle far: forwarded"], "it has arrived there"


def test_what_was_settled_in_vain_is_handled_when_it_comes_again() -> None:
    inbox = made()
    inbox.receive([message("bad", kind="garbage")])
    inbox.settlements_are_lost()
    assert told(inbox.receive([message("bad", kind="garbage")])) == ["settle bad: conflict: not readable"]


# -- any history ------------------------------------------------------------------------------------------------


class Naive:
    """The same rules, from one list of messages that is searched for everything."""

    def __init__(self) -> None:
        self.in_hand: list[Message] = []
        self.in_transit: list[Message] = []
        self.done: dict[str, float] = {}
        self.defects: dict[str, list[str]] = {}
        self.suspicious: set[str] = set()

    def of(self, flow_id: str) -> list[Message]:
        return [each for each in self.in_hand if each.flow_id == flow_id]

    def receive(self, messages: list[Message]) -> Iterator[Next[Any]]:
        for each in messages:
            is_known = any(each.message_id == other.message_id for other in [*self.in_hand, *self.in_transit])
            if not is_known and each.sequence > self.done.get(each.message_id, -1):
                yield from self.take(each)

    def take(self, each: Message) -> Iterator[Next[Any]]:
        failures = max(each.deliveries - 1, 0) + len(self.defects.get(each.message_id, []))
        if failures >= DELIVERIES_MAX:
            lines = [
                f"given up: {failures} owners failed while they had it in hand",
                *self.defects.get(each.message_id, [])[-1:],
            ]
            yield self.settle(each, "\n".join(lines), dead=True)
            self.done[each.message_id] = each.sequence
            yield from self.next_of(each.flow_id)
        elif each.kind == "garbage":
            yield self.settle(each, "conflict: not readable")
            yield from self.next_of(each.flow_id)
        elif each.kind == "away":
            self.in_transit.append(each)
            yield Forward(each)
        else:
            if each not in self.in_hand:
                self.in_hand.append(each)
            if each.flow_id not in self.suspicious or self.of(each.flow_id)[0] == each:
                yield Deliver(each.flow_id, ("input", each.message_id))

    def next_of(self, flow_id: str) -> Iterator[Next[Any]]:
        if flow_id in self.suspicious and not self.of(flow_id):
            self.suspicious.remove(flow_id)
        elif flow_id in self.suspicious:
            yield from self.take(self.of(flow_id)[0])

    def settle(self, each: Message, outcome: str, *, dead: bool = False) -> Settle:
        self.forget(each)
        self.done[each.message_id] = float("inf")
        return Settle(each.flow_id, Settlement(each.message_id, outcome, dead=dead))

    def forget(self, each: Message) -> None:
        self.in_hand = [other for other in self.in_hand if other != each]
        self.defects.pop(each.message_id, None)

    def settled(self, message_ids: list[str]) -> Iterator[Next[Any]]:
        for message_id in message_ids:
            self.done[message_id] = float("inf")
            for each in [each for each in self.in_hand if each.message_id == message_id]:
                self.forget(each)
                yield from self.next_of(each.flow_id)

    def forwarded(self, message_id: str) -> Iterator[Next[Any]]:
        for each in [each for each in self.in_transit if each.message_id == message_id]:
            self.in_transit.remove(each)
            yield self.settle(each, "forwarded")

    def flow_is_here(self, flow_id: str) -> Iterator[Next[Any]]:
        if flow_id in self.suspicious:
            yield from self.next_of(flow_id)
        else:
            for each in self.of(flow_id):
                yield from self.take(each)

    def flow_is_over(self, flow_id: str) -> Iterator[Next[Any]]:
        late = self.of(flow_id)
        self.drop(flow_id)
        yield from self.receive(late)

    def flow_is_unknown(self, flow_id: str) -> Iterator[Next[Any]]:
        self.suspicious.discard(flow_id)
        for each in self.of(flow_id):
            yield self.settle(each, f"conflict: there is no run {flow_id}")

    def flow_has_a_defect(self, flow_id: str, traceback: str) -> None:
        for each in self.of(flow_id)[: 1 if flow_id in self.suspicious else None]:
            self.suspicious.add(flow_id)
            self.defects.setdefault(each.message_id, []).append(traceback)

    def drop(self, flow_id: str) -> None:
        self.suspicious.discard(flow_id)
        for each in self.of(flow_id):
            self.forget(each)


FLOWS = ["w/1/1", "w/2/1", "w/3/1"]
WHAT = """
    new new new again redrive settle settle defect defect away here here over unknown drop
""".split()  # noqa: SIM905 - a list of words reads better without the quotes
KINDS = ["stop", "stop", "stop", "away", "garbage"]


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_any_history_is_judged_as_by_the_naive_inbox(data: st.DataObject) -> None:
    inbox, naive = made(), Naive()
    sent: list[Message] = []
    for step in range(data.draw(st.integers(1, 40), label="steps")):
        what = data.draw(st.sampled_from(WHAT), label="what")
        flow_id = data.draw(st.sampled_from(FLOWS), label="flow")
        if what == "new":
            kind, deliveries = data.draw(st.sampled_from(KINDS)), data.draw(st.sampled_from([1, 1, 1, 3, 4]))
            sent.append(message(f"m{step}", flow_id, kind, sequence=step, deliveries=deliveries))
            same(inbox.receive(sent[-1:]), naive.receive(sent[-1:]))
        elif what == "here":
            same(inbox.flow_is_here(flow_id), naive.flow_is_here(flow_id))
        elif what == "over":
            same(inbox.flow_is_over(flow_id), naive.flow_is_over(flow_id))
        elif what == "unknown":
            same(inbox.flow_is_unknown(flow_id), naive.flow_is_unknown(flow_id))
        elif what == "drop":
            inbox.drop(flow_id)
            naive.drop(flow_id)
        elif what == "defect":
            inbox.flow_has_a_defect(flow_id, f"Traceback {step}")
            naive.flow_has_a_defect(flow_id, f"Traceback {step}")
        elif sent:
            each = data.draw(st.sampled_from(sent), label="message")
            if what == "again":
                same(inbox.receive(sent), naive.receive(sent))
            elif what == "redrive":
                sent[sent.index(each)] = evolve(each, sequence=step, deliveries=1)
                same(inbox.receive(sent), naive.receive(sent))
            elif what == "away":
                if any(each.message_id == other.message_id for other in naive.in_transit):
                    same(inbox.forwarded(each.message_id, "forwarded"), naive.forwarded(each.message_id))
            else:
                same(inbox.settled([each.message_id]), naive.settled([each.message_id]))
        assert [inbox.has_any(name) for name in FLOWS] == [bool(naive.of(name)) for name in FLOWS]


def same(todo: list[Next[Any]], expected: Iterator[Next[Any]]) -> None:
    assert todo == list(expected)


# -- what it costs ----------------------------------------------------------------------------------------------


class Counted(Message):
    """A message that counts how often somebody looks at any message."""

    looks: ClassVar[int] = 0

    def __getattribute__(self, name: str) -> Any:
        Counted.looks += 1
        return super().__getattribute__(name)


def looks(do: Callable[[], Any]) -> int:
    before = Counted.looks
    do()
    return Counted.looks - before


@pytest.mark.parametrize("is_one_flow", [False, True])
def test_a_message_costs_the_same_however_many_are_in_hand(is_one_flow: bool) -> None:
    """Ten thousand children of a loop end together: each has a message or two."""

    def cost(count: int) -> list[int]:
        inbox = made()
        flows = [f"w/{1 if is_one_flow else number}/1" for number in range(count)]
        for number, flow_id in enumerate(flows):
            inbox.receive([Counted(GROUP, str(number), flow_id, "stop", sequence=number + 1)])
        new = Counted(GROUP, "new", "new/1/1", "stop", sequence=count + 1)
        of_new = [
            lambda: inbox.receive([new]),
            lambda: inbox.flow_has_a_defect("new/1/1", "Traceback"),
            lambda: inbox.flow_is_here("new/1/1"),
            lambda: inbox.flow_is_over("new/1/1"),
            lambda: inbox.settled(["new"]),
            lambda: inbox.receive([new]),
            lambda: inbox.settled([str(count // 2)]),
            lambda: inbox.flow_is_over("none/1/1"),
        ]
        costs = [looks(do) for do in of_new]
        if is_one_flow:
            inbox.flow_has_a_defect(flows[0], "Traceback")
            costs += [looks(partial(inbox.settled, [str(number)])) for number in range(3)]
        return costs

    few, many = cost(10), cost(10_000)
    assert few == many
    assert any(few), "looks are counted"
