"""The journal alone: what it refuses by itself, and what it sends again."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.actors.base import BaseActor
from maestro_flow.actors.inline import InlineRuntime
from maestro_flow.actors.messages import Committed
from maestro_flow.actors.services import Held, Write
from maestro_flow.errors import StorageUnavailable
from maestro_flow.model.commit import Commit, Outcome
from maestro_flow.model.leases import Owner
from maestro_flow.model.runs import RunEntry
from maestro_flow.model.status import RunStatus
from maestro_flow.node.health import StoreHealth
from maestro_flow.node.journal import GroupCommitJournal
from maestro_flow.storage.memory import MemoryStorage


class Receiver(BaseActor):
    """Keeps what it is told."""

    def __init__(self, told: list[object]) -> None:
        super().__init__()
        self.told = told

    def handle(self, message: object) -> None:
        self.told.append(message)


class Bench:
    """A journal on a store in memory, with one group."""

    def __init__(self) -> None:
        self.runtime = InlineRuntime(seed=1)
        self.storage = MemoryStorage(self.runtime.clock, groups=1)
        (lease,) = self.storage.claim(Owner("me"), lease_s=10, limit=1)
        self.held = Held(lease, deadline=self.runtime.clock.monotonic() + 10)
        health = StoreHealth(self.runtime.clock, lambda: None)
        self.journal = GroupCommitJournal(self.runtime, self.storage, health, batch_max=100)
        self.journal.open_group(self.held, 0)
        self.told: list[object] = []
        self.ref = self.runtime.spawn(Receiver, self.told)
        self.sent: list[list[Commit]] = []

    def submit(self, flow_id: str) -> None:
        entry = RunEntry(flow_id, "wf", 1, 1, 1, 0, RunStatus.IN_PROGRESS, 0.0)
        self.journal.submit(Write(self.held, self.ref, flow_id, 1, f"c-{flow_id}", events=b"[]", entry=entry))

    def let_pass(self, seconds: float) -> None:
        self.runtime.run(lambda: False, timeout_s=seconds)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    made = Bench()
    commit = made.storage.commit

    def counted(batch: Any) -> Any:
        made.sent.append(list(batch))
        return commit(batch)

    monkeypatch.setattr(made.storage, "commit", counted)
    return made


@pytest.mark.parametrize("why", ["its deadline is over", "the group is lost"])
def test_a_journal_fences_itself_before_the_store_does(bench: Bench, why: str) -> None:
    """The lease is still ours in the store: nobody has claimed the group, and the store would write."""
    bench.submit("a")
    bench.let_pass(1.0)
    if why == "the group is lost":
        bench.held.lost = True
    else:
        bench.runtime.clock.advance(9.0)
    bench.submit("b")
    bench.let_pass(1.0)
    assert bench.told == [Committed(Outcome.DONE), Committed(Outcome.OWNERSHIP_LOST)]
    assert [commit.flow and commit.flow.flow_id for batch in bench.sent for commit in batch] == ["a"]


def test_what_is_sent_again_is_identical_and_nothing_goes_before_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, tries = bench.storage.commit, list[int]()

    def away(batch: Any) -> Any:
        tries.append(len(batch))
        outcomes = commit(batch)
        if len(tries) <= 3:
            bench.submit(f"later-{len(tries)}")
            raise StorageUnavailable("the answer is lost")
        return outcomes

    monkeypatch.setattr(bench.storage, "commit", away)
    bench.submit("a")
    bench.submit("b")
    bench.let_pass(5.0)
    first = bench.sent[0]
    assert bench.sent[:4] == [first] * 4, "the same ids, the same positions"
    assert [flow.position for batch in bench.sent for commit in batch if (flow := commit.flow)][-3:] == [3, 4, 5]
    assert bench.told[:2] == [Committed(Outcome.ALREADY_APPLIED)] * 2
    assert len(bench.storage.read_log(0)) == 5
