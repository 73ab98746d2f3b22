"""Run strategies: every small standing against rules that are written down run by run, and long histories with
takeovers against what each strategy promises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import overload

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maestro_flow.core.strategy import LiveRun, Turn, turn
from maestro_flow.model.definition import RunRule, RunStrategy
from maestro_flow.model.flow_id import FlowId

STRATEGIES = {
    "sequential": RunStrategy(RunRule.SEQUENTIAL, 1),
    "strict_sequential": RunStrategy(RunRule.STRICT_SEQUENTIAL, 1),
    "first_only": RunStrategy(RunRule.FIRST_ONLY, 1),
    "last_only": RunStrategy(RunRule.LAST_ONLY, 1),
    "serial_latest_only": RunStrategy(RunRule.SERIAL_LATEST_ONLY, 1),
    "parallel 2": RunStrategy(RunRule.PARALLEL, 2),
    "parallel": RunStrategy(RunRule.PARALLEL),
}

Standing = dict[LiveRun, str]
"""Live runs by phase: queued, going or ending."""


def run_of(instance_id: int, run_id: int = 1) -> LiveRun:
    return LiveRun.of(str(FlowId("wf", instance_id, run_id)))


def ask(name: str, standing: Standing, *, is_blocked: bool = False) -> Turn:
    queued = sorted(run for run, phase in standing.items() if phase == "queued")
    going = {run for run, phase in standing.items() if phase != "queued"}
    ending = {run for run, phase in standing.items() if phase == "ending"}
    return turn(STRATEGIES[name], queued, going, ending, is_blocked=is_blocked)


def expected(name: str, standing: Standing, run: LiveRun, *, is_blocked: bool) -> str:
    """The oracle: what the table of the reference (3.7) says about one run, whatever becomes of the others."""
    phase = standing[run]
    queued = [other for other, its in standing.items() if its == "queued"]
    going = [other for other, its in standing.items() if its != "queued"]
    before = [other for other in queued if other < run]
    after = [other for other in queued if other > run]
    if name == "last_only":
        newer = [other for other, its in standing.items() if other > run and its != "ending"]
        if newer:
            return "displace" if phase != "ending" else ""
        return "launch" if phase == "queued" and not going else ""
    if phase != "queued":
        return ""
    if name == "first_only":
        return "displace" if going or before else "launch"
    if name == "serial_latest_only":
        return "displace" if after else "" if going else "launch"
    if name == "strict_sequential" and is_blocked:
        return ""
    limit = {"parallel 2": 2, "parallel": 99}.get(name, 1)
    return "launch" if len(going) + len(before) < limit else ""


@pytest.mark.parametrize("is_blocked", [False, True])
@pytest.mark.parametrize("name", STRATEGIES)
def test_every_standing_of_four_runs_is_answered_as_the_rules_say(name: str, *, is_blocked: bool) -> None:
    places = [run_of(3), run_of(3, 2), run_of(9), run_of(10)]
    for phases in product(["", "queued", "going", "ending"], repeat=len(places)):
        standing = {run: phase for run, phase in zip(places, phases, strict=True) if phase}
        answer = ask(name, standing, is_blocked=is_blocked)
        wanted = {run: expected(name, standing, run, is_blocked=is_blocked) for run in standing}
        assert {run for run, what in wanted.items() if what == "launch"} == set(answer.launch), standing
        assert {run for run, what in wanted.items() if what == "displace"} == set(answer.displace), standing
        assert list(answer.launch) == sorted(answer.launch)
        assert answer.reason or not answer.displace
        carry_out(standing, answer)
        again = ask(name, standing, is_blocked=is_blocked)
        assert not again.launch, "what was launched is not launched again, and nothing else is"
        assert not again.displace


def carry_out(standing: Standing, answer: Turn) -> None:
    for run in answer.launch:
        assert standing[run] == "queued"
        standing[run] = "going"
    for run in answer.displace:
        if standing[run] == "queued":
            del standing[run]
        else:
            standing[run] = "ending"


@pytest.mark.parametrize(
    ("name", "standing", "reason"),
    [
        ("first_only", {run_of(4): "going", run_of(5): "queued"}, "run strategy FIRST_ONLY: instance 4 has not ended"),
        ("first_only", {run_of(4): "queued", run_of(5): "queued"}, "run strategy FIRST_ONLY: instance 4 has not ended"),
        ("last_only", {run_of(4): "going", run_of(5): "queued"}, "run strategy LAST_ONLY: instance 5 is newer"),
        (
            "serial_latest_only",
            {run_of(4): "queued", run_of(5, 2): "queued"},
            "run strategy SERIAL_LATEST_ONLY: run 2 of instance 5 is newer",
        ),
    ],
)
def test_a_displaced_run_is_told_in_favour_of_which_run(name: str, standing: Standing, reason: str) -> None:
    assert ask(name, standing).reason == reason


class LongQueue(Sequence[LiveRun]):
    """A long queue that counts how many of its runs somebody looks at."""

    def __init__(self, length: int) -> None:
        self.length, self.looks = length, 0

    def __len__(self) -> int:
        return self.length

    @overload
    def __getitem__(self, index: int) -> LiveRun: ...
    @overload
    def __getitem__(self, index: slice) -> list[LiveRun]: ...
    def __getitem__(self, index: int | slice) -> LiveRun | list[LiveRun]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(self.length))]
        self.looks += 1
        return run_of(index % self.length + 2)


@pytest.mark.parametrize("name", ["sequential", "strict_sequential", "parallel 2"])
def test_a_long_queue_is_not_walked(name: str) -> None:
    queue = LongQueue(1_000_000)
    assert not turn(STRATEGIES[name], queue, {run_of(1), run_of(0)}).launch
    assert queue.looks == 0
    assert turn(STRATEGIES[name], queue, set()).launch[0] == run_of(2)
    assert queue.looks <= 3


class History:
    """A workflow's life: what is true in the store, and what its owner knows and has asked for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.truth: Standing = {}
        self.asked: dict[LiveRun, str] = {}
        self.launched: list[LiveRun] = []
        self.displaced: list[LiveRun] = []
        self.blocking: set[LiveRun] = set()
        self.started = 0

    @property
    def standing(self) -> Standing:
        """What the owner goes by: an order that is not durable yet counts as carried out."""
        known = dict(self.truth)
        for run, order in self.asked.items():
            if order == "launch" and known.get(run) == "queued":
                known[run] = "going"
        for run, order in self.asked.items():
            if order == "displace" and run in known:
                if known[run] == "queued":
                    del known[run]
                else:
                    known[run] = "ending"
        return known

    def decide(self) -> None:
        is_strict = self.name == "strict_sequential"
        answer = ask(self.name, self.standing, is_blocked=is_strict and bool(self.blocking))
        if self.name == "first_only" and self.truth:
            # What is active stays, even if a run before it is still queued: its end was ordered by an owner that died.
            active = [run for run, phase in self.truth.items() if phase != "queued"]
            assert min(active or self.truth) not in answer.displace
        self.asked |= dict.fromkeys(answer.launch, "launch")
        for run in answer.displace:
            self.asked[run] = "displace"
            if self.truth[run] == "queued" and self.standing.get(run) is None:
                self.displaced.append(run)

    def start(self) -> None:
        self.started += 1
        self.truth[run_of(self.started)] = "queued"

    def write(self, run: LiveRun) -> None:
        """What was asked of the run becomes durable."""
        order = self.asked.pop(run)
        if order == "launch":
            self.truth[run] = "going"
            self.launched.append(run)
        elif self.truth[run] == "queued":
            del self.truth[run]
        else:
            self.truth[run] = "ending"

    def end(self, run: LiveRun, *, failed: bool) -> None:
        del self.truth[run]
        self.asked.pop(run, None)
        if failed:
            self.blocking.add(run)

    def check(self) -> None:
        going = [run for run, phase in self.truth.items() if phase != "queued"]
        limit = {"parallel 2": 2, "parallel": 1000}.get(self.name, 1)
        assert len(going) <= limit
        if self.name in ("sequential", "strict_sequential"):
            assert self.launched == sorted(self.launched), "instance order"
        if self.name in ("sequential", "strict_sequential", "parallel 2", "parallel"):
            assert not self.displaced

    def finish(self) -> None:
        """Let everything that can happen without a user happen."""
        for _ in range(10 * self.started + 10):
            self.decide()
            self.check()
            if self.asked:
                self.write(min(self.asked))
            elif going := [run for run, phase in self.truth.items() if phase != "queued"]:
                self.end(going[0], failed=False)
            elif self.blocking:
                self.blocking.clear()
        assert not self.truth, "nothing waits for ever"


