"""The next run of an instance, instead of a new instance."""

from __future__ import annotations

from functools import partial
from itertools import cycle

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import Conflict, NotFound
from maestro_flow.model.runs import PendingRun, RunEntry, StartRequest
from maestro_flow.model.status import RunStatus
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.conformance.node import Node
from maestro_flow.storage.conformance.threads import at_once
from maestro_flow.storage.protocol import RunQuery, Storage

__all__ = ["Restarts"]

_THREADS = 6
_ROUNDS = 5


class Restarts(Concern):
    """A restart can only follow the latest run of its instance, and is idempotent like any start (PROTOCOL 18)."""

    @pytest.fixture
    def ended(self, store: Storage) -> Storage:
        """The store, with a second version of the workflow w, and instances 1 and 2 of the first."""
        store.push("w", b"1")
        store.start([StartRequest("w", "r1", 5), StartRequest("w", "r2", 5)])
        store.push("w", b"2")
        return store

    def test_a_restart_is_the_next_run_of_the_instance_and_of_its_version(
        self, clock: ManualClock, ended: Storage
    ) -> None:
        """PROTOCOL 18, 19: in the group that was chosen for it."""
        clock.advance(60)
        (run,) = ended.start([StartRequest("w", "again", 7, body=b"[1]", after=(1, 1))])
        assert run == PendingRun("w/1/2", "w", 1, 1, 2, 7, "again", b"[1]", clock.time(), fresh=True)
        assert [given.flow_id for given in ended.pending_starts(7)] == ["w/1/2"]
        assert ended.run("w/1/2") == RunEntry("w/1/2", "w", 1, 1, 2, 7, RunStatus.CREATED, clock.time())

    def test_a_restart_does_not_use_up_an_instance_number(self, ended: Storage) -> None:
        """PROTOCOL 18: instances have no gaps, also if a call has both, the restart last."""
        runs = ended.start([StartRequest("w", "r3", 0), StartRequest("w", "again", 0, after=(1, 1))])
        runs += ended.start([StartRequest("w", "r4", 0)])
        assert [run.flow_id for run in runs] == ["w/3/1", "w/1/2", "w/4/1"]

    def test_a_restart_of_a_restart_follows_it(self, ended: Storage) -> None:
        """PROTOCOL 18: runs of an instance are numbered without gaps, also beyond 9."""
        made = [ended.start([StartRequest("w", f"again{n}", 0, after=(2, n))])[0].flow_id for n in range(1, 12)]
        assert made == [f"w/2/{n}" for n in range(2, 13)]

    def test_a_restart_may_use_another_version(self, ended: Storage) -> None:
        """PROTOCOL 18."""
        (run,) = ended.start([StartRequest("w", "again", 0, version=2, after=(1, 1))])
        (next_one,) = ended.start([StartRequest("w", "and again", 0, after=(1, 2))])
        assert (run.version, next_one.version) == (2, 2)

    def test_the_same_restart_again_is_the_same_run(self, ended: Storage) -> None:
        """PROTOCOL 18: also if another one has followed it since."""
        first = StartRequest("w", "again", 5, after=(1, 1))
        (made,) = ended.start([first])
        ended.start([StartRequest("w", "and again", 5, after=(1, 2))])
        (answer,) = ended.start([StartRequest("w", "again", 6, after=(1, 1))])
        assert (answer.flow_id, answer.group_id, answer.created_at) == ("w/1/2", 5, made.created_at)
        assert (made.fresh, answer.fresh) == (True, False)

    def test_the_same_restart_twice_in_one_call_is_one_run(self, ended: Storage) -> None:
        """PROTOCOL 18."""
        runs = ended.start([StartRequest("w", "again", 0, after=(1, 1))] * 2)
        assert [(run.flow_id, run.fresh) for run in runs] == [("w/1/2", True), ("w/1/2", False)]

    @pytest.mark.parametrize("after", [None, (2, 1), (1, 2), (1, 0)])
    def test_the_same_request_id_after_another_run_is_a_conflict(
        self, ended: Storage, after: tuple[int, int] | None
    ) -> None:
        """PROTOCOL 18: it requests a different run."""
        ended.start([StartRequest("w", "again", 0, after=(1, 1))])
        with pytest.raises(Conflict, match="w/1/2"):
            ended.start([StartRequest("w", "again", 0, after=after)])

    @pytest.mark.parametrize("after", [(1, 1), (1, 0), (0, 1)])
    def test_the_request_id_of_a_new_instance_cannot_be_used_for_a_restart(
        self, ended: Storage, after: tuple[int, int]
    ) -> None:
        """PROTOCOL 18."""
        with pytest.raises(Conflict, match="w/1/1"):
            ended.start([StartRequest("w", "r1", 0, after=after)])

    def test_only_the_latest_run_can_be_followed(self, ended: Storage) -> None:
        """PROTOCOL 18: the error names the run that has followed it."""
        ended.start([StartRequest("w", "again", 0, after=(1, 1))])
        with pytest.raises(Conflict, match="w/1/2"):
            ended.start([StartRequest("w", "another", 0, after=(1, 1))])
        assert ended.run("w/1/3") is None

    @pytest.mark.parametrize("after", [(1, 2), (1, 0), (1, -1), (3, 1), (0, 1), (-1, 1)])
    def test_a_run_without_a_start_is_not_found(self, ended: Storage, after: tuple[int, int]) -> None:
        """PROTOCOL 18."""
        with pytest.raises(NotFound, match=f"w/{after[0]}/{after[1]}"):
            ended.start([StartRequest("w", "again", 0, after=after)])

    def test_a_run_that_only_commits_have_created_is_not_found(self, node: Node) -> None:
        """PROTOCOL 18: the catalog cannot continue from a run that it does not have."""
        node.commit(node.write("w/1/1", 1, status=RunStatus.FAILED))
        node.store.push("w", b"{}")
        with pytest.raises(NotFound, match="w/1/1"):
            node.store.start([StartRequest("w", "again", 0, after=(1, 1))])

    @pytest.mark.parametrize(("workflow_id", "version"), [("v", None), ("w", 3), ("w", 0)])
    def test_a_restart_of_what_is_not_in_the_catalog_is_not_found(
        self, ended: Storage, workflow_id: str, version: int | None
    ) -> None:
        """PROTOCOL 18."""
        with pytest.raises(NotFound, match=workflow_id):
            ended.start([StartRequest(workflow_id, "again", 0, version=version, after=(1, 1))])

    def test_restarts_of_one_call_are_all_or_nothing(self, ended: Storage) -> None:
        """PROTOCOL 18: two restarts of the same run exclude each other, and the call leaves nothing behind."""
        both = [StartRequest("w", name, 0, after=(1, 1)) for name in ("a", "b")]
        with pytest.raises(Conflict, match="w/1/2"):
            ended.start([StartRequest("w", "r3", 0), *both])
        assert (ended.pending_starts(0), ended.run("w/1/2"), ended.run("w/3/1")) == ([], None, None)
        (run,) = ended.start(both[1:])
        assert (run.flow_id, run.request_id) == ("w/1/2", "b")

    def test_a_call_may_restart_what_it_has_created_itself(self, ended: Storage) -> None:
        """PROTOCOL 18: each request sees what the ones before it have created."""
        afters = (None, (3, 1), (3, 2))
        runs = ended.start([StartRequest("w", f"x{after}", 0, after=after) for after in afters])
        assert [(run.flow_id, run.version) for run in runs] == [("w/3/1", 2), ("w/3/2", 2), ("w/3/3", 2)]

    def test_the_latest_run_of_an_instance_is_listed_first_whatever_the_clock_says(
        self, clock: ManualClock, ended: Storage
    ) -> None:
        """PROTOCOL 15, 18: also for equal times and beyond run 9, where ids do not sort by number."""
        for number in range(1, 12):
            ended.start([StartRequest("w", f"again{number}", 0, after=(1, number))])
        entries = ended.list_runs(RunQuery(workflow_id="w", instance_id=1))
        assert [entry.run_id for entry in entries] == list(range(12, 0, -1))
        assert entries[0].created_at - clock.time() < 0.001
        page = RunQuery(workflow_id="w", instance_id=1, limit=2, before=(entries[2].created_at, entries[2].flow_id))
        assert [entry.run_id for entry in ended.list_runs(page)] == [9, 8]

    def test_one_of_two_concurrent_restarts_wins(self, ended: Storage, second: Storage) -> None:
        """PROTOCOL 18: the losers' errors name the winner, and repeating the winner's request yields its run."""

        def restart(through: Storage, name: str, run_id: int) -> str:
            """The resulting run, or the message of the conflict."""
            try:
                (run,) = through.start([StartRequest("w", f"{name} {run_id}", 0, after=(1, run_id))])
            except Conflict as conflict:
                return str(conflict)
            return run.flow_id

        names = [f"t{number // 2}" for number in range(_THREADS)]  # each asks twice
        for run_id in range(1, _ROUNDS + 1):
            handles = zip(cycle((ended, second)), names, strict=False)
            answers = at_once(*(partial(restart, through, name, run_id) for through, name in handles))
            made = f"w/1/{run_id + 1}"
            assert answers.count(made) == 2
            assert all(made in answer for answer in answers)
            assert ended.run(f"w/1/{run_id + 2}") is None

    def test_restarts_and_new_instances_at_once_leave_no_gap(self, ended: Storage, second: Storage) -> None:
        """PROTOCOL 18: one counts instances, the other runs, and neither resets the other's count."""

        def start_some(through: Storage) -> list[int]:
            return [through.start([StartRequest("w", f"new{n}", 0)])[0].instance_id for n in range(_ROUNDS)]

        def restart_some(through: Storage) -> list[int]:
            requests = [StartRequest("w", f"again{n}", 0, after=(1, n)) for n in range(1, _ROUNDS + 1)]
            return [through.start([request])[0].run_id for request in requests]

        instances, runs = at_once(partial(start_some, ended), partial(restart_some, second))
        assert instances == list(range(3, _ROUNDS + 3))
        assert runs == list(range(2, _ROUNDS + 2))
