"""Names in expressions, conditions, timeouts and retry policies: what is told of them when a definition is read."""

from __future__ import annotations

from typing import Any

import pytest

from maestro_flow.dsl.builder import Workflow
from maestro_flow.dsl.load import load_definition
from maestro_flow.errors import DefinitionError
from tests.dsl.documents import parse, request, step
from tests.samples import sample as sample_file

S = "workflow.steps[0].step"
GIVEN = "it must be given when a run is started"


def follows(condition: str, **fields: Any) -> dict[str, Any]:
    """Step ``a`` and, under a condition, step ``b``."""
    return request(step("a", transition={"successors": {"b": condition}}, **fields), step("b", params={"y": 2}))


def warnings(document: dict[str, Any]) -> tuple[str, ...]:
    workflow = document["workflow"]
    return parse(*workflow["steps"], params={"x": 1, "limit": 3}).warnings


@pytest.mark.parametrize(
    "condition",
    [
        "x > 0",
        "own > 0",
        "a__own > 0 && b__y > 0",
        "a > 3",
        "b > 3",
        "RUN_TS > 0 && workflow_id == 'w' && step_attempt_id > 0",
        "params.anything > 0",
        "later = 1; later > 0;",
        "Util.dateIntToTs(x) > 0",
    ],
)
def test_what_is_known_is_not_noted(condition: str) -> None:
    assert warnings(follows(condition, params={"own": 1})) == ()


def test_a_name_that_nothing_defines_is_noted_where_it_is_read() -> None:
    document = request(
        step(
            "a",
            transition={"successors": {"b": "oen > 0 || x > 0"}},
            timeout="${limt}",
            params={"own": "$z", "n": "$limit"},
        ),
        step("b"),
    )
    assert warnings(document) == (
        f'{S}.params.own: nothing here defines "z": {GIVEN}',
        f"{S}.transition.successors.b: nothing here defines \"oen\" (did you mean 'own'?): {GIVEN}",
        f"{S}.timeout: nothing here defines \"limt\" (did you mean 'limit'?): {GIVEN}",
    )


def test_params_of_the_workflow_do_not_see_those_of_steps() -> None:
    loaded = parse(step(params={"p": 1}), params={"x": "$p and $y", "y": "$RUN_DATE and $step_id"})
    assert loaded.warnings == (
        f'workflow.params.x: nothing here defines "p": {GIVEN}',
        f'workflow.params.y: nothing here defines "step_id": {GIVEN}',
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            follows("aa__own > 0"),
            f'{S}.transition.successors.b: "aa__own" names the param of a step, but there is no step "aa" (did',
        ),
        (
            request(step(params={"p": "of ${c__y}"})),
            f'{S}.params.p: "c__y" names the param of a step, but there is no step',
        ),
        (request(step(timeout="$c__y")), f'{S}.timeout: "c__y" names the param of a step, but there is no step "c"'),
        (
            request(params={"p": "$c__y"}),
            'workflow.params.p: "c__y" names the param of a step, but there is no step "c"',
        ),
        (
            request(timeout="${limt}", params={"limit": 1, "x": 1}),
            "workflow.timeout: \"limt\" is not a param of the workflow (did you mean 'limit'?); only these",
        ),
        (
            request(step(retry_policy={"error_retry_limit": "${a}"}, params={"a": 3})),
            f'{S}.retry_policy: "a" is not a param of the workflow; only these can be used here: none',
        ),
        (
            request(
                step(retry_policy={"backoff": {"type": "FIXED_BACKOFF", "timeout_retry_backoff_in_secs": "${wait}s"}}),
                params={"waits": 3},
            ),
            f"{S}.retry_policy: \"wait\" is not a param of the workflow (did you mean 'waits'?); only these",
        ),
    ],
)
def test_what_can_be_told_to_be_wrong_is_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        parse(*document["workflow"].pop("steps"), **{k: v for k, v in document["workflow"].items() if k != "id"})
    assert str(refused.value).startswith(message)


def test_limits_may_refer_to_params_of_the_workflow() -> None:
    definition = parse(
        step(retry_policy={"error_retry_limit": "${x}", "backoff": {"type": "EXPONENTIAL_BACKOFF"}}),
        timeout="${x}h 5min",
        params={"x": 3},
    ).definition
    assert (definition.timeout_s, definition.steps[0].retry_policy.error_retry_limit) == ("${x}h 5min", "${x}")


@pytest.mark.parametrize("name", ["s___p", "s_____p"])
def test_an_id_may_end_and_a_param_begin_with_an_underscore(name: str) -> None:
    steps = step("s_", transition={"successors": {"t": f"{name} > 0"}}), step("t")
    assert parse(*steps, step("s")).warnings == ()


def test_the_sample_with_conditions_loads() -> None:
    loaded = load_definition(sample_file("sample-conditional-wf.json"), known_types={"NoOp"})
    assert loaded.warnings == ()
    assert {each.id: each.successors for each in loaded.definition.steps} == {
        "job.1": {"job.2": True},
        "job.2": {"job.3": True},
        "job.3": {"job.4": "param2 < 0", "job.6": "param2 >= 0"},
        "job.4": {"job.5": "params.getFromStep('job.3', 'param2') > 0"},
        "job.5": {"job.6": "params.getFromStep('job.4', 'param3') > 0"},
        "job.6": {"job.7": True},
        "job.7": {},
    }


def test_a_workflow_in_python_is_checked_when_it_is_built() -> None:
    wf = Workflow("w", params={"x": 1})

    @wf.step
    def first() -> int:
        return 1

    wf.add("second", type="NoOp", after=first, when="first > x && not_known == 1")
    assert wf.definition.steps[0].successors == {"second": "first > x && not_known == 1"}
    wf.add("third", type="NoOp", after=first, when="frist__p > 0")
    with pytest.raises(DefinitionError, match=r'no step "frist" \(did you mean \'first\'\?\)'):
        _ = wf.definition
