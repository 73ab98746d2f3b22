"""Permits: what the permit flow decides, against an oracle that looks at every request each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.evolve import IllegalEvent
from maestro_flow.core.permits.decide import FORGONE_S, PermitMessage, carried_over, decide
from maestro_flow.core.permits.state import PermitState, evolve
from maestro_flow.core.permits.tags import permits_of
from maestro_flow.model.definition import Tag, TypedStep, WorkflowDefinition
from maestro_flow.model.log import LogRecord
from maestro_flow.model.permit_events import (
    PERMIT_EVENTS,
    PermitEvent,
    PermitsCarriedOn,
    PermitsForgone,
    PermitsGranted,
    PermitsReleased,
    PermitsRequested,
)
from maestro_flow.model.permits import PermitLimit, PermitRelease, PermitRequest
from maestro_flow.system.permits import PERMIT_FLOW

EVENTS_MAX = 200


def ask(number: int, **permits: int) -> PermitMessage:
    return PermitMessage(f"{number}/request", PermitRequest("w/1/1", f"s{number}", 1, permits, group=0))


def give_back(number: int) -> PermitMessage:
    return PermitMessage(f"{number}/release", PermitRelease("w/1/1", f"s{number}", 1))


def limit(tag: str, count: int | None) -> PermitMessage:
    return PermitMessage(f"{tag}={count}", PermitLimit(tag, count))


class Office:
    """A permit flow with its log; ``handle`` returns the numbers of the requests that were granted."""

    def __init__(self, events_max: int = EVENTS_MAX) -> None:
        self.state = PermitState("maestro_permits/1/1")
        self.log: list[LogRecord] = []
        self.now = 0.0
        self.events_max = events_max
        self.settled: list[str] = []

    def handle(self, *messages: PermitMessage) -> list[int]:
        granted: list[str] = []
        rest: Sequence[PermitMessage] = messages
        while True:
            decision = decide(self.state, rest, self.now, self.events_max)
            granted += [event.requester for event in decision.events if isinstance(event, PermitsGranted)]
            self.settled += [settlement.message_id for settlement in decision.settles]
            self.record(*decision.events)
            rest = decision.rest
            if not rest and not decision.is_full:
                return [int(requester.split("/")[3][1:]) for requester in granted]

    def record(self, *events: PermitEvent) -> None:
        if events:
            self.state.recorded(len(events), self.now)
            revision, body = self.state.revision, PERMIT_EVENTS.encode(events)
            self.log.append(
                LogRecord(self.state.flow_id, revision, 0, 1, "owner", revision, "id", self.state.at, 2, body)
            )


def facts(state: PermitState) -> tuple[object, ...]:
    return state.limits, list(state.requesters.items()), state.forgone, state.held, state.next_number


# -- rules ------------------------------------------------------------------------------------------------------


def test_all_tags_are_granted_together_and_later_requests_pass_a_blocked_one() -> None:
    office = Office()
    assert office.handle(ask(1, a=1)) == [1]
    assert office.handle(ask(2, a=1, b=1)) == [], "b alone would be free"
    assert office.handle(ask(3, b=1)) == [3], "it passes: 2 keeps nothing"
    assert office.handle(give_back(1)) == [], "b is not free now"
    assert office.handle(give_back(3)) == [2]
    assert office.state.held == {"a": 1, "b": 1}


def test_the_one_that_has_waited_longest_is_next_among_different_tag_sets() -> None:
    office = Office()
    assert office.handle(ask(1, a=1), ask(2, b=1), ask(3, a=1, b=1), ask(4, b=1), ask(5, a=1)) == [1, 2]
    assert office.handle(give_back(1), give_back(2)) == [5, 4]
    assert office.handle(give_back(4)) == []
    assert office.handle(give_back(5)) == [3]


def test_what_comes_again_changes_nothing() -> None:
    office = Office()
    office.handle(ask(1, a=1), ask(2, a=1))
    revision = office.state.revision
    assert office.handle(ask(1, a=1), ask(2, a=1), limit("b", None)) == []
    assert office.state.revision == revision
    assert office.settled == ["1/request", "2/request", "1/request", "2/request", "b=None"], "each is answered"


def test_the_release_of_a_request_that_waits_ends_its_waiting() -> None:
    office = Office()
    office.handle(ask(1, a=1), ask(2, a=1), ask(3, a=1), ask(4, a=1))
    assert office.handle(give_back(3), give_back(2)) == []
    assert office.handle(give_back(1)) == [4]


def test_a_release_before_its_request_leaves_no_permit_held() -> None:
    office = Office()
    assert office.handle(give_back(1), give_back(1)) == []
    assert office.handle(ask(1, a=1)) == []
    assert (office.state.requesters, office.state.held, office.state.forgone) == ({}, {}, {})


def test_the_limit_of_a_user_counts_instead_of_that_of_a_definition() -> None:
    office = Office()
    office.handle(limit("a", 0))
    assert office.handle(ask(1, a=3), ask(2, a=3), ask(3, a=3)) == []
    assert office.handle(limit("a", 1)) == [1]
    assert office.handle(limit("a", None)) == [2, 3]
    office.handle(limit("a", 1), ask(4, a=3))
    assert office.handle(give_back(1), give_back(2)) == [], "a holder keeps its permit, so it takes time"
    assert office.handle(give_back(3)) == [4]


def test_definitions_that_disagree_are_each_taken_at_their_word() -> None:
    office = Office()
    assert office.handle(ask(1, a=1), ask(2, a=1), ask(3, a=3), ask(4, a=3), ask(5, a=3)) == [1, 3, 4]
    assert office.handle(give_back(3)) == [5]
    assert office.handle(give_back(1), give_back(4)) == []
    assert office.handle(give_back(5)) == [2]


def test_a_decision_of_bounded_size_continues_where_it_stopped() -> None:
    office = Office(events_max=3)
    office.handle(*[ask(number, a=0) for number in range(10)])
    assert office.handle(limit("a", 8), ask(10, a=0)) == list(range(8))
    assert max(len(record.events.split(b"kind")) - 1 for record in office.log) <= 4


@pytest.mark.parametrize("tag_sets", [1, 10_000])
def test_ten_thousand_waiting_requests_are_let_through_one_by_one(tag_sets: int) -> None:
    """Looking at each of them for each that is let through would take minutes."""
    count, office = 10_000, Office()
    office.handle(ask(0, a=1))
    office.handle(*[ask(number, a=1, **{f"b{number % tag_sets}": 1}) for number in range(1, count)])
    seen = [office.handle(give_back(number)) for number in range(count)]
    assert seen == [[number] for number in range(1, count)] + [[]]


def test_a_run_of_the_permit_flow_carries_all_of_it_over_to_the_next() -> None:
    office = Office()
    office.handle(limit("a", 1), ask(1, a=2, b=1), ask(2, a=2), give_back(8))
    office.now = 100.0
    office.handle(give_back(9))
    event = carried_over(office.state, FORGONE_S + 50.0)
    heir = PermitState("maestro_permits/1/2")
    evolve(heir, event, FORGONE_S + 50.0)
    evolve(office.state, PermitsCarriedOn(heir.flow_id), FORGONE_S + 50.0)
    assert list(heir.forgone) == ["w/1/1/s9/1"], "the other one is too old to matter"
    office.state.forgone = dict(heir.forgone)
    assert facts(heir) == facts(office.state)
    assert PermitsGranted("w/1/1/s2/1") in decide(heir, [give_back(1)], 0.0, EVENTS_MAX).events
    with pytest.raises(IllegalEvent, match="the next run has taken over"):
        decide(office.state, [give_back(1)], 0.0, EVENTS_MAX)


def test_a_log_that_contradicts_itself_is_refused() -> None:
    office = Office()
    office.handle(ask(1, a=1))
    with pytest.raises(IllegalEvent, match="does not fit"):
        evolve(office.state, PermitsGranted("w/1/1/s1/1"), 0.0)
    with pytest.raises(IllegalEvent, match="revision 1 follows 1"):
        PERMIT_FLOW.fold("maestro_permits/1/1", [*office.log, *office.log])


def test_the_log_of_earlier_versions_is_read_and_written() -> None:
    """In it a requester is called a claim."""
    claim = b'{"number":1,"permits":{"a":1},"group":3,"since":2.0}'
    log = (
        b'[{"kind":"permits_carried_over","limits":{},"claims":{"w/1/1/s/1":' + claim + b'},"forgone":{},'
        b'"next_number":2},{"kind":"claim_queued","claim":"w/2/1/s/1","permits":{"a":1},"group":3},'
        b'{"kind":"claim_granted","claim":"w/1/1/s/1"},{"kind":"claim_released","claim":"w/1/1/s/1"},'
        b'{"kind":"claim_forgone","claim":"w/3/1/s/1"}]'
    )
    events = PERMIT_EVENTS.decode(log)
    assert events[1:] == (
        PermitsRequested("w/2/1/s/1", {"a": 1}, 3),
        PermitsGranted("w/1/1/s/1"),
        PermitsReleased("w/1/1/s/1"),
        PermitsForgone("w/3/1/s/1"),
    )
    assert PERMIT_EVENTS.encode(events) == log


def test_only_tags_with_a_permit_and_the_step_concurrency_need_permits() -> None:
    step = TypedStep("s", "Test", tags=(Tag("plain"), Tag("db", permit=3), Tag("db", permit=2)))
    assert permits_of(WorkflowDefinition("w", (step,)), step) == {"db": 2}
    plain = TypedStep("p", "Test", tags=(Tag("plain"),))
    assert permits_of(WorkflowDefinition("w", (plain,)), plain) == {}
    limited = WorkflowDefinition("w", (step, plain), step_concurrency=5, tags=(Tag("all", permit=9), Tag("text")))
    assert permits_of(limited, plain) == {"all": 9, "maestro_w": 5}


# -- any order --------------------------------------------------------------------------------------------------


class Oracle:
    """The rules by brute force: after each message, look at all that wait, the oldest first."""

    def __init__(self) -> None:
        self.limits: dict[str, int] = {}
        self.waiting: dict[int, dict[str, int]] = {}
        self.holding: dict[int, dict[str, int]] = {}
        self.forgone: set[int] = set()

    def room(self, permits: dict[str, int]) -> bool:
        held = Counter(tag for tags in self.holding.values() for tag in tags)
        return all(held[tag] < self.limits.get(tag, count) for tag, count in permits.items())

    def handle(self, message: PermitMessage) -> list[int]:
        body = message.body
        if isinstance(body, PermitLimit):
            self.limits = {tag: count for tag, count in self.limits.items() if tag != body.tag}
            self.limits |= {} if body.limit is None else {body.tag: body.limit}
        else:
            number = int(body.step[1:])
            is_known = number in self.waiting or number in self.holding
            if isinstance(body, PermitRelease):
                self.waiting.pop(number, None)
                self.holding.pop(number, None)
                self.forgone |= set() if is_known else {number}
            elif number in self.forgone:
                self.forgone.remove(number)
            elif not is_known:
                self.waiting[number] = body.permits
        granted = []
        for number, permits in list(self.waiting.items()):
            if self.room(permits):
                self.holding[number] = self.waiting.pop(number)
                granted.append(number)
        return granted


TAGS = st.sampled_from("abcd")
PERMITS = st.dictionaries(TAGS, st.integers(0, 3), max_size=3)


@st.composite
def all_messages(draw: st.DrawFn) -> list[PermitMessage]:
    """Requests, releases, repeated or too early, and limits; a request asks for the same each time."""
    wanted = draw(st.lists(PERMITS, min_size=1, max_size=12))
    number = st.integers(0, len(wanted) - 1)
    letter = st.one_of(
        number.map(lambda n: ask(n, **wanted[n])),
        number.map(give_back),
        st.builds(limit, TAGS, st.none() | st.integers(0, 3)),
    )
    return draw(st.lists(letter, max_size=60))


@settings(max_examples=500, deadline=None)
@given(messages=all_messages(), data=st.data())
def test_any_order_of_messages_is_decided_as_by_the_oracle(messages: list[PermitMessage], data: st.DataObject) -> None:
    office, oracle = Office(data.draw(st.sampled_from([1, 2, EVENTS_MAX]), label="events_max")), Oracle()
    while messages:
        size = data.draw(st.integers(1, len(messages)), label="size")
        batch, messages = messages[:size], messages[size:]
        granted = office.handle(*batch)
        assert granted == [number for letter in batch for number in oracle.handle(letter)]
        state = office.state
        if data.draw(st.booleans(), label="takeover"):
            office.state = PERMIT_FLOW.fold(state.flow_id, office.log)
            assert facts(office.state) == facts(state)
        elif data.draw(st.booleans(), label="next run"):
            office.state, office.log = PermitState("maestro_permits/1/2"), []
            event = carried_over(state, state.at)
            evolve(office.state, event, state.at)
            office.record(event)
            assert facts(office.state) == facts(state)


@settings(max_examples=200, deadline=None)
@given(messages=all_messages())
def test_no_tag_is_held_more_often_than_its_limit_when_a_request_is_granted(messages: list[PermitMessage]) -> None:
    state = PermitState("maestro_permits/1/1")
    for message in messages:
        for sent in decide(state, [message], 0.0, EVENTS_MAX).sends:
            for tag, count in state.requesters[sent.message_id.removesuffix("/granted")].permits.items():
                assert state.held[tag] <= state.limits.get(tag, count)
