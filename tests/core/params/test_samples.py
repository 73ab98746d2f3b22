"""Params of Maestro's own sample workflows, as they are there."""

from __future__ import annotations

from maestro_flow.core.graph import Graph
from maestro_flow.core.state import FlowState
from maestro_flow.dsl.load import load_definition
from tests.core.params.scene import AT, begun, ended, evaluation, values
from tests.samples import sample


def run_of(name: str) -> FlowState:
    definition = load_definition(sample(name)).definition
    return begun(FlowState.new("w/3/1", Graph.of(definition, 1), instance_id=3, run_id=1, created_at=AT))


def test_params_that_refer_to_other_steps() -> None:
    state = run_of("sample-dag-test-3.json")
    for step_id in ("job1", "job3"):
        state = ended(state, step_id)
    params = evaluation().step_params(state, "job.2", 1)
    assert values(params) == {
        "param1": "161",  # sleep_seconds, and then the text '1'
        "param2": "15 + 1",
        "vtts_ts": 1_699_999_200,  # the hour of the run, 22:00 UTC
        "sleep_seconds": 16,
    }


def test_conditions_on_params_of_steps() -> None:
    state = run_of("sample-conditional-wf.json")
    assert values(evaluation().step_params(state, "job.7", 1)) == {"param5": 15}
