"""A short lease under load, on each store: the renewals are in time, because they wait for nobody's work."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from maestro_flow import Engine, RunStatus, Workflow
from tests.engine.test_backends import postgres_url, redis_url, sqlite_url

RUNS = 1000
PATIENCE_S = 120.0


@pytest.mark.parametrize("make_url", [sqlite_url, postgres_url, redis_url], ids=["sqlite", "postgres", "redis"])
def test_a_lease_of_a_second_is_never_lost_during_a_thousand_runs(
    make_url: Callable[[pytest.FixtureRequest], str], request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    wf = Workflow("load")

    @wf.step
    def first() -> int:
        return 1

    @wf.step(after=first)
    def second(first: int) -> int:
        return first + 1

    wf.add("third", type="NoOp", after="second")
    with Engine(make_url(request), lease_s=1.0) as engine:
        engine.push(wf)
        runs = engine.start_many("load", [{}] * RUNS)
        assert {run.wait(PATIENCE_S) for run in runs} == {RunStatus.SUCCEEDED}
        assert len(engine._node.serving_groups()) == engine.storage.group_count
        generations = {r.generation for run in runs for r in engine.storage.read_flow(run.flow_id)}
    assert generations == {1}, "every group has had one owner, once"
    assert [record.getMessage() for record in caplog.records if "lost" in record.msg] == []
