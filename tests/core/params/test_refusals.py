"""Every way in which a param, a timeout, a policy, a condition or an output has no value, and what is said then."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec import Raw

from maestro_flow.core.graph import Graph
from maestro_flow.core.state import FlowState
from maestro_flow.errors import ParamError
from maestro_flow.model.definition import Backoff, RetryPolicy, TypedStep, WorkflowDefinition
from maestro_flow.model.params import Param, ParamMode, ParamType
from maestro_flow.model.requests import RunRequest
from tests.core.params.scene import begun, ended, evaluation, flow, literals, sel, step_value, values

RUN = "workflow 'w', instance 3, run 1: param 'p' "
STEP = "workflow 'w', instance 3, run 1, step 'b': param 'p' "


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            "$nmae",
            "(STRING): there is no param 'nmae' here (did you mean 'name'?); define it, or write $$ for a literal",
        ),
        (sel("LONG", "nmae + 1"), "(LONG, expression \"nmae + 1\"): there is no param 'nmae' here (did you mean"),
        (
            sel("LONG", "null"),
            '(LONG, expression "null"): it has no value: the expression of a param must not end in null',
        ),
        (sel("LONG", "1 / 0"), '(LONG, expression "1 / 0"): '),
        (sel("LONG", "'x'"), '(LONG, expression "\'x\'"): the value "x" does not fit the type LONG'),
        (sel("LONG", "throw 'no';"), "(LONG, expression \"throw 'no';\"): no"),
        (Param(ParamType.LONG, "$name"), '(LONG): the value "x" does not fit the type LONG'),
        (Param(ParamType.LONG_ARRAY, "$name"), '(LONG_ARRAY): the value "x" does not fit the type LONG_ARRAY'),
        ("${laod__x}", "(STRING): 'laod__x' does not name a step; write step__param"),
        ("${a__x}", "(STRING): step 'a' has no param 'x'"),
        ("$a", "(STRING): step 'a' has no result yet: it has not started; make this step run after it"),
        ("$step_id", "(STRING): there is no param 'step_id' here"),
        (
            sel("STRING", "params.getFromStep('s')"),
            "(STRING, expression \"params.getFromStep('s')\"): params.",
        ),
        (sel("STRING", "params.getFromInstance('ower')"), "(STRING, expression \"params.getFromInstance('ower')\"): "),
        ("$RUN_DATE", '(STRING): RUN_TS is "soon": expected milliseconds since 1970, up to the year 9999'),
    ],
)
def test_a_param_of_a_run(given: Any, message: str) -> None:
    with pytest.raises(ParamError) as refused:
        begun(flow({"p": given, "name": "x", "RUN_TS": "soon"}))
    assert str(refused.value).startswith(RUN + message)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("params.getFromStep('step_id')", 'getFromStep("step_id"): a param of the workflow does not belong to a step'),
        ("params.getFromInstance('ower')", "no field \"ower\" (did you mean 'owner'?); the fields are workflow_id, "),
    ],
)
def test_functions_that_have_no_answer(source: str, message: str) -> None:
    with pytest.raises(ParamError, match=re.escape(message)):
        begun(flow({"p": sel("STRING", source)}))


def test_an_item_of_an_array_is_named() -> None:
    with pytest.raises(ParamError, match=r"param 'p\[1\]' \(LONG_ARRAY\): the value \"x\" does not fit the type LONG"):
        begun(flow({"p": Param(ParamType.LONG_ARRAY, [1, "$s"]), "s": "x"}))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("${a__y}", "(STRING): step 'a' has no param 'y'"),
        ("${c__y}", "(STRING): 'c__y' does not name a step"),
        ("$b", "(STRING): step 'b' has no result yet: it has not started"),
        ("$a", '(STRING): $a in "$a" has no value: it is null'),
        (sel("LONG", "params.getFromStep('c', 'y')"), 'there is no step "c"'),
        (sel("LONG", "params.getFromStep('b', 'MAESTRO_STEP_END_TIME')"), "step 'b' has not ended yet"),
        (sel("LONG", "params.getFromSignal('s')"), "params.getFromSignal: this version does not support signals"),
        (sel("LONG", "params.getFromForeach('a', 'b', 'c')"), "this version does not support foreach steps"),
        (sel("LONG", "params.getFromSubworkflow('a', 'b', 'c')"), "this version does not support subworkflow steps"),
    ],
)
def test_a_param_of_a_step(given: Any, message: str) -> None:
    with pytest.raises(ParamError) as refused:
        step_value(given, a={"x": 1})
    assert str(refused.value).startswith(STEP)
    assert message in str(refused.value)


def test_an_entry_of_a_map_is_named() -> None:
    with pytest.raises(ParamError, match=r"param 'm\.in\.n' \(LONG\): the value \"x\" does not fit the type LONG"):
        begun(flow({"m": {"in": {"n": Param(ParamType.LONG, "$s")}}, "s": "x"}))


@pytest.mark.parametrize("last", [sel("STRING", "a"), "$a", sel("STRING", "params['a']"), sel("STRING", "params.a")])
def test_params_that_need_each_other(last: Any) -> None:
    with pytest.raises(ParamError, match=r"param 'a' .*it depends on itself: a -> b -> c -> a; give one of these"):
        begun(flow({"a": "$b", "b": sel("STRING", "c"), "c": last}))


def test_a_param_of_a_step_that_reads_its_own_name_where_the_run_has_none() -> None:
    with pytest.raises(ParamError, match=r"param 'p' \(STRING\): it depends on itself: p -> p;"):
        step_value("$p")


def test_a_name_that_may_mean_two_steps() -> None:
    steps = (TypedStep("s", "NoOp"), TypedStep("s_", "NoOp"),
             TypedStep("b", "NoOp", params=literals({"p": "${s___x}"})))  # fmt: skip
    state = FlowState.new("w/3/1", Graph.of(WorkflowDefinition("w", steps), 1))
    with pytest.raises(ParamError, match=r"'s___x' is ambiguous: step 's' or step 's_'; use params\.getFromStep"):
        evaluation().step_params(state, "b", 1)


def test_the_size_of_all_params_of_a_run() -> None:
    big = {f"p{n}": Param(ParamType.STRING, f"${{p{n - 1}}}" * 10) for n in range(1, 6)} | {"p0": "x" * 10}
    with pytest.raises(ParamError, match=r"run 1: its params have [\d,]+ characters as JSON; at most 750,000 are"):
        begun(flow(big))


def test_how_many_may_be_given() -> None:
    given = {f"p{n}": Param(ParamType.LONG, n) for n in range(129)}
    with pytest.raises(ParamError, match="run 1: 129 params were given; at most 128 are allowed"):
        begun(flow(), RunRequest(params=given))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("${n}", 5), ("${n} min", 300), ("1h ${n}min", 3900), (None, None), (7.5, 7.5)],
)
def test_timeouts(text: Any, seconds: float | None) -> None:
    state = begun(flow({"n": 5}, timeout_s=text))
    assert evaluation().run_timeout(state, state.params) == seconds


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${s}", 'is "soon"; expected seconds, or a duration'),
        ("${zero}", "is 0 s; expected more than 0 and at most 120 days"),
        ("121 ${d}", "is 1.04544e+07 s; expected more than 0"),
        ("${nothing}", "there is no param 'nothing'"),
    ],
)
def test_timeouts_that_are_none(text: str, problem: str) -> None:
    state = begun(flow({"s": "soon", "zero": 0, "d": "days"}, timeout_s=text))
    with pytest.raises(ParamError, match=re.escape(problem)) as refused:
        evaluation().run_timeout(state, state.params)
    assert f'the timeout, "{text}"' in str(refused.value)


def test_the_timeout_of_a_step_reads_its_params() -> None:
    state = begun(flow({"n": 5}, {"unit": sel("STRING", "'min'")}, step={"timeout_s": "${n} ${unit}"}))
    assert evaluation().step_timeout(state, "a", evaluation().step_params(state, "a", 1)) == 300
    assert evaluation().step_timeout(state, "b", {}) is None


def test_a_retry_policy_reads_params_of_the_run_and_is_cut_to_the_maxima() -> None:
    policy = RetryPolicy(error_retry_limit="${n}", platform_retry_limit="9${n}9", error=Backoff("${n}min", 2, "${n}d"))
    state = begun(flow({"n": 5}, {"n": 6}, step={"retry_policy": policy}))
    assert evaluation().retry_policy(state, "a") == RetryPolicy(
        error_retry_limit=5, platform_retry_limit=99, error=Backoff(300, 2, 86_400)
    )
    assert evaluation().retry_policy(state, "b") is state.graph.steps["b"].retry_policy


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("${s}", 'error_retry_limit, "${s}", is "many"; expected a non-negative whole number'),
        ("-${n}", 'error_retry_limit, "-${n}", is "-5"; expected a non-negative whole number'),
        ("${x}", "error_retry_limit, \"${x}\": there is no param 'x' here"),
    ],
)
def test_retry_policies_that_are_none(text: str, problem: str) -> None:
    policy = RetryPolicy(error_retry_limit=text)
    state = begun(flow({"s": "many", "n": 5}, {"x": 6}, step={"retry_policy": policy}))
    with pytest.raises(ParamError, match=re.escape(f"the retry policy: {problem}")):
        evaluation().retry_policy(state, "a")


@pytest.mark.parametrize(
    ("condition", "problem"),
    [("x", "it evaluates to 1; expected true or false"), ("y > 1", "there is no param 'y' here"), ("x / 0 > 1", "")],
)
def test_conditions_without_a_value_name_their_edge(condition: str, problem: str) -> None:
    state = ended(begun(flow(a={"x": 1}, step={"successors": {"b": condition}})), "a")
    expected = f"step 'a': the condition of the transition from 'a' to 'b', \"{condition}\": {problem}"
    with pytest.raises(ParamError, match=re.escape(expected)):
        evaluation().branches(state, "a", {}, Raw(b"null"))


def test_outputs_are_cast_and_merged() -> None:
    state = begun(flow(a={"n": 1, "m": {"a": "1"}, "deep": {"x": 1, "y": 2}, "computed": sel("LONG", "n + 1")}))
    state = ended(state, "a")
    given = {
        "n": Param(ParamType.STRING, "7"), "m": Param(ParamType.STRING_MAP, {"b": "$2"}),
        "deep": Param(ParamType.MAP, {"y": 3}), "computed": Param(ParamType.LONG, 9),
    }  # fmt: skip
    outputs = evaluation().outputs(state, "a", given)
    assert values(outputs) == {"n": 7, "m": {"a": "1", "b": "$2"}, "deep": {"x": 1, "y": 3}, "computed": 9}
    assert {param.source for param in outputs.values()} == {"OUTPUT_PARAMETER"}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"new": 1}, "the output 'new' is not a param of the step; define the param, so that its type is known"),
        ({"n": "x"}, "param 'n' (LONG): a change \"x\" does not fit the type LONG"),
        (
            {"c": 2},
            "param 'c' (LONG): it is MUTABLE_ON_START and cannot be changed by an output of its step; its value",
        ),
        ({"s": "x" * 750_001}, "its params have 750,"),
    ],
)
def test_outputs_that_do_not_fit(given: dict[str, Any], problem: str) -> None:
    start = Param(ParamType.LONG, 1, ParamMode.MUTABLE_ON_START)
    state = ended(begun(flow(a={"n": 1, "c": start, "s": ""})), "a")
    with pytest.raises(ParamError, match=re.escape(f"step 'a': {problem}")):
        evaluation().outputs(state, "a", literals(given))
