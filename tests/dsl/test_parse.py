"""Documents that are accepted: what becomes of every field, and which warnings are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from maestro_flow.dsl.load import load_definition
from maestro_flow.dsl.parse import parse_definition
from maestro_flow.model.definition import (
    Backoff,
    BackoffKind,
    FailureMode,
    RetryPolicy,
    RunRule,
    RunStrategy,
)
from maestro_flow.model.definition_codec import decode_definition, encode_definition
from tests.dsl.documents import parse, parse_step, request, step
from tests.samples import sample as sample_file


def test_the_smallest_definition() -> None:
    loaded = parse()
    assert loaded.warnings == ()
    assert loaded.definition.id == "w"
    assert [each.id for each in loaded.definition.steps] == ["a"]
    assert loaded.definition.stored == {}


def test_enforced_fields_are_in_the_model() -> None:
    definition = parse(
        step("a", "b", name="A", description="first", params={"n": 1}, timeout="1min"),
        step("b"),
        name="W",
        description="all",
        params={"day": "2026-11-22"},
        properties={"owner": "me"},
    ).definition
    assert (definition.name, definition.description, definition.owner) == ("W", "all", "me")
    assert definition.params["day"].value == "2026-11-22"
    first = definition.steps[0]
    assert (first.name, first.description, first.timeout_s) == ("A", "first", 60)
    assert (first.params["n"].value, first.successors) == (1, {"b": True})


def test_sample_6_loads() -> None:
    loaded = load_definition(sample_file("sample-dag-test-6.json"), known_types={"NoOp"})
    assert loaded.warnings == ()
    assert loaded.definition.stored == {}
    assert loaded.definition.run_strategy == RunStrategy(RunRule.LAST_ONLY, 1)
    assert loaded.definition.step_concurrency == 20
    assert {each.id: list(each.successors) for each in loaded.definition.steps} == {
        "job.1": ["job.2", "job.3", "job.4", "job.5"],
        "job.2": ["job.6"],
        "job.3": ["job.6"],
        "job.4": ["job.7"],
        "job.5": ["job.7"],
        "job.6": ["job.8"],
        "job.7": ["job.8"],
        "job.8": [],
    }


def test_sample_7_loads() -> None:
    loaded = load_definition(sample_file("sample-dag-test-7.json"), known_types={"NoOp"})
    assert loaded.warnings == ()
    assert {each.params["sleep_seconds"].type for each in loaded.definition.steps[:6]} == {"LONG"}


def test_the_sample_with_time_triggers_loads_with_a_warning() -> None:
    loaded = load_definition(sample_file("sample-time-trigger-wf.json"))
    assert loaded.warnings[-1] == (
        "workflow.time_triggers: stored, but not acted on: nothing starts runs by itself: start them from outside"
    )
    assert len(loaded.definition.stored["workflow"]["time_triggers"]) == 3


@pytest.mark.parametrize(
    "properties",
    [
        {"run_strategy": None, "step_concurrency": None},
        {"access_control": {}, "description": "x", "tags": ["a"], "alerting_disabled": True},
    ],
)
def test_what_loses_nothing_by_being_stored_warns_of_nothing(properties: dict[str, Any]) -> None:
    assert parse(properties=properties).warnings == ()


def test_stored_fields_are_kept_verbatim_by_place() -> None:
    triggers = [{"type": "CRON", "cron": "0 0 * * *"}]
    document = request(
        step(
            tags=["t", {"name": "u", "attributes": {"a": 1}}],
            sub_type="s",
            params={"p": {"value": 1, "type": "LONG", "validator": "param > 0"}},
        ),
        tags=[{"name": "x", "namespace": "system", "permit": 3}],
        criticality="HIGH",
        time_triggers=triggers,
        params={"q": {"value": "a", "tags": ["u", {"name": "v", "permit": 1}]}},
        properties={"owner": {"name": "me", "team": "us"}, "alerting": {"emails": ["a@b"]}},
    )
    loaded = parse_definition(document | {"git_info": {"commit": "1"}, "is_active": False, "more": [1]})
    assert loaded.definition.owner == "me"
    assert loaded.definition.stored == {
        "git_info": {"commit": "1"},
        "is_active": False,
        "more": [1],
        "properties": {"owner": {"name": "me", "team": "us"}, "alerting": {"emails": ["a@b"]}},
        "workflow": {
            "criticality": "HIGH",
            "time_triggers": triggers,
            "params": {"q": {"tags": ["u", {"name": "v", "permit": 1}]}},
        },
    }
    assert loaded.definition.steps[0].stored == {
        "tags": ["t", {"name": "u", "attributes": {"a": 1}}],
        "sub_type": "s",
        "params": {"p": {"validator": "param > 0"}},
    }
    assert [line.partition(":")[0] for line in loaded.warnings] == [
        "is_active",
        "more",
        "properties.alerting",
        "workflow.time_triggers",
        "workflow.params.q.tags[1].permit",
        "workflow.steps[0].step.sub_type",
        "workflow.steps[0].step.params.p.validator",
    ]


def test_an_unknown_field_of_the_request_is_an_extra() -> None:
    loaded = parse_definition(request() | {"is_activ": True})
    assert loaded.warnings == ("is_activ: stored, but unknown to this version (did you mean 'is_active'?)",)


def test_null_is_as_good_as_absent() -> None:
    nothing = step(transition=None, retry_policy=None, timeout=None, failure_mode=None, params=None, name=None)
    assert parse(nothing, timeout=None, params=None, properties={"owner": None}).definition == parse().definition


@pytest.mark.parametrize(
    ("condition", "value"),
    [(True, True), (False, False), ("true", True), ("false;", False), ("  true ; ", True), ("true;;", True)],
)
def test_constant_conditions(condition: Any, value: bool) -> None:
    steps = step("a", transition={"successors": {"b": condition}}), step("b")
    assert parse(*steps).definition.steps[0].successors == {"b": value}


def test_predecessors_may_be_given_in_any_order() -> None:
    join = step("c", transition={"predecessors": ["b", "a"]})
    assert len(parse(step("a", "c"), step("b", "c"), join).definition.steps) == 3


@pytest.mark.parametrize("mode", FailureMode)
@pytest.mark.parametrize("spell", [str.lower, str.upper, str.title])
def test_failure_modes(mode: FailureMode, spell: Callable[[str], str]) -> None:
    assert parse_step(failure_mode=spell(mode)).failure_mode is mode


def test_the_default_failure_mode_lets_other_branches_run_to_their_end() -> None:
    assert parse_step().failure_mode is FailureMode.FAIL_AFTER_RUNNING


@pytest.mark.parametrize("nothing", [[], {}, None])
def test_signals_may_be_empty(nothing: Any) -> None:
    assert parse_step(signal_dependencies=nothing, signal_outputs=nothing) == parse_step()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (30, 30),
        (30.0, 30),
        ("30", 30),
        ("100s", 100),
        ("1d 2h 30min 10s 500ms", 86_400 + 2 * 3600 + 30 * 60 + 10.5),
        ("1day2hours3minutes4seconds5milliseconds", 86_400 + 7200 + 180 + 4.005),
        ("1 DAY 1 hour 1 minute 1 sec 1 millisecond", 86_400 + 3600 + 60 + 1.001),
        (" 2 days ", 172_800),
        ("120d", 120 * 86_400),
    ],
)
def test_timeouts(text: Any, seconds: float) -> None:
    assert parse_step(timeout=text).timeout_s == pytest.approx(seconds)


def test_the_default_retry_policy_is_that_of_maestro() -> None:
    policy = parse_step().retry_policy
    assert (policy.error_retry_limit, policy.platform_retry_limit, policy.timeout_retry_limit) == (2, 10, 0)
    assert policy.error == Backoff(60, 2, 600)
    assert policy.platform == policy.timeout == Backoff(60, 2, 3600)


def test_an_exponential_backoff_keeps_the_defaults_of_what_it_does_not_say() -> None:
    backoff = {
        "type": "exponential_backoff",
        "error_retry_backoff_in_secs": "5",
        "error_retry_exponent": 3,
        "platform_retry_limit_in_secs": "2min",
    }
    policy = parse_step(retry_policy={"timeout_retry_limit": "3", "backoff": backoff}).retry_policy
    assert policy == RetryPolicy(
        timeout_retry_limit=3,
        error=Backoff(5, 3, 600),
        platform=Backoff(60, 2, 120),
    )


def test_a_fixed_backoff_does_not_grow() -> None:
    backoff = {"type": "FIXED_BACKOFF", "error_retry_backoff_in_secs": 1}
    policy = parse_step(retry_policy={"error_retry_limit": 10, "backoff": backoff}).retry_policy
    assert policy == RetryPolicy(
        error_retry_limit=10,
        kind=BackoffKind.FIXED,
        error=Backoff(1, 1, 86_400),
        platform=Backoff(60, 1, 86_400),
        timeout=Backoff(60, 1, 86_400),
    )


def test_what_is_above_a_maximum_is_cut_with_a_warning() -> None:
    backoff = {"type": "FIXED_BACKOFF", "error_retry_backoff_in_secs": "2d"}
    loaded = parse(step(retry_policy={"error_retry_limit": 1000, "backoff": backoff}))
    policy = loaded.definition.steps[0].retry_policy
    assert (policy.error_retry_limit, policy.error.base_s) == (99, 86_400)
    assert loaded.warnings == (
        "workflow.steps[0].step.retry_policy.error_retry_limit: 1000 is capped at the maximum, 99",
        "workflow.steps[0].step.retry_policy.backoff.error_retry_backoff_in_secs: 172800 is capped at the maximum, 86400",  # noqa: E501
    )


@pytest.mark.parametrize("name", ["sample-dag-test-6", "sample-dag-test-7", "sample-time-trigger-wf"])
def test_a_definition_survives_the_store(name: str) -> None:
    definition = load_definition(sample_file(f"{name}.json")).definition
    assert decode_definition(encode_definition(definition)) == definition


def test_a_document_is_not_changed_by_reading_it() -> None:
    document = request(step(params={"a": {"value": {"b": "$$"}, "type": "MAP"}}), criticality=["t"])
    before = msgspec.json.encode(document)
    loaded = parse_definition(document)
    loaded.definition.stored["workflow"]["criticality"].append("u")
    assert msgspec.json.encode(document) == before
