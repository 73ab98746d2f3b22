"""Params that nobody defines, and the functions of ``params``."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from maestro_flow.core.params.defaults import DEFAULTS, STEP_DEFAULTS
from maestro_flow.errors import ParamError
from maestro_flow.sel import PARAM_FUNCTIONS
from tests.core.params.scene import AT, begun, evaluation, flow, run_value, sel, step_value, values

ZURICH = {"WORKFLOW_CRON_TIMEZONE": "Europe/Zurich"}
"""There it is 23:13:20 when it is 22:13:20 UTC, on 2023-11-14."""


@pytest.mark.parametrize(
    ("name", "around", "value"),
    [
        ("workflow_id", {}, "w"), ("workflow_instance_id", {}, "3"), ("workflow_run_id", {}, "1"),
        ("DSL_DEFAULT_TZ", {}, "UTC"), ("WORKFLOW_CRON_TIMEZONE", {"DSL_DEFAULT_TZ": "Asia/Tokyo"}, "Asia/Tokyo"),
        ("RUN_TS", {}, "1700000000000"), ("RUN_DATE", {}, "20231114"), ("RUN_HOUR", ZURICH, "22"),
        ("RUN_DATE_MINUS_1", {}, "20231113"), ("RUN_DATE_MINUS_7", {}, "20231107"),
        ("LOCAL_RUN_DATE", {"DSL_DEFAULT_TZ": "Asia/Tokyo"}, "20231115"),
        ("TARGET_RUN_DATE", ZURICH, "20231114"), ("TARGET_RUN_HOUR", ZURICH, "23"),
        ("DERIVED_RUN_TS", ZURICH, "1699999200000"), ("DERIVED_RUN_HOUR_UTC", ZURICH, "22"),
        ("DERIVED_RUN_DATE_UTC", {"TARGET_RUN_DATE": "20240301", "TARGET_RUN_HOUR": "00"}, "20240301"),
        ("DERIVED_RUN_DATE_UTC_MINUS_ONE", {"TARGET_RUN_DATE": "20240301", "TARGET_RUN_HOUR": "00"}, "20240229"),
        ("DERIVED_RUN_DATE_UTC_PLUS_ONE", {}, "20231115"), ("DERIVED_RUN_DATE_UTC_PLUS_ONE_HOUR", {}, "20231114"),
        ("DERIVED_RUN_DATE_UTC_MINUS_ONE_HOUR", {"RUN_TS": 0}, "19691231"),
        ("DERIVED_RUN_HOUR_UTC_MINUS_ONE_HOUR", {"RUN_TS": 0}, "23"), ("DERIVED_RUN_HOUR_UTC_PLUS_ONE_HOUR", {}, "23"),
        ("DERIVED_RUN_HOUR_US_PACIFIC", {}, "14"), ("DERIVED_RUN_DATE_US_PACIFIC", {"RUN_TS": 0}, "19691231"),
        ("DERIVED_RUN_DATE_US_PACIFIC_MINUS_ONE", {"RUN_TS": 0}, "19691230"),
        ("RUN_DATE", {"RUN_TS": sel("LONG", "86400000 * 2")}, "19700103"),
    ],
)  # fmt: skip
def test_default_params_of_a_run(name: str, around: dict[str, Any], value: str) -> None:
    assert run_value(f"${name}", **around) == value
    assert step_value(f"${name}", params=around) == value


def test_every_default_has_a_value() -> None:
    state = begun(flow(a={name: f"${name}" for name in DEFAULTS}, owner="me"))
    found = values(evaluation().step_params(state, "a", 2))
    assert (found["owner"], found["step_id"], found["step_attempt_id"]) == ("me", "a", "2")
    assert len(found["step_instance_uuid"]) == 36
    assert all(found.values())


def test_those_of_steps_are_none_of_a_run() -> None:
    for name in STEP_DEFAULTS:
        with pytest.raises(ParamError, match=f"there is no param '{name}' here"):
            run_value(f"${name}")


def test_they_are_not_written_and_a_restart_keeps_the_time_of_the_first_run() -> None:
    first = begun(flow())
    assert first.params == {}
    later = replace(flow({"p": "$RUN_TS"}), previous=replace(first, started_at=AT - 5))
    assert values(begun(later).params) == {"p": "1699999995000"}


@pytest.mark.parametrize(
    ("around", "problem"),
    [
        ({"WORKFLOW_CRON_TIMEZONE": "Mars"}, '"Mars" is not a valid time zone; expected one such as'),
        (
            {"TARGET_RUN_HOUR": "noon"},
            'TARGET_RUN_HOUR are "20231114noon": expected yyyyMMdd and HH',
        ),
        ({"RUN_TS": 10**17}, "RUN_TS is 100000000000000000: expected milliseconds since 1970"),
    ],
)
def test_what_they_follow_from_may_be_wrong(around: dict[str, Any], problem: str) -> None:
    with pytest.raises(ParamError, match=problem):
        run_value("$DERIVED_RUN_DATE_UTC", **around)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("params.getFromInstance('workflow_id')", "w"),
        ("params.getFromInstance('workflow_instance_id')", "3"),
        ("params.getFromInstance('owner')", "me"),
        ("params.getFromInstance('RUN_POLICY')", "START_FRESH_NEW_RUN"),
        ("params.getFromInstance('INITIATOR_TYPE')", "MANUAL"),
        ("params.getFromStep('step_id')", "b"),
        ("params.getFromStep('step_attempt_id')", "1"),
        ("params.getFromStep('step_type_info')", "Sleep"),
        ("params.getFromStep('MAESTRO_STEP_STATUS')", "NOT_CREATED"),
        ("params.getFromStep('a', 'MAESTRO_STEP_STATUS')", "SUCCEEDED"),
        ("params.getFromStep('a', 'MAESTRO_STEP_END_TIME')", "1700000001000"),
        ("params.getFromStep('a', 'x')", "1"),
        ("params.getExecutionEnvironment()", "maestro-flow"),
        ("params.getFromStep('step_instance_uuid') == step_instance_uuid", "true"),
    ],
)
def test_functions(source: str, value: str) -> None:
    assert step_value(sel("STRING", source), a={"x": 1}, owner="me") == value


def test_every_function_of_sel_has_an_answer() -> None:
    """A value, or an error that says why not; never an internal error."""
    expected = {
        "getFromInstance": "there is no field",
        "getFromStep": "there is no field",
        "getFromForeach": "does not support foreach steps",
        "getFromSubworkflow": "does not support subworkflow steps",
        "getFromSignal": "does not support signals",
        "getFromSignalDependency": "does not support signals",
        "getFromSignalOrDefault": "does not support signals",
        "getExecutionEnvironment": "",
        "nextUniqueId": "",
    }
    for name, count in PARAM_FUNCTIONS:
        source = sel("STRING", f"params.{name}({', '.join(['x'] * count)})")
        if not expected[name]:
            assert step_value(source)
            continue
        message = expected[name] if (name, count) != ("getFromStep", 2) else "has no param"
        with pytest.raises(ParamError, match=message):
            step_value(source, a={"y": 1}, params={"x": "a"})
