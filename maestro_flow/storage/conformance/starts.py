"""Step (a) of a start: a number, a group and an answer."""

from __future__ import annotations

import pytest

from maestro_flow.clock import ManualClock
from maestro_flow.errors import Conflict, NotFound, StorageError
from maestro_flow.model.runs import PendingRun, StartRequest
from maestro_flow.storage.conformance.base import Concern
from maestro_flow.storage.protocol import Storage

__all__ = ["Starts"]


class Starts(Concern):
    """One step, idempotent by request id (PROTOCOL 18), which decides the group once (PROTOCOL 19)."""

    @pytest.fixture
    def catalog(self, store: Storage) -> Storage:
        """The store, with two versions of the workflow w."""
        store.push("w", b"1")
        store.push("w", b"2")
        return store

    def test_a_start_creates_a_run_with_number_group_and_body(self, clock: ManualClock, catalog: Storage) -> None:
        """PROTOCOL 18."""
        (run,) = catalog.start([StartRequest("w", "r1", 5, body='{"a":"ö"}'.encode())])
        assert run == PendingRun(
            flow_id="w/1/1",
            workflow_id="w",
            version=2,
            instance_id=1,
            run_id=1,
            group_id=5,
            request_id="r1",
            body='{"a":"ö"}'.encode(),
            created_at=clock.time(),
            fresh=True,
        )

    def test_instances_are_numbered_densely_for_each_workflow(self, catalog: Storage) -> None:
        """PROTOCOL 18: within a call and across calls."""
        catalog.push("v", b"1")
        requests = [StartRequest(name, f"r{number}", 0) for number in range(3) for name in ("v", "w")]
        runs = [*catalog.start(requests[:4]), *catalog.start(requests[4:])]
        assert [run.flow_id for run in runs] == ["v/1/1", "w/1/1", "v/2/1", "w/2/1", "v/3/1", "w/3/1"]

    def test_the_same_request_again_is_the_same_run_in_the_group_chosen_first(
        self, clock: ManualClock, catalog: Storage
    ) -> None:
        """PROTOCOL 18, 19: placement is never recomputed; only the first answer is fresh."""
        (first,) = catalog.start([StartRequest("w", "r1", 5)])
        clock.advance(60)
        (again,) = catalog.start([StartRequest("w", "r1", 6)])
        assert (again.flow_id, again.group_id, again.created_at) == ("w/1/1", 5, first.created_at)
        assert (first.fresh, again.fresh) == (True, False)

    def test_the_same_request_twice_in_one_call_is_one_run(self, catalog: Storage) -> None:
        """PROTOCOL 18."""
        runs = catalog.start([StartRequest("w", "r1", 0), StartRequest("w", "r1", 0), StartRequest("w", "r2", 0)])
        assert [(run.flow_id, run.fresh) for run in runs] == [("w/1/1", True), ("w/1/1", False), ("w/2/1", True)]

    def test_the_same_request_id_for_another_workflow_is_another_run(self, catalog: Storage) -> None:
        """PROTOCOL 18: idempotent by workflow and request."""
        catalog.push("v", b"1")
        runs = catalog.start([StartRequest("w", "r1", 0), StartRequest("v", "r1", 0)])
        assert [run.flow_id for run in runs] == ["w/1/1", "v/1/1"]

    def test_a_request_keeps_its_version_when_a_newer_one_is_pushed(self, catalog: Storage) -> None:
        """PROTOCOL 18: the first call decided what "the latest" is."""
        catalog.start([StartRequest("w", "r1", 0)])
        catalog.push("w", b"3")
        assert [run.version for run in catalog.start([StartRequest("w", "r1", 0), StartRequest("w", "r2", 0)])] == [
            2,
            3,
        ]

    def test_an_earlier_version_can_be_started(self, catalog: Storage) -> None:
        """PROTOCOL 18."""
        (run,) = catalog.start([StartRequest("w", "r1", 0, version=1)])
        assert run.version == 1
        (again,) = catalog.start([StartRequest("w", "r1", 0)])
        assert again.version == 1

    def test_the_same_request_id_with_another_body_is_a_conflict(self, catalog: Storage) -> None:
        """PROTOCOL 18."""
        catalog.start([StartRequest("w", "r1", 0, body=b"1")])
        with pytest.raises(Conflict, match="w/1/1"):
            catalog.start([StartRequest("w", "r1", 0, body=b"2")])

    def test_the_same_request_id_with_another_version_is_a_conflict(self, catalog: Storage) -> None:
        """PROTOCOL 18."""
        catalog.start([StartRequest("w", "r1", 0)])
        with pytest.raises(Conflict, match="w/1/1"):
            catalog.start([StartRequest("w", "r1", 0, version=1)])
        assert catalog.start([StartRequest("w", "r1", 0, version=2)])[0].flow_id == "w/1/1"

    @pytest.mark.parametrize(("workflow_id", "version"), [("v", None), ("v", 1), ("w", 3), ("w", 0), ("w", -1)])
    def test_what_is_not_in_the_catalog_is_not_found(
        self, catalog: Storage, workflow_id: str, version: int | None
    ) -> None:
        """PROTOCOL 18."""
        with pytest.raises(NotFound, match=workflow_id):
            catalog.start([StartRequest(workflow_id, "r1", 0, version=version)])

    def test_starts_of_one_call_are_all_or_nothing(self, catalog: Storage) -> None:
        """PROTOCOL 18: and an unused number is used next."""
        with pytest.raises(NotFound):
            catalog.start([StartRequest("w", "r1", 0), StartRequest("nowhere", "r2", 0)])
        with pytest.raises(Conflict):
            catalog.start([StartRequest("w", "r1", 0, body=b"1"), StartRequest("w", "r1", 0, body=b"2")])
        assert catalog.pending_starts(0) == []
        assert catalog.run("w/1/1") is None
        assert [run.flow_id for run in catalog.start([StartRequest("w", "r1", 0, body=b"3")])] == ["w/1/1"]

    def test_a_start_in_a_group_that_does_not_exist_is_an_error(self, catalog: Storage) -> None:
        """PROTOCOL 19: no owner would ever run it."""
        with pytest.raises(StorageError, match="no group"):
            catalog.start([StartRequest("w", "r1", catalog.group_count)])
        assert catalog.run("w/1/1") is None