@settings(max_examples=300, deadline=None)
@given(data=st.data(), name=st.sampled_from(sorted(STRATEGIES)))
def test_what_a_strategy_promises_holds_through_any_history(data: st.DataObject, name: str) -> None:
    history = History(name)
    was_stopped = False
    for _ in range(data.draw(st.integers(1, 40))):
        what = data.draw(st.sampled_from(["start", "start", "write", "write", "end", "fail", "stop", "take over"]))
        going = sorted(run for run, phase in history.truth.items() if phase != "queued")
        if what == "start":
            history.start()
        elif what == "write" and history.asked:
            history.write(data.draw(st.sampled_from(sorted(history.asked))))
        elif what in ("end", "fail") and going:
            history.end(data.draw(st.sampled_from(going)), failed=what == "fail")
        elif what == "stop" and history.truth:
            was_stopped = True
            history.end(data.draw(st.sampled_from(sorted(history.truth))), failed=False)
        elif what == "take over":
            history.asked.clear()  # all that the old owner had asked for and not written is forgotten
        if data.draw(st.booleans()):
            history.decide()
        history.check()
    history.finish()
    if name in ("last_only", "serial_latest_only") and history.started and not was_stopped:
        # An end that a dying owner had asked for, and that was not written, may come too late to be asked for again.
        assert run_of(history.started) in history.launched, "the newest runs, whoever is displaced"
    if name == "first_only" and history.started and not was_stopped:
        assert history.launched[0] == run_of(1)
